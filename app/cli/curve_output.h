// Perplexity curves: measured one after the other, and as JSON, CSV and a table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/cli/run.h"
#include "core/eval/perplexity.h"
#include "core/eval/published_curves.h"

namespace ropescope::cli {

Json curveJson(const PerplexityCurve& curve, const Engine& engine,
               const PerplexityConfig& config);
std::string curveCsv(const std::vector<PerplexityCurve>& curves, std::string_view protocol);
std::string curveTable(const std::vector<PerplexityCurve>& curves);

// Lengths across, a curve a row, as in the YaRN repository's data.
std::string wideCurveCsv(const std::vector<PerplexityCurve>& curves);

Json publishedJson(const PublishedCurve& curve);
// One row a length, each curve with its model, text and protocol above it.
std::string publishedTable(const std::vector<PublishedCurve>& curves);

// A quarter of the trained length, doubled up to `most`, and `most` itself.
std::vector<std::int64_t> defaultLengths(std::int64_t trained, std::int64_t most);

// One for each of --methods, or one of the options of the plan. What cannot be planned for `longest`
// tokens is refused here.
Result<std::vector<CurveSettings>> chooseCurves(Run& run, std::int64_t longest);

// Adds to `curves` what is measured, also when a later curve fails. A stop is no error.
Status measureCurves(Run& run, const std::vector<CurveSettings>& settings,
                     const std::vector<std::vector<std::int32_t>>& documents,
                     const PerplexityConfig& config, std::vector<PerplexityCurve>& curves);

}  // namespace ropescope::cli
