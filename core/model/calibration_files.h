// Which calibration files there are, from their headers alone: no tensor is read, no model needed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/calibration_origin.h"
#include "core/rope/rope_method.h"

namespace ropescope {

struct CalibrationFile {
  std::filesystem::path path;
  bool hasPhase = false;
  bool hasLora = false;
  int loraRank = 0;
  std::optional<CalibrationOrigin> origin;  // none: the file does not say
};

// Errors: those of SafetensorsFile::open().
Result<CalibrationFile> describeCalibrationFile(const std::filesystem::path& path);

struct CalibrationFolder {
  std::vector<CalibrationFile> files;  // by path
  std::vector<std::string> problems;   // files that cannot be read, one sentence each
};

// All *.safetensors in the folder and its folders; empty when there is no such folder.
CalibrationFolder listCalibrations(const std::filesystem::path& folder);

// Trained for this model, method and factor: what a list offers by name.
bool wasTrainedFor(const CalibrationFile& file, const std::string& modelHash,
                   const std::string& method, double factor);

// The method, factor and parameters that a calibration was trained under. Files among the
// parameters are known by name alone and are looked for beside the calibration. Errors:
// InvalidArgument (the file does not say, or names a method or parameter that there is not),
// NotFound (a parameter's file is not there).
Result<rope::MethodChoice> trainedChoice(const CalibrationFile& file);

}  // namespace ropescope
