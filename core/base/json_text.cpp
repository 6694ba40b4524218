#include "core/base/json_text.h"

#include <optional>

namespace ropescope {
namespace {

using Json = nlohmann::json;

constexpr int kDeepest = 64;
constexpr std::size_t kShort = 60;

// Null: no JSON. Sets `tooDeep` and gives null when nested beyond the limit.
std::optional<Json> parseLimited(std::string_view text, bool& tooDeep) {
  // Called at the start of every list and object with its depth.
  const auto watch = [&](int depth, Json::parse_event_t, const Json&) {
    tooDeep = tooDeep || depth > kDeepest;
    return !tooDeep;  // false: the value is dropped, so nothing deep is ever built
  };
  Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (tooDeep || json.is_discarded()) return std::nullopt;
  return json;
}

Error refusal(const std::string& name, bool tooDeep, const char* wanted) {
  return Error{ErrorCode::CorruptFile,
               tooDeep ? name + ": JSON nested deeper than " + std::to_string(kDeepest) +
                             " levels is not read"
                       : name + ": " + wanted + "; restore or download the file again"};
}

}  // namespace

Result<Json> parseJson(std::string_view text, const std::string& name) {
  bool tooDeep = false;
  auto json = parseLimited(text, tooDeep);
  if (!json) return refusal(name, tooDeep, "not valid JSON");
  return *std::move(json);
}

Result<Json> parseJsonObject(std::string_view text, const std::string& name) {
  bool tooDeep = false;
  auto json = parseLimited(text, tooDeep);
  if (!json || !json->is_object()) return refusal(name, tooDeep, "not a JSON object");
  return *std::move(json);
}

std::string shortText(const Json& value) {
  if (value.is_array()) return "a list of " + std::to_string(value.size());
  if (value.is_object()) return "an object of " + std::to_string(value.size()) + " fields";
  // Invalid UTF-8 in a string must not throw here.
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= kShort ? text : text.substr(0, kShort) + "...";
}

}  // namespace ropescope
