#include "core/model/calibration_origin.h"

#include <charconv>

namespace ropescope {
namespace {

// Shortest text that reads back the same.
template <class Number>
std::string numberText(Number number) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  return {buffer, end};
}

template <class Number>
void read(const std::map<std::string, std::string>& metadata, const char* key, Number& number) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return;
  const std::string& text = found->second;
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) number = value;
}

std::string textAt(const std::map<std::string, std::string>& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string() : found->second;
}

}  // namespace

std::map<std::string, std::string> originMetadata(const CalibrationOrigin& origin) {
  return {{"format", "pt"},
          {"base_model_hash", origin.modelHash},
          {"base_model", origin.modelName},
          {"rope_method", origin.method},
          {"rope_parameters", origin.parameters},
          {"rope_factor", numberText(origin.factor)},
          {"original_length", numberText(origin.originalLength)},
          {"trained_context", numberText(origin.trainedContext)},
          {"lora_alpha", numberText(origin.loraAlpha)},
          {"steps", numberText(origin.steps)},
          {"tokens_per_step", numberText(origin.tokensPerStep)},
          {"seed", numberText(origin.seed)}};
}

std::optional<CalibrationOrigin> originFrom(const std::map<std::string, std::string>& metadata) {
  if (!metadata.contains("base_model_hash")) return std::nullopt;
  CalibrationOrigin origin{.modelHash = textAt(metadata, "base_model_hash"),
                           .modelName = textAt(metadata, "base_model"),
                           .method = textAt(metadata, "rope_method"),
                           .parameters = textAt(metadata, "rope_parameters")};
  read(metadata, "rope_factor", origin.factor);
  read(metadata, "original_length", origin.originalLength);
  read(metadata, "trained_context", origin.trainedContext);
  read(metadata, "lora_alpha", origin.loraAlpha);
  read(metadata, "steps", origin.steps);
  read(metadata, "tokens_per_step", origin.tokensPerStep);
  read(metadata, "seed", origin.seed);
  return origin;
}

Status checkModel(const CalibrationOrigin& origin, const std::string& file,
                  const std::string& modelHash, const std::string& modelName) {
  if (origin.modelHash == modelHash) return Done{};
  return Error{ErrorCode::InvalidArgument,
               file + " was trained for the model " + origin.modelName + " (hash " +
                   origin.modelHash.substr(0, 12) + "), " + modelName + " (hash " +
                   modelHash.substr(0, 12) +
                   ") is loaded; load that model, or use it all the same with --force"};
}

Status checkMethod(const CalibrationOrigin& origin, const std::string& file,
                   const rope::RotaryPlan& plan) {
  if (origin.method.empty() || origin.method == plan.method) return Done{};
  return Error{ErrorCode::InvalidArgument,
               file + " was trained under the RoPE method " + origin.method + ", " + plan.method +
                   " is chosen; choose " + origin.method + ", or use it all the same with --force"};
}

std::string factorNotice(const CalibrationOrigin& origin, const std::string& file,
                         const rope::RotaryPlan& plan) {
  if (origin.method != plan.method || origin.factor == plan.context.factor) return {};
  return file + " was trained with factor " + numberText(origin.factor) + ", factor " +
         numberText(plan.context.factor) + " is in use";
}

}  // namespace ropescope
