#include "core/calibration/training_state_torch.h"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "core/base/json_text.h"
#include "core/model/stored_tensor_torch.h"

namespace ropescope::calibration {
namespace {

constexpr const char* kMaster = "master/";
constexpr const char* kFirst = "first/";
constexpr const char* kSecond = "second/";

Status takeTensor(const SafetensorsFile& file, const std::string& name, const at::Tensor& like,
                  at::Tensor& target) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end() || found->second.shape != like.sizes().vec()) {
    return Error{ErrorCode::CorruptFile,
                 file.path().string() + ": '" + name + "' is missing or not " +
                     shapeText(like.sizes().vec()) + "; start anew without --resume"};
  }
  auto tensor =
      toTensor(file, name, found->second, {.device = like.device(), .dtype = like.scalar_type()});
  if (!tensor) return tensor.error();
  target = tensor->clone();  // not over the mapped file, which the next saving replaces
  return Done{};
}

Status sameSettings(const std::map<std::string, std::string>& saved,
                    const std::map<std::string, std::string>& wanted, const std::string& file) {
  for (const auto& [name, value] : wanted) {
    const auto found = saved.find(name);
    const std::string before = found == saved.end() ? "unknown" : found->second;
    if (before == value) continue;
    return Error{ErrorCode::InvalidArgument,
                 file + " belongs to a run whose " + name + " is " + before + ", here it is " +
                     value + "; resume with the same settings, or start anew without --resume"};
  }
  return Done{};
}

}  // namespace

Status saveState(const std::filesystem::path& path, const Trainable& trainable,
                 const TrainingState& state, const std::map<std::string, std::string>& settings) {
  std::map<std::string, at::Tensor> tensors;
  at::ScalarType type = at::kFloat;
  for (const auto& [name, master] : trainable.masters()) {
    type = master.scalar_type();
    const auto moment = [&](const std::map<std::string, at::Tensor>& moments) {
      const auto found = moments.find(name);
      return found == moments.end() ? at::zeros_like(master) : found->second;
    };
    tensors[kMaster + name] = master;
    tensors[kFirst + name] = moment(state.optimizer.first);
    tensors[kSecond + name] = moment(state.optimizer.second);
  }
  std::map<std::string, std::string> metadata{{"settings", nlohmann::json(settings).dump()},
                                              {"steps", std::to_string(state.optimizer.steps)},
                                              {"losses", nlohmann::json(state.losses).dump()},
                                              {"seconds", nlohmann::json(state.seconds).dump()}};
  return writeTensors(path, tensors, type, metadata);
}

Result<TrainingState> loadState(const std::filesystem::path& path, Trainable& trainable,
                                const std::map<std::string, std::string>& settings) {
  const auto file = SafetensorsFile::open(path);
  if (!file) return file.error();
  const std::string name = path.string();
  TrainingState state;
  try {
    const auto& metadata = file->metadata();
    const auto saved = nlohmann::json::parse(metadata.at("settings"));
    if (Status same = sameSettings(saved.get<std::map<std::string, std::string>>(), settings, name);
        !same) {
      return same.error();
    }
    state.losses = nlohmann::json::parse(metadata.at("losses")).get<std::vector<double>>();
    state.seconds = nlohmann::json::parse(metadata.at("seconds")).get<double>();
    state.optimizer.steps = std::stoll(metadata.at("steps"));
  } catch (const std::exception&) {
    return Error{ErrorCode::CorruptFile,
                 name + " is not the state of a training run; start anew without --resume"};
  }
  for (auto& [parameter, master] : trainable.masters()) {
    at::Tensor& first = state.optimizer.first[parameter];
    at::Tensor& second = state.optimizer.second[parameter];
    for (const Status& taken : {takeTensor(*file, kFirst + parameter, master, first),
                                takeTensor(*file, kSecond + parameter, master, second),
                                takeTensor(*file, kMaster + parameter, master, master)}) {
      if (!taken) return taken.error();
    }
  }
  return state;
}

}  // namespace ropescope::calibration
