#include "core/eval/curve_text.h"

#include <charconv>
#include <set>
#include <vector>

namespace ropescope {
namespace {

Error badCurve(std::string_view curve, const std::string& what) {
  return Error{ErrorCode::InvalidArgument, "curve '" + std::string(curve) + "': " + what};
}

Result<double> number(std::string_view curve, std::string_view name, std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return badCurve(curve,
                    std::string(name) + " is '" + std::string(text) + "'; a number is wanted");
  }
  return value;
}

// One name=value of a curve.
struct Setting {
  std::string_view curve;
  std::string_view name;
  std::string_view text;
};

Result<bool> switchedOn(const Setting& setting) {
  if (setting.text == "on" || setting.text == "off") return setting.text == "on";
  return badCurve(setting.curve, std::string(setting.name) + " is '" + std::string(setting.text) +
                                     "'; on or off is wanted");
}

Status setFactor(CurveDescription& curve, const Setting& setting) {
  curve.factorFollowsLength = setting.text == "auto";
  if (curve.factorFollowsLength) return Done{};
  const auto factor = number(setting.curve, setting.name, setting.text);
  if (!factor) return factor.error();
  curve.rope.factor = *factor;
  return Done{};
}

Status setStrength(CurveDescription& curve, const Setting& setting) {
  const auto strength = number(setting.curve, setting.name, setting.text);
  if (!strength) return strength.error();
  if (!(*strength >= 0.0 && *strength <= 2.0)) {
    return badCurve(setting.curve, "psc_strength is '" + std::string(setting.text) +
                                       "'; 0 (identity) to 1 (as trained), at most 2, is wanted");
  }
  curve.pscStrength = *strength;
  return Done{};
}

Status setSwitch(CurveDescription& curve, const Setting& setting) {
  if (setting.name == "force" && setting.text != "on") {
    return badCurve(setting.curve, "force is '" + std::string(setting.text) + "'; on is wanted");
  }
  const auto on = switchedOn(setting);
  if (!on) return on.error();
  (setting.name == "force" ? curve.calibrationForced : curve.lora) = *on;
  return Done{};
}

Status setParameter(CurveDescription& curve, const rope::RopeMethod& method,
                    const Setting& setting) {
  std::string known = "factor, calibration, psc_strength, lora, force";
  for (const rope::ParameterSpec& spec : method.parameters()) {
    known += ", " + spec.name;
    if (spec.name != setting.name) continue;
    auto value = rope::parseValue(spec, setting.text);
    if (!value) return badCurve(setting.curve, value.error().message);
    curve.rope.values[spec.name] = *std::move(value);
    return Done{};
  }
  return badCurve(setting.curve,
                  "unknown setting '" + std::string(setting.name) + "'; it has " + known);
}

Status setOne(CurveDescription& curve, const rope::RopeMethod& method, const Setting& setting) {
  if (setting.name == "factor") return setFactor(curve, setting);
  if (setting.name == "psc_strength") return setStrength(curve, setting);
  if (setting.name == "force" || setting.name == "lora") return setSwitch(curve, setting);
  if (setting.name != "calibration") return setParameter(curve, method, setting);
  if (setting.text.empty()) return badCurve(setting.curve, "calibration is ''; a file is wanted");
  curve.calibrationFile = setting.text;
  return Done{};
}

// Parts between commas.
std::vector<std::string_view> partsOf(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto comma = text.find(',');
    parts.push_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  return parts;
}

}  // namespace

bool operator==(const CurveDescription& a, const CurveDescription& b) {
  return a.rope.id == b.rope.id && a.rope.values == b.rope.values &&
         a.rope.factor == b.rope.factor && a.factorFollowsLength == b.factorFollowsLength &&
         a.calibrationFile == b.calibrationFile && a.calibrationForced == b.calibrationForced &&
         a.pscStrength == b.pscStrength && a.lora == b.lora;
}

Result<CurveDescription> readCurve(std::string_view text) {
  CurveDescription curve;
  const auto colon = text.find(':');
  curve.rope.id = std::string(text.substr(0, colon));
  const auto method = rope::findMethod(curve.rope.id);
  if (!method) {
    return badCurve(
        text, "there is no RoPE method '" + curve.rope.id + "'; there are " + rope::methodIds());
  }
  std::set<std::string_view> given;
  for (const auto part : partsOf(colon == std::string_view::npos ? "" : text.substr(colon + 1))) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) {
      return badCurve(text, "'" + std::string(part) + "' is not of the form name=value");
    }
    const Setting setting{text, part.substr(0, equals), part.substr(equals + 1)};
    if (!given.insert(setting.name).second) {
      return badCurve(text, "'" + std::string(setting.name) + "' is given twice; give it once");
    }
    if (Status set = setOne(curve, *method, setting); !set) return set.error();
  }
  for (const char* name : {"psc_strength", "lora", "force"}) {
    if (given.contains(name) && !given.contains("calibration")) {
      return badCurve(text, std::string(name) + " needs calibration=FILE in the same curve");
    }
  }
  const bool factorGiven = curve.rope.factor || curve.factorFollowsLength;
  if (factorGiven && !method->info().takesFactor) {
    return badCurve(text, "method " + curve.rope.id + " takes no factor; leave it out");
  }
  return curve;
}

Result<std::string> curveText(const CurveDescription& curve) {
  std::vector<std::pair<std::string, std::string>> settings;
  if (curve.factorFollowsLength) settings.emplace_back("factor", "auto");
  if (curve.rope.factor) settings.emplace_back("factor", rope::valueText(*curve.rope.factor));
  for (const auto& [name, value] : curve.rope.values) {
    settings.emplace_back(name, rope::valueText(value));
  }
  if (!curve.calibrationFile.empty()) {
    settings.emplace_back("calibration", curve.calibrationFile);
    if (curve.pscStrength != 1.0) {
      settings.emplace_back("psc_strength", rope::valueText(curve.pscStrength));
    }
    if (!curve.lora) settings.emplace_back("lora", "off");
    if (curve.calibrationForced) settings.emplace_back("force", "on");
  }
  std::string text = curve.rope.id;
  for (const auto& [name, value] : settings) {
    if (value.find_first_of(",;") != std::string::npos) {
      return Error{ErrorCode::InvalidArgument,
                   name + " is '" + value +
                       "'; a comma or a semicolon separates settings and curves and cannot stand "
                       "within one: name a file without"};
    }
    text += (text.size() == curve.rope.id.size() ? ":" : ",") + name + "=" + value;
  }
  return text;
}

}  // namespace ropescope
