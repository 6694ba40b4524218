// What passkey, needle and questions have in common: methods, lengths, the result file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/run.h"
#include "core/eval/planted_document.h"
#include "core/eval/result_log.h"
#include "core/eval/retrieval_grid.h"

namespace ropescope::cli {

// --lengths, ascending and each once; the methods, each once.
struct RetrievalPlan {
  std::vector<std::int64_t> lengths;
  std::vector<CurveSettings> methods;
};
Result<RetrievalPlan> retrievalPlan(Run& run);

// Ascending and each once, as --depths or the default.
std::vector<double> gridDepths(const Options& options);

// A document as tokens. Adds it to settings "documents".
Result<std::shared_ptr<const BookTokens>> readBook(Run& run, const std::filesystem::path& path);

// A model without a prompt format of its own reads a plain one.
void noticePromptFormat(Run& run);

// Opens --out under the settings that every one of its records depends on: the model, the plan and
// `own`. They become the run's settings too. A torn line is a notice.
Result<ResultLog> openResultLog(Run& run, const RetrievalPlan& plan, const Json& own);

// Measures the grid, then fills "cells" and "effective_context", prints the tables and writes
// --csv: also for what was done before a stop or an error.
Status runGrid(Run& run, const GridRequest& request, ResultLog& log, double threshold);

}  // namespace ropescope::cli
