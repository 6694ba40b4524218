// The RoPE block of config.json, in its old and new spelling.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

#include "core/base/result.h"
#include "core/model/model_config.h"

namespace ropescope {

// Reads `rope_parameters` (transformers 5) or `rope_scaling` + `rope_theta`, fills the RoPE fields of
// `config`. Errors: Unsupported names an unknown rope type; CorruptFile a field of a wrong kind.
Status readConfigRope(const nlohmann::json& json, const std::string& file, ModelConfig& config);

}  // namespace ropescope
