#include "core/eval/sweep_measures.h"

#include <algorithm>
#include <string>

#include "core/base/json_text.h"

namespace ropescope {
namespace {

constexpr WholeRange kLengths{2, std::int64_t{1} << 26};

// Ascending, at least one.
Status readLengths(const SettingsPlace& place, std::vector<std::int64_t>& lengths) {
  if (Status read = readWholes(place, "lengths", kLengths, lengths); !read) return read;
  std::sort(lengths.begin(), lengths.end());
  if (!lengths.empty()) return Done{};
  return wrongSetting(place, "lengths are missing; [1024, 4096] is wanted");
}

Status readRecipe(const SettingsPlace& place, PasskeyRecipe& recipe) {
  if (!place.json.contains("recipe")) return Done{};
  const nlohmann::json& name = place.json["recipe"];
  const auto found = name.is_string() ? findRecipe(name.get<std::string>()) : std::nullopt;
  if (!found) {
    std::string names;
    for (const auto each : kPasskeyRecipes) {
      names += (names.empty() ? "" : ", ") + std::string(recipeName(each));
    }
    return wrongSetting(place, "recipe is " + shortText(name) + "; one of " + names + " is wanted");
  }
  recipe = *found;
  return Done{};
}

Status readYesNo(const SettingsPlace& place, const char* key, bool& value) {
  if (!place.json.contains(key)) return Done{};
  if (!place.json[key].is_boolean()) {
    return wrongSetting(place, std::string(key) + " is " + shortText(place.json[key]) +
                                   "; true or false is wanted");
  }
  value = place.json[key].get<bool>();
  return Done{};
}

Status readTypes(const SettingsPlace& place, std::vector<QuestionType>& types) {
  std::vector<std::string> names;
  if (Status read = readTexts(place, "types", names); !read) return read;
  if (names.empty()) return Done{};
  types.clear();
  for (const auto& name : names) {
    const auto type = findQuestionType(name);
    if (!type || std::find(types.begin(), types.end(), *type) != types.end()) {
      return wrongSetting(
          place,
          "types holds '" + name + "'; fact, word, quote, sentence are wanted, each once at most");
    }
    types.push_back(*type);
  }
  return Done{};
}

}  // namespace

Status readMeasure(const SettingsPlace& place, SweepPerplexity& measure) {
  if (Status object = checkObject(place, {"lengths", "windows_per_book"}); !object) return object;
  if (Status read = readLengths(place, measure.lengths); !read) return read;
  if (Status read = readWhole(place, "windows_per_book", 0, measure.windowsPerBook); !read) {
    return read;
  }
  return Done{};
}

Status readMeasure(const SettingsPlace& place, SweepPasskey& measure) {
  if (Status object =
          checkObject(place, {"recipe", "lengths", "depths", "trials", "seed", "answers"});
      !object) {
    return object;
  }
  if (Status read = readRecipe(place, measure.recipe); !read) return read;
  if (Status read = readLengths(place, measure.lengths); !read) return read;
  if (Status read = readReals(place, "depths", {0.0, 1.0}, measure.depths); !read) return read;
  std::sort(measure.depths.begin(), measure.depths.end());
  if (Status read = readWhole(place, "trials", 1, measure.trials); !read) return read;
  if (Status read = readWhole(place, "seed", 0, measure.seed); !read) return read;
  return readYesNo(place, "answers", measure.keepAnswers);
}

Status readMeasure(const SettingsPlace& place, SweepQuestions& measure) {
  if (Status object = checkObject(place, {"lengths", "types", "per_type", "seed", "answers"});
      !object) {
    return object;
  }
  if (Status read = readLengths(place, measure.lengths); !read) return read;
  if (Status read = readTypes(place, measure.types); !read) return read;
  if (Status read = readWhole(place, "per_type", 1, measure.perType); !read) return read;
  if (Status read = readWhole(place, "seed", 0, measure.seed); !read) return read;
  return readYesNo(place, "answers", measure.keepAnswers);
}

}  // namespace ropescope
