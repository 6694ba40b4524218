#include "core/picture/axis.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace ropescope::picture {
namespace {

std::string withSeparators(const std::string& number) {
  const std::size_t start = number.starts_with('-') ? 1 : 0;
  std::size_t end = number.find('.');
  if (end == std::string::npos) end = number.size();
  std::string text;
  for (std::size_t i = 0; i < number.size(); ++i) {
    if (i > start && i < end && (end - i) % 3 == 0) text += ',';
    text += number[i];
  }
  return text;
}

// The smallest of 1, 2, 5 times a power of ten that is not below `wanted`.
double niceStep(double wanted) {
  const double power = std::pow(10.0, std::floor(std::log10(wanted)));
  constexpr double kSlack = 1 + 1e-9;  // 0.2 / 0.1 must count as 2
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power * kSlack >= wanted) return factor * power;
  }
  return 10 * power;
}

// Every `stride`-th power keeps its number, the zeroth always.
bool keepsNumber(int index, int stride) {
  return ((index % stride) + stride) % stride == 0;
}

}  // namespace

double Axis::share(double value) const {
  if (scale == AxisScale::Linear) return (value - first) / (last - first);
  return std::log(value / first) / std::log(last / first);
}

std::string fixedText(double value, int decimals) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  return withSeparators(std::string(buffer) == "-0" ? "0" : buffer);
}

std::string numberText(double value) {
  if (!std::isfinite(value)) return std::isnan(value) ? "not a number" : value > 0 ? "∞" : "-∞";
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e7)) {
    char buffer[64];
    int exponent = static_cast<int>(std::floor(std::log10(size) + 1e-12));
    const double mantissa = value / std::pow(10.0, exponent);
    std::snprintf(buffer, sizeof buffer, "%.3g", mantissa);
    std::string text = buffer;
    if (text == "10" || text == "-10") {
      text.pop_back();
      ++exponent;
    }
    return text + "e" + std::to_string(exponent);
  }
  if (size == 0 || size == std::floor(size)) return fixedText(value, 0);
  // Four significant digits, no trailing zeros.
  const int decimals = std::max(0, 3 - static_cast<int>(std::floor(std::log10(size))));
  std::string text = fixedText(value, decimals);
  if (text.find('.') == std::string::npos) return text;
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string tokenText(double tokens) {
  constexpr double kKilo = 1024;
  const double thousands = tokens / kKilo;
  const double millions = thousands / kKilo;
  const auto whole = [](double v) { return v >= 1 && v == std::floor(v); };
  if (whole(millions)) return fixedText(millions, 0) + "M";
  if (whole(thousands)) return fixedText(thousands, 0) + "k";
  return fixedText(tokens, tokens == std::floor(tokens) ? 0 : 1);
}

std::vector<Tick> linearTicks(double low, double high, int most) {
  if (!(high > low)) return {};
  const double step = niceStep((high - low) / std::max(1, most));
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  std::vector<Tick> ticks;
  const double slack = step * 1e-6;  // the ends themselves are inside
  for (double i = std::ceil((low - slack) / step); i * step <= high + slack; ++i) {
    const double value = i * step;
    const bool plain = std::max(std::abs(low), std::abs(high)) < 1e7 && step >= 1e-3;
    ticks.push_back({value, plain ? fixedText(value, decimals) : numberText(value)});
  }
  return ticks;
}

std::vector<Tick> log10Ticks(double low, double high, int most) {
  if (!(low > 0) || !(high > low)) return {};
  const double decades = std::log10(high / low);
  if (decades < 0.7) return linearTicks(low, high, most);
  const bool fine = 3 * decades <= most;
  const int stride = std::max(1, static_cast<int>(std::ceil(decades / std::max(1, most))));
  std::vector<Tick> ticks;
  const int from = static_cast<int>(std::floor(std::log10(low)));
  for (int exponent = from; exponent <= static_cast<int>(std::ceil(std::log10(high))); ++exponent) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor != 1.0 && !fine) continue;
      const double value = factor * std::pow(10.0, exponent);
      if (value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) continue;
      ticks.push_back({value, keepsNumber(exponent, stride) ? numberText(value) : ""});
    }
  }
  return ticks;
}

std::vector<Tick> tokenTicks(double low, double high, int most) {
  if (!(low > 0) || !(high > low)) return {};
  const double octaves = std::log2(high / low);
  const int stride = std::max(1, static_cast<int>(std::ceil(octaves / std::max(1, most))));
  std::vector<Tick> ticks;
  const int from = static_cast<int>(std::ceil(std::log2(low) - 1e-9));
  for (int exponent = from; std::exp2(exponent) <= high * (1 + 1e-9); ++exponent) {
    if (exponent < 0) continue;
    const double value = std::exp2(exponent);
    ticks.push_back({value, keepsNumber(exponent, stride) ? tokenText(value) : ""});
  }
  if (ticks.size() < 2) {
    ticks.clear();
    for (const Tick& tick : linearTicks(low, high, most)) {
      ticks.push_back({tick.value, tokenText(tick.value)});
    }
  }
  return ticks;
}

}  // namespace ropescope::picture
