// What longrope search is asked to do, checked before any work.
#pragma once

#include <vector>

#include "app/cli/run.h"
#include "core/calibration/longrope_samples.h"
#include "core/eval/evaluation_windows.h"
#include "core/rope/factor_file.h"

namespace ropescope::cli {

struct LongropeSearch {
  std::vector<std::filesystem::path> corpus;  // files; --corpus may name folders
  calibration::SearchSettings settings;
  calibration::SearchSpace space;
  SessionOptions session;              // calibration and chunk
  rope::RescaleFactors other;          // the list that is not searched
  std::vector<EvaluationBook> judges;  // books for --judge
  std::vector<calibration::SearchSample> samples;
};

// Errors name the option that cannot work.
Result<LongropeSearch> prepareSearch(Run& run);

// All that decides candidates and losses; the log of a resumed search must have the same.
Result<Json> searchIdentity(Run& run, const LongropeSearch& search);

}  // namespace ropescope::cli
