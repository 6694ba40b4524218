#include "core/eval/proportion.h"

#include <algorithm>
#include <cmath>

namespace ropescope {

ShareInterval wilsonInterval(std::int64_t right, std::int64_t asked) {
  if (asked <= 0) return {};
  constexpr double z = 1.959963984540054;  // of the standard normal at 0.975
  const auto n = static_cast<double>(asked);
  const double p = static_cast<double>(right) / n;
  const double middle = p + z * z / (2.0 * n);
  const double half = z * std::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
  const double scale = 1.0 + z * z / n;
  // At 0 and at n one end is exact; rounding may leave it just outside.
  return {right == 0 ? 0.0 : std::max(0.0, (middle - half) / scale),
          right == asked ? 1.0 : std::min(1.0, (middle + half) / scale)};
}

}  // namespace ropescope
