// One question under several settings: answers that stream together, or in turn when memory is
// short.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "ui/worker/session_jobs.h"

namespace ropescope::ui {

struct PaneOrder {
  std::size_t pane = 0;
  SessionRecipe recipe;
  AnswerRequest request;
};

// How far one of them is.
struct PaneProgress {
  enum class Stage { Waiting, Reading, Writing, Finished };
  Stage stage = Stage::Waiting;
  std::uint64_t serial = 0;
  SessionTokens tokens;         // in the session; null before it was touched
  Answer answer;                // so far; its times are this session's own
  std::optional<Error> error;   // instead of the rest
  std::int64_t cacheBytes = 0;  // KV cache
  std::int64_t captureBytes = 0;
};

struct CompareSinks {
  std::function<void(std::size_t pane, const PaneProgress&)> pane;
  std::function<void(bool)> together;  // false: in turn, all sessions do not fit into memory
};

// One chunk or one token of every session, round and round, when all of them fit into memory; else
// one after the other. Either way each answer is the one that its session gives alone. A stop
// leaves what is there: Stopped in an answer, Cancelled where the document was still being read.
Status answerTogether(EngineRoom& room, const std::vector<PaneOrder>& orders,
                      const CompareSinks& sinks, const JobControl& job);

}  // namespace ropescope::ui
