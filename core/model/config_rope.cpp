#include "core/model/config_rope.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/json_text.h"
#include "core/model/model_family.h"

namespace ropescope {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kLongest = std::int64_t{1} << 32;  // tokens; no sum of two overflows

// The method that the block's rope type means; without a type, plain RoPE ("default").
Result<rope::MethodInfo> methodOf(const Json& block, const std::string& file) {
  // null counts as absent, as everywhere in the block.
  const bool newName = block.contains("rope_type") && !block["rope_type"].is_null();
  const char* key = newName ? "rope_type" : "type";
  std::string type = "default";
  if (block.contains(key) && !block[key].is_null()) {
    if (!block[key].is_string()) {
      return Error{ErrorCode::CorruptFile,
                   file + ": '" + key + "' is " + shortText(block[key]) + "; a name is wanted"};
    }
    type = block[key].get<std::string>();
  }
  std::string known;
  for (const auto& method : rope::allMethods()) {
    for (const std::string& name : method->info().configTypes) {
      if (type == name) return method->info();
      known += (known.empty() ? "" : ", ") + name;
    }
  }
  return Error{ErrorCode::Unsupported,
               file + ": the rope type is '" + type + "'; known here: " + known +
                   "; to read the model under another method (--rope), take the rope block out of "
                   "the file first"};
}

Result<rope::ParameterValue> valueOf(const Json& found, const rope::ParameterSpec& spec,
                                     const std::string& file) {
  if (spec.kind == rope::ParameterKind::Flag && found.is_boolean()) {
    return rope::ParameterValue(found.get<bool>());
  }
  if (spec.kind == rope::ParameterKind::Number && found.is_number()) {
    return rope::ParameterValue(found.get<double>());
  }
  if (spec.kind == rope::ParameterKind::Numbers && found.is_array() &&
      std::all_of(found.begin(), found.end(), [](const Json& item) { return item.is_number(); })) {
    return rope::ParameterValue(found.get<std::vector<double>>());
  }
  return Error{ErrorCode::CorruptFile, file + ": '" + spec.name + "' is " +
                                           shortText(found) + ", which is not of its kind: " + spec.help};
}

// The method's own parameters by their names in the block; everything else unknown is a warning.
Status readParameters(const Json& block, const std::string& file, ModelConfig& config) {
  std::set<std::string> known{"rope_type", "type", "rope_theta", "factor",
                              "original_max_position_embeddings", "partial_rotary_factor"};
  const auto method = rope::findMethod(config.rope.id);
  for (const rope::ParameterSpec& spec : method->parameters()) {
    known.insert(spec.name);
    if (!block.contains(spec.name) || block[spec.name].is_null()) continue;
    auto value = valueOf(block[spec.name], spec, file);
    if (!value) return value.error();
    if (spec.kind == rope::ParameterKind::Numbers) config.factorLists[spec.name] = *value;
    config.rope.values[spec.name] = *std::move(value);
  }
  for (const auto& [name, value] : block.items()) {
    if (!known.contains(name)) {
      config.warnings.push_back(file + ": '" + name + "' in the rope block is not used by " +
                                config.rope.id);
    }
  }
  return Done{};
}

// Root before block, as transformers does for Phi-3; null counts as absent.
Result<std::int64_t> originalLength(const Json& json, const Json& block, const std::string& file,
                                    std::int64_t fallback) {
  const auto inBlock =
      wholeNumberOr(block, "original_max_position_embeddings", fallback, file);
  if (!inBlock) return inBlock;
  return wholeNumberOr(json, "original_max_position_embeddings", *inBlock, file);
}

Status readFactor(const Json& block, const std::string& file, const rope::MethodInfo& method,
                  ModelConfig& config) {
  if (block.contains("factor") && !block["factor"].is_null()) {
    const auto factor = realNumberOr(block, "factor", 1.0, file);
    if (!factor) return factor.error();
    config.rope.factor = *factor;
  } else if (method.configOriginalLength) {
    config.rope.factor = std::max(1.0, static_cast<double>(config.maxPositions) /
                                           static_cast<double>(config.trainedLength));
  } else if (method.takesFactor) {
    return Error{ErrorCode::CorruptFile,
                 file + ": the rope block of method " + method.id + " has no 'factor'"};
  }
  return Done{};
}

}  // namespace

Status readConfigRope(const Json& json, const std::string& file, ModelConfig& config) {
  const auto maxPositions = wholeNumberOr(json, "max_position_embeddings", 2048, file);
  if (!maxPositions) return maxPositions.error();
  config.maxPositions = *maxPositions;
  if (config.maxPositions > kLongest) {
    return Error{ErrorCode::CorruptFile,
                 file + ": 'max_position_embeddings' is " + std::to_string(config.maxPositions) +
                     "; at most " + std::to_string(kLongest) + " tokens are believed"};
  }
  Json block = Json::object();
  for (const char* key : {"rope_scaling", "rope_parameters"}) {  // the new spelling wins
    if (!json.contains(key) || json[key].is_null()) continue;
    if (!json[key].is_object()) {
      return Error{ErrorCode::CorruptFile, file + ": '" + key + "' is " + shortText(json[key]) +
                                               "; an object or null is wanted"};
    }
    block = json[key];
  }
  const auto rootBase = realNumberOr(json, "rope_theta", 1e4, file);
  if (!rootBase) return rootBase.error();
  const auto base = realNumberOr(block, "rope_theta", *rootBase, file);
  if (!base) return base.error();
  config.ropeBase = *base;
  if (!(config.ropeBase > 1.0) || !std::isfinite(config.ropeBase)) {
    return Error{ErrorCode::CorruptFile, file + ": 'rope_theta' is " + rope::valueText(*base) +
                                             "; a number above 1 is wanted"};
  }
  for (const Json* source : {&json, static_cast<const Json*>(&block)}) {
    const auto partial = realNumberOr(*source, "partial_rotary_factor", 1.0, file);
    if (!partial) return partial.error();
    if (*partial != 1.0) {
      return Error{ErrorCode::Unsupported,
                   file + ": 'partial_rotary_factor' is " + std::to_string(*partial) +
                       "; only models that rotate the whole head (1.0) are known here"};
    }
  }
  const auto method = methodOf(block, file);
  if (!method) return method.error();
  config.rope.id = method->id;
  config.trainedLength = config.maxPositions;
  if (method->configOriginalLength) {
    const auto original = originalLength(json, block, file, config.maxPositions);
    if (!original) return original.error();
    config.trainedLength = *original;
  }
  if (config.trainedLength < 2 || config.trainedLength > kLongest) {
    return Error{ErrorCode::CorruptFile, file + ": the trained length is " +
                                             std::to_string(config.trainedLength) +
                                             " tokens; 2 to " + std::to_string(kLongest) + " are wanted"};
  }
  if (Status read = readFactor(block, file, *method, config); !read) return read;
  return readParameters(block, file, config);
}

}  // namespace ropescope
