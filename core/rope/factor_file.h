// Files of LongRoPE factors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/rope/rope_method.h"

namespace ropescope::rope {

struct RescaleFactors {
  std::vector<double> shortFactor;  // [P], empty when the file has none
  std::vector<double> longFactor;   // [P]
  std::optional<std::int64_t> unscaledTokens = {};  // n-hat, for both lists; none: the file is silent
  std::optional<double> attentionFactor = {};       // for both lists; none: the method works it out
};

// `.json`: {"short_factor": [...], "long_factor": [...], "n_hat": 0, "attention_factor": 1}, bare or
// inside "rope_parameters" or "rope_scaling". Everything else is read as CSV: one column of P factors, or rows of P columns that
// are all equal (one row per layer, the published form). A CSV holds long factors.
// Errors: NotFound, CorruptFile (names line and content). Factors need not grow with the pair:
// published sets do not.
Result<RescaleFactors> readFactorFile(const std::filesystem::path& path);

// The long factors as one column. A CSV has no place for anything else.
std::string factorColumn(const std::vector<double>& factors);

// The "rope_parameters" block of a config.json, as transformers and this program read it. `context`
// gives base, trained length and factor. Without short factors these are all 1, what plain RoPE is;
// empty long factors are left out.
std::string factorBlock(const RescaleFactors& factors, const RopeContext& context);

// The choice that turns every pair by these factors: the method that takes them as its parameters.
MethodChoice choiceOf(const RescaleFactors& factors, double factor);

// What every pair of a plan is divided by: plain frequency / the plan's. A pair that stands still gets
// 1e9, which makes the same of it within any context.
std::vector<double> factorsOf(const RotaryPlan& plan);

}  // namespace ropescope::rope
