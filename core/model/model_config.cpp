#include "core/model/model_config.h"

#include <algorithm>
#include <limits>

#include "core/base/file_io.h"
#include "core/base/json_text.h"
#include "core/model/config_rope.h"
#include "core/model/model_family.h"

namespace ropescope {
namespace {

using Json = nlohmann::json;

Error wrongField(const std::string& file, const char* field, const Json& found,
                 const char* wanted) {
  return Error{ErrorCode::CorruptFile,
               file + ": '" + field + "' is " + shortText(found) + "; " + wanted + " is wanted"};
}

Result<const ModelFamily*> familyOf(const Json& json, const std::vector<ModelFamily>& families,
                                    const std::string& file) {
  const auto typeField = json.find("model_type");
  const std::string type =
      typeField != json.end() && typeField->is_string() ? typeField->get<std::string>() : "";
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
                   "'; known here: " + known + "; choose a model of such an architecture"};
}

// One id or, for eos, a list of them; null and nothing mean that there is none.
Result<std::vector<std::int32_t>> readTokenIds(const Json& json, const char* field,
                                               const std::string& file) {
  std::vector<std::int32_t> ids;
  const auto found = json.find(field);
  if (found == json.end() || found->is_null()) return ids;
  for (const Json& id : found->is_array() ? *found : Json::array({*found})) {
    const std::int64_t number = id.is_number_integer() ? id.get<std::int64_t>() : -1;
    const bool fits = number >= 0 && number <= std::numeric_limits<std::int32_t>::max();
    if (!fits) return wrongField(file, field, *found, "a token id or a list of them");
    ids.push_back(static_cast<std::int32_t>(number));
  }
  return ids;
}

// generation_config.json goes before config.json.
Status readSpecialTokens(const std::filesystem::path& folder, const Json& json,
                         const std::string& file, ModelConfig& config) {
  struct Source {
    Json json;
    std::string file;
  };
  std::vector<Source> sources{{json, file}};
  std::error_code ignored;
  const auto generation = folder / "generation_config.json";
  if (std::filesystem::exists(generation, ignored)) {
    const auto text = readFile(generation);
    if (!text) return text.error();
    auto more = parseJsonObject(*text, generation.string());
    if (!more) return more.error();
    sources.push_back({*std::move(more), generation.string()});
  }
  for (const Source& source : sources) {
    const auto bos = readTokenIds(source.json, "bos_token_id", source.file);
    if (!bos) return bos.error();
    if (!bos->empty()) config.bos = bos->front();
    const auto eos = readTokenIds(source.json, "eos_token_id", source.file);
    if (!eos) return eos.error();
    if (!eos->empty()) config.eos = *eos;
  }
  // A model could never say an id beyond its vocabulary: answers would not end.
  std::vector<std::int32_t> ids = config.eos;
  if (config.bos >= 0) ids.push_back(config.bos);
  for (const std::int32_t id : ids) {
    if (id < config.vocabularySize) continue;
    return Error{ErrorCode::CorruptFile,
                 file + ": bos_token_id or eos_token_id is " + std::to_string(id) +
                     ", the vocabulary has " + std::to_string(config.vocabularySize) +
                     " ids (0 to " + std::to_string(config.vocabularySize - 1) +
                     "); restore the file, or correct it"};
  }
  return Done{};
}

}  // namespace

Result<std::int64_t> wholeNumber(const Json& json, const char* field, const std::string& file) {
  const auto found = json.find(field);
  if (found == json.end()) {
    return Error{ErrorCode::CorruptFile, file + ": '" + field + "' is missing"};
  }
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const bool tooLarge = found->is_number_unsigned() && found->get<std::uint64_t>() > kMost;
  if (!found->is_number_integer() || tooLarge) {
    return wrongField(file, field, *found, "a whole number");
  }
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
  const auto parsed = parseJsonObject(*text, path.string());
  if (!parsed) return parsed.error();
  const Json& json = *parsed;
  const auto families = allFamilies();
  const auto family = familyOf(json, families, path.string());
  if (!family) return family.error();
  auto config = (*family)->read(json, path.string());
  if (!config) return config;
  config->architecture = (*family)->architectures.front();
  if (Status read = readSpecialTokens(folder, json, path.string(), *config); !read) return read.error();
  if (Status read = readConfigRope(json, path.string(), *config); !read) return read.error();
  return config;
}

}  // namespace ropescope
