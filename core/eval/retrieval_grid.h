// A planted sentence searched at many lengths and depths under several methods: every cell is kept
// as soon as it is done.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/eval/perplexity.h"
#include "core/eval/result_log.h"
#include "core/eval/retrieval_prompt.h"

namespace ropescope {

struct RetrievalAnswer {
  std::string expected;
  std::string answer;
  Judgement judgement;
  std::int64_t needleBegin = 0;  // position of the needle's first token
};

struct RetrievalCell {
  std::string method;  // label
  std::int64_t length = 0;
  double depth = 0.0;
  std::vector<RetrievalAnswer> answers;  // one for each trial

  std::int64_t trials() const { return static_cast<std::int64_t>(answers.size()); }
  std::int64_t found() const;
  std::int64_t contained() const;
};

// A line of the result file. Reading back: CorruptFile when a field is missing or of another kind.
ResultJson cellJson(const RetrievalCell& cell);
Result<RetrievalCell> cellFrom(const ResultJson& json);

struct GridRequest {
  std::vector<CurveSettings> methods;
  std::vector<std::int64_t> lengths;  // ascending, tokens of a prompt
  std::vector<double> depths;         // ascending, 0 to 1
  std::int64_t trials = 1;
  std::int64_t mostAnswerTokens = 10;
  // Same arguments, same prompt, whatever was asked before: all methods answer the same ones.
  std::function<Result<RetrievalPrompt>(std::int64_t length, double depth, std::int64_t trial)>
      prompt;
  Judgement (*judge)(std::string_view answer, std::string_view expected) = nullptr;
};

using CellSink = std::function<void(const RetrievalCell&)>;

// Cells that `log` holds are not measured again; each new one is appended to it. `onCell` sees all
// of them: those from the log first, then the others method by method, length by length. Errors:
// InvalidArgument and those of the plans before any work; Cancelled, with every finished cell in
// the log; those of the log.
Status measureGrid(const Engine& engine, const GridRequest& request, ResultLog& log,
                   const CellSink& onCell, const JobControl& job);

struct EffectiveContext {
  std::string method;
  std::optional<std::int64_t> length;  // none: not even the shortest
};

// For every method the longest length at which, and at every shorter one of `lengths`, the share
// found is at least `threshold` at every depth. A cell that was not measured counts as not found.
std::vector<EffectiveContext> effectiveContext(const std::vector<RetrievalCell>& cells,
                                               const GridRequest& request, double threshold);

}  // namespace ropescope
