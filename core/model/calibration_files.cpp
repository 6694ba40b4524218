#include "core/model/calibration_files.h"

#include <algorithm>
#include <cmath>
#include <system_error>

#include "core/model/safetensors.h"

namespace ropescope {
namespace {

namespace fs = std::filesystem;

// Tensor names of the paper's code: "…q_phase.up_phase", "…q_lora.A_lora" of [rank, in].
constexpr std::string_view kPhase = "_phase.";
constexpr std::string_view kLoraDown = ".A_lora";

}  // namespace

Result<CalibrationFile> describeCalibrationFile(const fs::path& path) {
  const auto file = SafetensorsFile::open(path);
  if (!file) return file.error();
  CalibrationFile described{.path = path, .origin = originFrom(file->metadata())};
  for (const auto& [name, tensor] : file->tensors()) {
    described.hasPhase = described.hasPhase || name.find(kPhase) != std::string::npos;
    if (!name.ends_with(kLoraDown) || tensor.shape.size() != 2) continue;
    described.hasLora = true;
    described.loraRank = static_cast<int>(tensor.shape.front());
  }
  return described;
}

CalibrationFolder listCalibrations(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (entry.path().extension() == ".safetensors") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  CalibrationFolder found;
  for (const fs::path& path : paths) {
    auto described = describeCalibrationFile(path);
    if (described) {
      found.files.push_back(*std::move(described));
    } else {
      found.problems.push_back(described.error().message);
    }
  }
  return found;
}

bool wasTrainedFor(const CalibrationFile& file, const std::string& modelHash,
                   const std::string& method, double factor) {
  constexpr double kRounding = 1e-9;  // a factor went through text
  return file.origin && file.origin->modelHash == modelHash && file.origin->method == method &&
         std::abs(file.origin->factor - factor) < kRounding;
}

}  // namespace ropescope
