#include "core/model/model_config.h"

#include <algorithm>

#include "core/base/file_io.h"
#include "core/model/config_rope.h"
#include "core/model/model_family.h"

namespace ropescope {
namespace {

using Json = nlohmann::json;

Error wrongField(const std::string& file, const char* field, const Json& found,
                 const char* wanted) {
  return Error{ErrorCode::CorruptFile,
               file + ": '" + field + "' is " + found.dump() + "; " + wanted + " is wanted"};
}

Result<const ModelFamily*> familyOf(const Json& json, const std::vector<ModelFamily>& families,
                                    const std::string& file) {
  const std::string type = json.value("model_type", std::string());
  std::string architecture;
  if (json.contains("architectures") && json["architectures"].is_array() &&
      !json["architectures"].empty() && json["architectures"][0].is_string()) {
    architecture = json["architectures"][0].get<std::string>();
  }
  std::string known;
  for (const ModelFamily& family : families) {
    const auto has = [](const std::vector<std::string>& list, const std::string& name) {
      return std::find(list.begin(), list.end(), name) != list.end();
    };
    if (has(family.architectures, architecture) ||
        (architecture.empty() && has(family.modelTypes, type))) {
      return &family;
    }
    for (const auto& name : family.architectures) known += (known.empty() ? "" : ", ") + name;
  }
  return Error{ErrorCode::Unsupported,
               file + ": the architecture is '" + (architecture.empty() ? type : architecture) +
                   "'; known here: " + known};
}

// bos_token_id, and eos_token_id as one id or a list; generation_config.json goes before config.json.
Status readSpecialTokens(const std::filesystem::path& folder, const Json& json,
                         ModelConfig& config) {
  Json source = json;
  std::error_code ignored;
  const auto generation = folder / "generation_config.json";
  if (std::filesystem::exists(generation, ignored)) {
    const auto text = readFile(generation);
    if (!text) return text.error();
    const Json more = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
    if (!more.is_object()) {
      return Error{ErrorCode::CorruptFile, generation.string() + ": not a JSON object"};
    }
    for (const char* field : {"bos_token_id", "eos_token_id"}) {
      if (more.contains(field) && !more[field].is_null()) source[field] = more[field];
    }
  }
  if (source.contains("bos_token_id") && source["bos_token_id"].is_number_integer()) {
    config.bos = source["bos_token_id"].get<std::int32_t>();
  }
  const Json eos = source.contains("eos_token_id") ? source["eos_token_id"] : Json();
  if (eos.is_number_integer()) config.eos = {eos.get<std::int32_t>()};
  if (eos.is_array()) {
    for (const Json& id : eos) {
      if (!id.is_number_integer()) {
        return wrongField(folder.string(), "eos_token_id", eos, "a token id or a list of them");
      }
      config.eos.push_back(id.get<std::int32_t>());
    }
  }
  return Done{};
}

}  // namespace

Result<std::int64_t> wholeNumber(const Json& json, const char* field, const std::string& file) {
  const auto found = json.find(field);
  if (found == json.end()) {
    return Error{ErrorCode::CorruptFile, file + ": '" + field + "' is missing"};
  }
  if (!found->is_number_integer()) return wrongField(file, field, *found, "a whole number");
  return found->get<std::int64_t>();
}

Result<std::int64_t> wholeNumberOr(const Json& json, const char* field, std::int64_t fallback,
                                   const std::string& file) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return fallback;
  return wholeNumber(json, field, file);
}

Result<double> realNumberOr(const Json& json, const char* field, double fallback,
                            const std::string& file) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return fallback;
  if (!found->is_number()) return wrongField(file, field, *found, "a number");
  return found->get<double>();
}

Result<bool> flagOr(const Json& json, const char* field, bool fallback, const std::string& file) {
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return fallback;
  if (!found->is_boolean()) return wrongField(file, field, *found, "true or false");
  return found->get<bool>();
}

Result<ModelConfig> readModelConfig(const std::filesystem::path& folder) {
  const auto path = folder / "config.json";
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    return Error{ErrorCode::NotFound,
                 folder.string() + " is not a folder; a Hugging Face model folder with config.json "
                                   "and model.safetensors is wanted"};
  }
  const auto text = readFile(path);
  if (!text) return text.error();
  const Json json = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return Error{ErrorCode::CorruptFile, path.string() + ": not a JSON object"};
  }
  const auto families = allFamilies();
  const auto family = familyOf(json, families, path.string());
  if (!family) return family.error();
  auto config = (*family)->read(json, path.string());
  if (!config) return config;
  config->architecture = (*family)->architectures.front();
  if (Status read = readSpecialTokens(folder, json, *config); !read) return read.error();
  if (Status read = readConfigRope(json, path.string(), *config); !read) return read.error();
  return config;
}

}  // namespace ropescope
