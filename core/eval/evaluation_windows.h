// The windows that every setting is judged on, and their losses under one setting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/eval/perplexity.h"

namespace ropescope {

struct EvaluationBook {
  std::string name;
  std::vector<std::int32_t> ids;  // without BOS
};

struct EvaluationWindow {
  std::string book;
  std::int64_t begin = 0;         // first own token in the book
  std::vector<std::int32_t> ids;  // [length]; BOS first when there is one
};

struct WindowConfig {
  std::int64_t length = 0;          // tokens of a window, BOS included
  std::optional<std::int32_t> bos;  // none: windows start with a token of the book
  std::int64_t mostPerBook = 0;     // 0: all
};

// All non-overlapping windows of every book, in order; what is left at the end of a book is no
// window. Of a book with more than mostPerBook, window floor((2 j + 1) n / (2 mostPerBook)) of n is
// taken for j = 0 …: spread evenly, the same on every call. A book that is too short has no window;
// InvalidArgument when none has one, naming the longest.
Result<std::vector<EvaluationWindow>> evaluationWindows(const std::vector<EvaluationBook>& books,
                                                        const WindowConfig& config);

// The tokenizer's BOS when it puts one in front.
std::optional<std::int32_t> bosOf(const Engine& engine);

// Mean loss of the tokens at index begin … end - 1 of a window. Index 0 has no loss.
struct PositionBin {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t scored = 0;
  double meanLoss = 0.0;  // nats
};

struct WindowLoss {
  std::string book;
  std::int64_t begin = 0;
  std::int64_t scored = 0;
  double meanLoss = 0.0;          // nats, over all scored tokens of the window
  std::vector<PositionBin> bins;  // in order, they cover the window

  // Mean over indices below `end`, which must be the end of a bin: what a window of that length
  // would give when the plan does not depend on the length.
  std::optional<double> meanTo(std::int64_t end) const;
};

// 1,024, 2,048, 4,096 … below `length`, then `length`.
std::vector<std::int64_t> defaultBinEnds(std::int64_t length);

// Each window read once from its start under a plan for the windows' length (all have the same).
// `binEnds` ascend and end at that length.
Result<std::vector<WindowLoss>> windowLosses(const Engine& engine, const CurveSettings& settings,
                                             const std::vector<EvaluationWindow>& windows,
                                             const std::vector<std::int64_t>& binEnds,
                                             const JobControl& job);

}  // namespace ropescope
