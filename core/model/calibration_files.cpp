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

Error refuse(const CalibrationFile& file, const std::string& text) {
  return Error{ErrorCode::InvalidArgument, file.path.filename().string() + " " + text};
}

Result<rope::ParameterValue> trainedValue(const CalibrationFile& file,
                                          const rope::ParameterSpec& spec,
                                          const std::string& text) {
  if (spec.kind != rope::ParameterKind::File) return rope::parseValue(spec, text);
  const fs::path beside = file.path.parent_path() / text;
  std::error_code error;
  if (fs::exists(beside, error)) return rope::ParameterValue(beside.string());
  return Error{ErrorCode::NotFound, file.path.filename().string() + " was trained with the " +
                                        spec.name + " of " + text + ", which is not in " +
                                        file.path.parent_path().string() + "; put it there"};
}

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

Result<rope::MethodChoice> trainedChoice(const CalibrationFile& file) {
  if (!file.origin) return refuse(file, "does not say which RoPE method it was trained under");
  const auto method = rope::findMethod(file.origin->method);
  if (!method) {
    return refuse(file, "was trained under the RoPE method " + file.origin->method +
                            ", there are " + rope::methodIds());
  }
  rope::MethodChoice choice{.id = file.origin->method, .values = {}, .factor = file.origin->factor};
  const auto specs = method->parameters();
  std::string_view rest = file.origin->parameters;  // "name=value, name=value"
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(", "), rest.size());
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(std::min(rest.size(), end + 2));
    const std::size_t equals = one.find('=');
    const auto spec = std::find_if(specs.begin(), specs.end(), [&](const auto& each) {
      return each.name == one.substr(0, equals);
    });
    if (equals == std::string_view::npos || spec == specs.end()) {
      return refuse(file,
                    "names '" + std::string(one) + "', which " + choice.id + " does not take");
    }
    auto value = trainedValue(file, *spec, std::string(one.substr(equals + 1)));
    if (!value) return value.error();
    choice.values[spec->name] = *std::move(value);
  }
  return choice;
}

}  // namespace ropescope
