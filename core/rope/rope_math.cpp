#include "core/rope/rope_math.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace ropescope::rope {

std::vector<double> plainInvFreq(double base, int headDim) {
  std::vector<double> frequencies(static_cast<std::size_t>(headDim / 2));
  for (std::size_t pair = 0; pair < frequencies.size(); ++pair) {
    frequencies[pair] = std::pow(base, -2.0 * static_cast<double>(pair) / headDim);
  }
  return frequencies;
}

std::vector<double> plainInvFreq(const RopeContext& context) {
  return plainInvFreq(context.base, context.headDim);
}

double wavelength(double invFreq) {
  return invFreq > 0 ? 2.0 * std::numbers::pi / invFreq : std::numeric_limits<double>::infinity();
}

double turns(double invFreq, std::int64_t tokens) {
  return static_cast<double>(tokens) * invFreq / (2.0 * std::numbers::pi);
}

double ntkBase(double base, double factor, int headDim) {
  return base * std::pow(factor, static_cast<double>(headDim) / (headDim - 2));
}

RotaryPlan plainPlan(const RopeContext& context, const char* method) {
  RotaryPlan plan;
  plan.method = method;
  plan.context = context;
  plan.invFreq = plainInvFreq(context);
  return plan;
}

double numberOr(const ParameterValues& values, const char* name, double fallback) {
  const auto found = values.find(name);
  return found == values.end() ? fallback : std::get<double>(found->second);
}

bool flagOr(const ParameterValues& values, const char* name, bool fallback) {
  const auto found = values.find(name);
  return found == values.end() ? fallback : std::get<bool>(found->second);
}

bool hasValue(const ParameterValues& values, const char* name) { return values.contains(name); }

double RotaryPlan::angle(std::int64_t position, std::size_t pair) const {
  const double plain = std::pow(context.base, -2.0 * static_cast<double>(pair) / context.headDim);
  return static_cast<double>(position) * (position < unscaledTokens ? plain : invFreq[pair]);
}

double RotaryPlan::attentionFactorAt(std::int64_t position) const {
  return position < unscaledTokens ? 1.0 : attentionFactor;
}

bool RotaryPlan::sameRotation(const RotaryPlan& other) const {
  return context.base == other.context.base && invFreq == other.invFreq &&
         attentionFactor == other.attentionFactor && unscaledTokens == other.unscaledTokens;
}

}  // namespace ropescope::rope
