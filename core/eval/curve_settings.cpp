// "yarn:factor=4,beta_fast=16,calibration=FILE" to CurveSettings.
#include <algorithm>
#include <charconv>
#include <set>

#include "core/eval/perplexity.h"

namespace ropescope {
namespace {

Error badCurve(std::string_view curve, const std::string& what) {
  return Error{ErrorCode::InvalidArgument, "curve '" + std::string(curve) + "': " + what};
}

Result<double> number(std::string_view curve, std::string_view name, std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return badCurve(curve, std::string(name) + " is '" + std::string(text) +
                               "'; a number is wanted");
  }
  return value;
}

struct CalibrationChoice {
  std::optional<std::string> calibration;  // file
  OriginCheck check = OriginCheck::Enforce;
};

// Everything that is not a parameter of the method itself. False when `name` is none of these.
Result<bool> setCommon(CurveSettings& settings, std::string_view name, std::string_view text,
                       CalibrationChoice& files) {
  if (name == "factor") {
    settings.factorFollowsLength = text == "auto";
    if (settings.factorFollowsLength) return true;
    const auto factor = number(settings.label, name, text);
    if (!factor) return factor.error();
    settings.rope.factor = *factor;
    return true;
  }
  if (name == "calibration") {
    files.calibration = text;
    return true;
  }
  if (name == "force") {
    if (text != "on") {
      return badCurve(settings.label, "force is '" + std::string(text) + "'; on is wanted");
    }
    files.check = OriginCheck::Ignore;
    return true;
  }
  if (name == "psc_strength") {
    const auto strength = number(settings.label, name, text);
    if (!strength) return strength.error();
    if (!(*strength >= 0.0 && *strength <= 2.0)) {
      return badCurve(settings.label, "psc_strength is '" + std::string(text) +
                                          "'; 0 (identity) to 1 (as trained), at most 2, is wanted");
    }
    settings.pscStrength = *strength;
    return true;
  }
  if (name == "lora") {
    if (text != "on" && text != "off") {
      return badCurve(settings.label, "lora is '" + std::string(text) + "'; on or off is wanted");
    }
    settings.lora = text == "on";
    return true;
  }
  return false;
}

Status setOne(CurveSettings& settings, const rope::RopeMethod& method, std::string_view part,
              CalibrationChoice& files, std::set<std::string>& given) {
  const auto equals = part.find('=');
  if (equals == std::string_view::npos) {
    return badCurve(settings.label, "'" + std::string(part) + "' is not of the form name=value");
  }
  const std::string_view name = part.substr(0, equals);
  const std::string_view text = part.substr(equals + 1);
  if (!given.insert(std::string(name)).second) {
    return badCurve(settings.label, "'" + std::string(name) + "' is given twice; give it once");
  }
  const auto common = setCommon(settings, name, text, files);
  if (!common) return common.error();
  if (*common) return Done{};
  std::string known = "factor, calibration, psc_strength, lora, force";
  for (const rope::ParameterSpec& spec : method.parameters()) {
    known += ", " + spec.name;
    if (spec.name != name) continue;
    auto value = rope::parseValue(spec, text);
    if (!value) return badCurve(settings.label, value.error().message);
    settings.rope.values[spec.name] = *std::move(value);
    return Done{};
  }
  return badCurve(settings.label, "unknown setting '" + std::string(name) + "'; it has " + known);
}

}  // namespace

Result<CurveSettings> parseCurve(std::string_view text, const Engine& engine) {
  CurveSettings settings;
  settings.label = std::string(text);
  const auto colon = text.find(':');
  settings.rope.id = std::string(text.substr(0, colon));
  const auto method = rope::findMethod(settings.rope.id);
  if (!method) {
    return badCurve(text, "there is no RoPE method '" + settings.rope.id + "'; there are " +
                              rope::methodIds());
  }
  std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  std::set<std::string> given;
  CalibrationChoice files;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    if (Status set = setOne(settings, *method, rest.substr(0, comma), files, given); !set) {
      return set.error();
    }
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  for (const char* name : {"psc_strength", "lora", "force"}) {
    if (given.contains(name) && !files.calibration) {
      return badCurve(text, std::string(name) + " needs calibration=FILE in the same curve");
    }
  }
  if (files.calibration) {
    auto calibration = engine.loadCalibration(*files.calibration, files.check);
    if (!calibration) return calibration.error();
    settings.calibration = *std::move(calibration);
  }
  const bool factorGiven = settings.rope.factor || settings.factorFollowsLength;
  if (factorGiven && !method->info().takesFactor) {
    return badCurve(text, "method " + settings.rope.id + " takes no factor; leave it out");
  }
  return settings;
}

rope::MethodChoice decidedChoice(const CurveSettings& settings, const Engine& engine,
                                 std::int64_t longest) {
  rope::MethodChoice choice = settings.rope;
  const auto method = rope::findMethod(choice.id);
  if (settings.factorFollowsLength) {
    choice.factor.reset();
  } else if (!choice.factor && method && method->info().takesFactor) {
    choice.factor = std::max(
        1.0, static_cast<double>(longest) / static_cast<double>(engine.config().trainedLength));
  }
  return choice;
}

}  // namespace ropescope
