// A training run on disk: masters, optimizer moments, losses and settings in one safetensors file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/calibration/adamw_torch.h"
#include "core/calibration/trainable_torch.h"

namespace ropescope::calibration {

struct TrainingState {
  AdamWState optimizer;
  std::vector<double> losses;  // of every step done
  double seconds = 0.0;
};

Status saveState(const std::filesystem::path& path, const Trainable& trainable,
                 const TrainingState& state, const std::map<std::string, std::string>& settings);

// Errors: NotFound, CorruptFile, InvalidArgument when the file's settings are not `settings` (the
// first that differs is named with both values).
Result<TrainingState> loadState(const std::filesystem::path& path, Trainable& trainable,
                                const std::map<std::string, std::string>& settings);

}  // namespace ropescope::calibration
