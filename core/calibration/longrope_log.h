// Evaluations of a factor search as lines of a ResultLog, and back.
#pragma once

#include <filesystem>
#include <vector>

#include "core/base/result.h"
#include "core/calibration/longrope_search.h"
#include "core/eval/result_log.h"

namespace ropescope::calibration {

// {"evaluation": 4, "origin": "mutation of 2", "factors": [...], "unscaled_tokens": 0,
// "loss": 3.2}; loss null: no finite number.
ResultJson recordOf(const Evaluation& evaluation);

// For SearchHooks::replay. CorruptFile names the record that is no evaluation.
Result<std::vector<Evaluation>> evaluationsFrom(const std::vector<ResultJson>& records,
                                                const std::filesystem::path& path);

}  // namespace ropescope::calibration
