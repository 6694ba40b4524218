#include "core/rope/rope_method.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

namespace ropescope::rope {
namespace {

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

Error wrongValue(const ParameterSpec& spec, std::string_view found, const std::string& wanted) {
  return Error{ErrorCode::InvalidArgument,
               "parameter " + quoted(spec.name) + " is " + quoted(found) + "; " + wanted};
}

Result<double> parseNumber(const ParameterSpec& spec, std::string_view text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return wrongValue(spec, text, "a number is wanted");
  }
  return value;
}

Result<std::vector<double>> parseNumbers(const ParameterSpec& spec, std::string_view text) {
  std::vector<double> numbers;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto number = parseNumber(spec, text.substr(0, comma));
    if (!number) return number.error();
    numbers.push_back(*number);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  return numbers;
}

std::size_t alternativeOf(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::Flag:
      return 0;
    case ParameterKind::Number:
      return 1;
    case ParameterKind::Choice:
    case ParameterKind::File:
      return 2;
    case ParameterKind::Numbers:
      return 3;
  }
  return 1;
}

Status checkValue(const ParameterSpec& spec, const ParameterValue& value) {
  if (value.index() != alternativeOf(spec.kind)) {
    return wrongValue(spec, valueText(value), "that is not of its kind: " + spec.help);
  }
  if (spec.kind == ParameterKind::Number) {
    const double number = std::get<double>(value);
    if (!(number >= spec.minimum && number <= spec.maximum)) {
      return wrongValue(
          spec, valueText(value),
          "it must lie between " + valueText(spec.minimum) + " and " + valueText(spec.maximum));
    }
  }
  if (spec.kind == ParameterKind::Choice &&
      std::find(spec.choices.begin(), spec.choices.end(), std::get<std::string>(value)) ==
          spec.choices.end()) {
    std::string wanted = "one of these is wanted:";
    for (const auto& choice : spec.choices) wanted += " " + choice;
    return wrongValue(spec, valueText(value), wanted);
  }
  return Done{};
}

Status checkValues(const RopeMethod& method, const ParameterValues& values) {
  const auto specs = method.parameters();
  for (const auto& [name, value] : values) {
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&](const ParameterSpec& s) { return s.name == name; });
    if (spec == specs.end()) {
      std::string known;
      for (const auto& s : specs) known += (known.empty() ? "" : ", ") + s.name;
      return Error{ErrorCode::InvalidArgument, "method " + method.info().id +
                                                   " has no parameter '" + name + "'; it has " +
                                                   (known.empty() ? "none" : known)};
    }
    if (Status valid = checkValue(*spec, value); !valid) return valid;
  }
  return Done{};
}

Status checkContext(const RopeContext& context) {
  if (context.headDim < 4 || context.headDim % 2 != 0) {
    return Error{ErrorCode::InvalidArgument, "rotary dimensions are " +
                                                 std::to_string(context.headDim) +
                                                 "; an even number of at least 4 is wanted"};
  }
  if (!(context.base > 1.0) || !std::isfinite(context.base)) {
    return Error{ErrorCode::InvalidArgument,
                 "rope_theta is " + valueText(context.base) + "; a number above 1 is wanted"};
  }
  if (context.originalLength < 2 || context.plannedLength < 1) {
    return Error{ErrorCode::InvalidArgument,
                 "trained length " + std::to_string(context.originalLength) +
                     " and planned length " + std::to_string(context.plannedLength) +
                     " must be positive token counts"};
  }
  return Done{};
}

// Factors may lie within their bounds and still overflow together.
Status checkFinite(const RotaryPlan& plan) {
  for (std::size_t pair = 0; pair < plan.invFreq.size(); ++pair) {
    if (std::isfinite(plan.invFreq[pair])) continue;
    return Error{ErrorCode::InvalidArgument,
                 plan.method + ": the inverse frequency of pair " + std::to_string(pair) +
                     " is no finite number; choose parameters and factors nearer to 1"};
  }
  if (std::isfinite(plan.attentionFactor)) return Done{};
  return Error{ErrorCode::InvalidArgument,
               plan.method +
                   ": the attention factor is no finite number; choose parameters nearer "
                   "to 1"};
}

}  // namespace

std::unique_ptr<const RopeMethod> findMethod(std::string_view id) {
  for (auto& method : allMethods()) {
    if (method->info().id == id) return std::move(method);
  }
  return nullptr;
}

std::string methodIds() {
  std::string ids;
  for (const auto& method : allMethods()) ids += (ids.empty() ? "" : ", ") + method->info().id;
  return ids;
}

Result<RotaryPlan> makePlan(const MethodChoice& choice, RopeContext context) {
  const auto method = findMethod(choice.id);
  if (!method) {
    return Error{ErrorCode::InvalidArgument,
                 "there is no RoPE method '" + choice.id + "'; there are " + methodIds()};
  }
  if (Status valid = checkContext(context); !valid) return valid.error();
  if (Status valid = checkValues(*method, choice.values); !valid) return valid.error();
  const double ratio =
      static_cast<double>(context.plannedLength) / static_cast<double>(context.originalLength);
  context.factor = choice.factor.value_or(std::max(1.0, ratio));
  if (!method->info().takesFactor) context.factor = 1.0;
  if (!(context.factor >= 1.0) || !std::isfinite(context.factor)) {
    return Error{ErrorCode::InvalidArgument,
                 "the factor is " + valueText(context.factor) +
                     "; RoPE scaling stretches, so it must be 1 or larger"};
  }
  auto plan = method->plan(context, choice.values);
  if (!plan) return plan;
  if (Status finite = checkFinite(*plan); !finite) return finite.error();
  return plan;
}

Result<ParameterValue> parseValue(const ParameterSpec& spec, std::string_view text) {
  ParameterValue value;
  if (spec.kind == ParameterKind::Flag) {
    if (text != "true" && text != "false") return wrongValue(spec, text, "true or false is wanted");
    value = text == "true";
  } else if (spec.kind == ParameterKind::Number) {
    auto number = parseNumber(spec, text);
    if (!number) return number.error();
    value = *number;
  } else if (spec.kind == ParameterKind::Numbers) {
    auto numbers = parseNumbers(spec, text);
    if (!numbers) return numbers.error();
    value = *numbers;
  } else {
    value = std::string(text);
  }
  if (Status valid = checkValue(spec, value); !valid) return valid.error();
  return value;
}

std::string valueText(const ParameterValue& value) {
  std::ostringstream text;
  text.precision(17);
  if (const auto* flag = std::get_if<bool>(&value)) {
    text << (*flag ? "true" : "false");
  } else if (const auto* number = std::get_if<double>(&value)) {
    std::ostringstream shortest;
    shortest << *number;
    if (std::stod(shortest.str()) == *number) return shortest.str();
    text << *number;
  } else if (const auto* word = std::get_if<std::string>(&value)) {
    text << *word;
  } else {
    const auto& numbers = std::get<std::vector<double>>(value);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      text << (i == 0 ? "" : ",") << valueText(ParameterValue(numbers[i]));
    }
  }
  return text.str();
}

}  // namespace ropescope::rope
