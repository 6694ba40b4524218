// What only longrope search takes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/calibration/longrope_samples.h"
#include "core/calibration/longrope_space.h"

namespace ropescope::cli {

enum class SearchObjective { Perplexity, Needle };

struct LongropeOptions {
  calibration::SearchVariant variant = calibration::SearchVariant::Paper;
  std::int64_t population = calibration::SearchSettings{}.population;
  std::int64_t evaluations = calibration::SearchSettings{}.evaluations;
  bool searchUnscaled = false;
  SearchObjective objective = SearchObjective::Perplexity;
  std::int64_t samples = calibration::SampleConfig{}.count;
  calibration::ScoredPositions positions = calibration::ScoredPositions::All;
  std::optional<std::filesystem::path> otherFactors;
  std::vector<std::filesystem::path> judge;
  std::int64_t judgeWindows = 0;  // per book; 0: all
};

}  // namespace ropescope::cli
