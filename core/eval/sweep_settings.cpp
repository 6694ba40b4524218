#include "core/eval/sweep_settings.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "core/base/file_io.h"
#include "core/base/json_text.h"
#include "core/eval/settings_json.h"
#include "core/eval/sweep_measures.h"
#include "core/rope/rope_method.h"

namespace ropescope {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Place = SettingsPlace;

// One group of "settings".
struct Group {
  std::vector<std::string> methods;
  std::vector<std::optional<double>> factors{std::nullopt};
  std::vector<std::string> variants{kUntrained};
  std::vector<std::optional<std::int64_t>> seeds{std::nullopt};
  std::string calibration;
};

constexpr double kMostFactor = 1e6;

Status readFactors(const Place& place, Group& group) {
  std::vector<double> factors;
  if (Status read = readReals(place, "factors", {1.0, kMostFactor}, factors); !read) return read;
  if (!factors.empty()) group.factors.assign(factors.begin(), factors.end());
  return Done{};
}

Status readSeeds(const Place& place, Group& group) {
  std::vector<std::int64_t> seeds;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (Status read = readWholes(place, "seeds", {0, kMost}, seeds); !read) return read;
  if (!seeds.empty()) group.seeds.assign(seeds.begin(), seeds.end());
  return Done{};
}

// A list whose choice the calibration's name does not show would give one cell twice.
Status checkTemplate(const Place& place, const Group& group) {
  const bool trained = std::any_of(group.variants.begin(), group.variants.end(),
                                   [](const auto& variant) { return variant != kUntrained; });
  if (trained != !group.calibration.empty()) {
    return wrongSetting(place,
                        trained ? "variants other than untrained need a calibration, such as "
                                  "\"{method}-{factor}x-{variant}-seed{seed}.safetensors\""
                                : "a calibration belongs to variants such as [\"lora\", \"psc\"]");
  }
  const bool seeded = group.seeds.front().has_value();
  const bool shown = group.calibration.find("{seed}") != std::string::npos;
  if (seeded == shown) return Done{};
  return wrongSetting(place, seeded ? "seeds choose a calibration; put {seed} into its name"
                                    : "the calibration's name holds {seed}; give a list of seeds");
}

Result<Group> readGroup(const Place& place) {
  if (Status object =
          checkObject(place, {"methods", "factors", "variants", "seeds", "calibration"});
      !object) {
    return object.error();
  }
  Group group;
  if (Status read = readTexts(place, "methods", group.methods); !read) return read.error();
  if (group.methods.empty()) return wrongSetting(place, "methods are missing; [\"pi\", \"yarn\"]");
  if (Status read = readTexts(place, "variants", group.variants); !read) return read.error();
  if (Status read = readFactors(place, group); !read) return read.error();
  if (Status read = readSeeds(place, group); !read) return read.error();
  if (place.json.contains("calibration")) {
    if (!place.json["calibration"].is_string()) {
      return wrongSetting(place, "calibration is " + shortText(place.json["calibration"]) +
                                     "; a file name is wanted");
    }
    group.calibration = place.json["calibration"].get<std::string>();
  }
  if (Status fits = checkTemplate(place, group); !fits) return fits.error();
  return group;
}

struct Choice {
  std::string method;  // as in the group: "longrope:factors=x.json"
  std::optional<double> factor;
  std::string variant;
  std::optional<std::int64_t> seed;
};

std::string filled(std::string text, const Choice& choice) {
  const std::pair<std::string, std::string> marks[] = {
      {"{method}", choice.method.substr(0, choice.method.find(':'))},
      {"{factor}", choice.factor ? rope::valueText(*choice.factor) : ""},
      {"{variant}", choice.variant},
      {"{seed}", choice.seed ? std::to_string(*choice.seed) : ""}};
  for (const auto& [mark, value] : marks) {
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
      text.replace(at, mark.size(), value);
      at += value.size();
    }
  }
  return text;
}

// The parameters of a curve that name files.
std::set<std::string> fileParameters(const rope::RopeMethod& method) {
  std::set<std::string> names = {"calibration"};
  for (const rope::ParameterSpec& spec : method.parameters()) {
    if (spec.kind == rope::ParameterKind::File) names.insert(spec.name);
  }
  return names;
}

// Label, base and curve from "pi:factor=4,calibration=x/y.safetensors".
void nameSetting(const std::string& text, const std::set<std::string>& fileNames,
                 const fs::path& folder, SweepSetting& setting) {
  setting.label = setting.curve = setting.base = setting.method;
  const auto add = [](std::string& to, const std::string& part) {
    to += (to.find(':') == std::string::npos ? ":" : ",") + part;
  };
  for (std::size_t at = setting.method.size(); at < text.size();) {  // text[at] is ':' or ','
    const auto end = std::min(text.find(',', at + 1), text.size());
    const std::string part = text.substr(at + 1, end - at - 1);
    const std::string name = part.substr(0, part.find('='));
    std::string shown = part;
    std::string whole = part;
    if (fileNames.contains(name) && name.size() + 1 < part.size()) {
      const fs::path path = (folder / part.substr(name.size() + 1)).lexically_normal();
      shown = name + "=" + path.filename().string();
      whole = name + "=" + path.string();
      setting.files.push_back(path);
    }
    add(setting.label, shown);
    add(setting.curve, whole);
    if (name != "calibration") add(setting.base, shown);
    at = end;
  }
}

Result<SweepSetting> settingFor(const Place& place, const Group& group, const Choice& choice,
                                const fs::path& folder) {
  SweepSetting setting;
  setting.factor = choice.factor;
  setting.variant = choice.variant;
  setting.seed = choice.seed;
  std::string text = filled(choice.method, choice);
  setting.method = text.substr(0, text.find(':'));
  const auto method = rope::findMethod(setting.method);
  if (!method) {
    return wrongSetting(
        place, "there is no RoPE method '" + setting.method + "'; there are " + rope::methodIds());
  }
  const auto add = [&](const std::string& more) {
    text += (text.find(':') == std::string::npos ? ":" : ",") + more;
  };
  if (choice.factor) add("factor=" + rope::valueText(*choice.factor));
  setting.openFactor = method->info().takesFactor && text.find("factor=") == std::string::npos;
  if (choice.variant != kUntrained) add("calibration=" + filled(group.calibration, choice));
  nameSetting(text, fileParameters(*method), folder, setting);
  return setting;
}

Status addGroup(const Place& place, const fs::path& folder, std::vector<SweepSetting>& settings) {
  const auto group = readGroup(place);
  if (!group) return group.error();
  for (const auto& method : group->methods) {
    for (const auto& factor : group->factors) {
      for (const auto& variant : group->variants) {
        for (const auto& seed : group->seeds) {
          // Without a calibration there is nothing that a seed would change.
          const bool untrained = variant == kUntrained;
          if (untrained && seed != group->seeds.front()) continue;
          const Choice choice{method, factor, variant, untrained ? std::nullopt : seed};
          auto setting = settingFor(place, *group, choice, folder);
          if (!setting) return setting.error();
          settings.push_back(*std::move(setting));
        }
      }
    }
  }
  return Done{};
}

Status readSettings(const Place& file, const fs::path& folder, SweepSettings& sweep) {
  if (!file.json.contains("settings") || !file.json["settings"].is_array() ||
      file.json["settings"].empty()) {
    return wrongSetting(file,
                        "settings are missing; a list such as [{\"methods\": [\"pi\", \"yarn\"], "
                        "\"factors\": [4]}] is wanted");
  }
  const Json& groups = file.json["settings"];
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const Place place{file.name + ": settings[" + std::to_string(i) + "]", groups[i]};
    if (Status added = addGroup(place, folder, sweep.settings); !added) return added;
  }
  std::map<std::string, std::string> curves;  // by label
  for (const SweepSetting& setting : sweep.settings) {
    const auto [known, fresh] = curves.emplace(setting.label, setting.curve);
    if (fresh) continue;
    if (known->second == setting.curve) {
      return wrongSetting(file,
                          "the setting " + setting.label + " stands there twice; leave one out");
    }
    return wrongSetting(file, "two settings are " + setting.label + ", " + known->second + " and " +
                                  setting.curve + "; results tell files apart by name, rename one");
  }
  return Done{};
}

template <class Measure>
Status readOptional(const Place& file, const char* key, std::optional<Measure>& measure) {
  if (!file.json.contains(key)) return Done{};
  return readMeasure({file.name + ": " + key, file.json[key]}, measure.emplace());
}

}  // namespace

std::int64_t longestLength(const SweepSettings& settings) {
  std::int64_t longest = 0;
  const auto add = [&](const auto& measure) {
    if (measure) longest = std::max(longest, measure->lengths.back());
  };
  add(settings.perplexity);
  add(settings.passkey);
  add(settings.questions);
  return longest;
}

Result<SweepSettings> readSweepSettings(const fs::path& path) {
  const auto text = readFile(path);
  if (!text) return text.error();
  const auto json = parseJsonObject(*text, path.string());
  if (!json) return json.error();
  const Place file{path.string(), *json};
  SweepSettings sweep;
  for (const Status& read :
       {checkObject(file, {"settings", "books", "perplexity", "passkey", "questions"}),
        readTexts(file, "books", sweep.books), readSettings(file, path.parent_path(), sweep),
        readOptional(file, "perplexity", sweep.perplexity),
        readOptional(file, "passkey", sweep.passkey),
        readOptional(file, "questions", sweep.questions)}) {
    if (!read) return read.error();
  }
  if (sweep.perplexity || sweep.passkey || sweep.questions) return sweep;
  return wrongSetting(file, "nothing is to be measured; give perplexity, passkey or questions");
}

}  // namespace ropescope
