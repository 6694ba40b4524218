// One axis: where a value lies, which ticks to draw and how their numbers are written.
#pragma once

#include <string>
#include <vector>

namespace ropescope::picture {

enum class AxisScale { Linear, Log10, Log2 };

struct Tick {
  double value = 0;
  std::string text;  // empty: a mark without a number
};

struct Axis {
  AxisScale scale = AxisScale::Linear;
  double first = 0;  // value at the start of the axis
  double last = 1;
  std::vector<Tick> ticks = {};
  std::string label = {};  // with its unit

  // 0 at `first`, 1 at `last`; not clamped.
  double share(double value) const;
};

// Multiples of 1, 2 or 5 times a power of ten inside [low, high]; never more than `most` + 1.
std::vector<Tick> linearTicks(double low, double high, int most);

// Powers of ten, with 2 and 5 times them where `most` leaves room; plain steps over a short span.
std::vector<Tick> log10Ticks(double low, double high, int most);

// Powers of two of a token count: 512, 1k, 2k with k = 1,024.
std::vector<Tick> tokenTicks(double low, double high, int most);

// 12,345.60 for two decimals
std::string fixedText(double value, int decimals);
// 12,345 · 0.25 · 1e-4
std::string numberText(double value);
// 512 · 64k · 1M, where k = 1,024; other counts with separators: 1,000
std::string tokenText(double tokens);

}  // namespace ropescope::picture
