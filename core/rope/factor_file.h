// Files of LongRoPE factors.
#pragma once

#include <filesystem>
#include <vector>

#include "core/base/result.h"

namespace ropescope::rope {

struct RescaleFactors {
  std::vector<double> shortFactor;  // [P], empty when the file has none
  std::vector<double> longFactor;   // [P]
};

// `.json`: {"short_factor": [...], "long_factor": [...]}, bare or inside "rope_parameters" or
// "rope_scaling". Everything else is read as CSV: one column of P factors, or rows of P columns that
// are all equal (one row per layer, the published form). A CSV holds long factors.
// Errors: NotFound, CorruptFile (names line and content). Factors need not grow with the pair:
// published sets do not.
Result<RescaleFactors> readFactorFile(const std::filesystem::path& path);

}  // namespace ropescope::rope
