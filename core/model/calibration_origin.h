// Where a calibration comes from: what its file's metadata says about model, method and training.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/rope/rope_method.h"

namespace ropescope {

struct CalibrationOrigin {
  std::string modelHash;   // Engine::modelHash() of the base model
  std::string modelName;   // its folder, for sentences
  std::string method;      // id of the RoPE method that it was trained under
  std::string parameters;  // of the method, as text: "factors=best.csv"
  double factor = 1.0;
  std::int64_t originalLength = 0;  // tokens
  std::int64_t trainedContext = 0;  // tokens of a training window
  double loraAlpha = 16.0;
  std::int64_t steps = 0;
  std::int64_t tokensPerStep = 0;
  std::uint64_t seed = 0;
};

std::map<std::string, std::string> originMetadata(const CalibrationOrigin& origin);

// None when the metadata names no base model (the paper code's files).
std::optional<CalibrationOrigin> originFrom(const std::map<std::string, std::string>& metadata);

// InvalidArgument, with both named, when a calibration was trained for another model or method.
Status checkModel(const CalibrationOrigin& origin, const std::string& file,
                  const std::string& modelHash, const std::string& modelName);
Status checkMethod(const CalibrationOrigin& origin, const std::string& file,
                   const rope::RotaryPlan& plan);

// A sentence when method fits and the factor does not; empty otherwise.
std::string factorNotice(const CalibrationOrigin& origin, const std::string& file,
                         const rope::RotaryPlan& plan);

}  // namespace ropescope
