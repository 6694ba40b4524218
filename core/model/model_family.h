// The seam for model families: adding one is adding one file to core/model/families.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/model_config.h"

namespace ropescope {

// Fills the shapes and switches of ModelConfig from config.json; RoPE is read for every family alike.
struct ModelFamily {
  std::string id;
  std::vector<std::string> modelTypes;     // "model_type" in config.json
  std::vector<std::string> architectures;  // "architectures"[0]
  Result<ModelConfig> (*read)(const nlohmann::json& json, const std::string& file) = nullptr;
};

// One per file in core/model/families.
std::vector<ModelFamily> allFamilies();

// Typed access to config.json for families. Errors name file, field, found and wanted.
Result<std::int64_t> wholeNumber(const nlohmann::json& json, const char* field,
                                 const std::string& file);
Result<std::int64_t> wholeNumberOr(const nlohmann::json& json, const char* field,
                                   std::int64_t fallback, const std::string& file);
Result<double> realNumberOr(const nlohmann::json& json, const char* field, double fallback,
                            const std::string& file);
Result<bool> flagOr(const nlohmann::json& json, const char* field, bool fallback,
                    const std::string& file);

}  // namespace ropescope
