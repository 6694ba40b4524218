#include "core/eval/settings_json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "core/base/json_text.h"
#include "core/rope/rope_method.h"

namespace ropescope {
namespace {

using Json = nlohmann::json;

std::string rangeText(double least, double most) {
  const bool open = most >= static_cast<double>(std::numeric_limits<std::int64_t>::max());
  return "from " + rope::valueText(least) + (open ? "" : " to " + rope::valueText(most));
}

template <class Value>
Status checkOnce(const SettingsPlace& place, const char* key, const std::vector<Value>& values) {
  const std::set<Value> once(values.begin(), values.end());
  if (once.size() == values.size()) return Done{};
  return wrongSetting(place, std::string(key) + " holds a value twice; give each once");
}

}  // namespace

Error wrongSetting(const SettingsPlace& place, const std::string& what) {
  return Error{ErrorCode::InvalidArgument, place.name + ": " + what};
}

Status checkObject(const SettingsPlace& place, const std::vector<std::string>& known) {
  if (!place.json.is_object()) {
    return wrongSetting(place, "is " + shortText(place.json) + "; an object {…} is wanted");
  }
  for (const auto& [key, value] : place.json.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string names;
    for (const auto& name : known) names += (names.empty() ? "" : ", ") + name;
    return wrongSetting(place, "unknown key '" + key + "'; the known ones are " + names);
  }
  return Done{};
}

Status readWhole(const SettingsPlace& place, const char* key, std::int64_t least,
                 std::int64_t& value) {
  if (!place.json.contains(key)) return Done{};
  const Json& found = place.json[key];
  if (!found.is_number_integer() || found.get<std::int64_t>() < least) {
    return wrongSetting(place, std::string(key) + " is " + shortText(found) +
                                   "; a whole number of at least " + std::to_string(least) +
                                   " is wanted");
  }
  value = found.get<std::int64_t>();
  return Done{};
}

Status readWholes(const SettingsPlace& place, const char* key, const WholeRange& range,
                  std::vector<std::int64_t>& values) {
  if (!place.json.contains(key)) return Done{};
  const Json& list = place.json[key];
  const auto fits = [&](const Json& each) {
    return each.is_number_integer() && each.get<std::int64_t>() >= range.least &&
           each.get<std::int64_t>() <= range.most;
  };
  if (!list.is_array() || list.empty() || !std::all_of(list.begin(), list.end(), fits)) {
    return wrongSetting(
        place, std::string(key) + " is " + shortText(list) + "; a list of whole numbers " +
                   rangeText(static_cast<double>(range.least), static_cast<double>(range.most)) +
                   " is wanted");
  }
  values = list.get<std::vector<std::int64_t>>();
  return checkOnce(place, key, values);
}

Status readReals(const SettingsPlace& place, const char* key, const RealRange& range,
                 std::vector<double>& values) {
  if (!place.json.contains(key)) return Done{};
  const Json& list = place.json[key];
  const auto fits = [&](const Json& each) {
    return each.is_number() && each.get<double>() >= range.least &&
           each.get<double>() <= range.most;
  };
  if (!list.is_array() || list.empty() || !std::all_of(list.begin(), list.end(), fits)) {
    return wrongSetting(place, std::string(key) + " is " + shortText(list) +
                                   "; a list of numbers " + rangeText(range.least, range.most) +
                                   " is wanted");
  }
  values = list.get<std::vector<double>>();
  return checkOnce(place, key, values);
}

Status readTexts(const SettingsPlace& place, const char* key, std::vector<std::string>& values) {
  if (!place.json.contains(key)) return Done{};
  const Json& list = place.json[key];
  const auto fits = [](const Json& each) {
    return each.is_string() && !each.get_ref<const std::string&>().empty();
  };
  if (!list.is_array() || list.empty() || !std::all_of(list.begin(), list.end(), fits)) {
    return wrongSetting(
        place, std::string(key) + " is " + shortText(list) + "; a list of texts is wanted");
  }
  values = list.get<std::vector<std::string>>();
  return checkOnce(place, key, values);
}

}  // namespace ropescope
