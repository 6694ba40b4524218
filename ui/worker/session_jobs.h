// The engine thread's side of reading and answering: core calls only, no widgets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/session.h"
#include "ui/worker/engine_room.h"

namespace ropescope::ui {

// Which session a job wants. Equal serials mean the same session.
struct SessionRecipe {
  std::uint64_t serial = 0;
  SessionOptions options;
};

// The room's session under this recipe, made if it is not there. Sessions of other recipes stay
// beside it as long as memory allows; then those go first whose last use is longest ago.
// Errors: InvalidArgument when no model is loaded, and those of Engine::newSession().
Result<Session*> sessionFor(EngineRoom& room, const SessionRecipe& recipe);

// Drops all other sessions; the first of `serials` counts as used.
void keepOnly(EngineRoom& room, const std::vector<std::uint64_t>& serials);

// The session if it is there already, for pictures; never makes one. NotFound otherwise.
Result<const Session*> existingSession(const EngineRoom& room, std::uint64_t serial);

// The tokens that a session holds, of prompt and answer.
using SessionTokens = std::shared_ptr<const std::vector<std::int32_t>>;
SessionTokens tokensOf(const Session& session);

struct ReadingSinks {
  std::function<void(SessionTokens)> tokens;  // in the cache, after every chunk
};

Result<PrefillResult> readParts(EngineRoom& room, const SessionRecipe& recipe,
                                const std::vector<std::vector<std::int32_t>>& parts,
                                const ReadingSinks& sinks, const JobControl& job);

struct AnswerRequest {
  std::vector<std::vector<std::int32_t>> parts;  // document, then the question
  GenerationConfig generation;
};

struct AnswerSinks {
  std::function<void(SessionTokens)> tokens;
  std::function<void(std::string)> text;  // whole UTF-8 characters
};

struct Answer {
  std::string text;
  std::vector<std::int32_t> ids;
  std::vector<GeneratedToken> tokens;  // the same ids, with their log-probabilities
  std::vector<std::int64_t> ends;      // bytes of `text` that are there after each token
  PrefillResult prefill;
  FinishReason finishReason = FinishReason::Length;
  double prefillSeconds = 0.0;  // both without the time that pictures took in between
  double decodeSeconds = 0.0;
};

// A stop while the answer is written is no error: the answer so far comes back as Stopped.
Result<Answer> answerQuestion(EngineRoom& room, const SessionRecipe& recipe,
                              const AnswerRequest& request, const AnswerSinks& sinks,
                              const JobControl& job);

}  // namespace ropescope::ui
