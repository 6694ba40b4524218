// A share of right answers with its interval.
#pragma once

#include <cstdint>

namespace ropescope {

struct ShareInterval {
  double low = 0.0;
  double high = 1.0;
};

// Wilson's score interval at 95 % (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927): with z = 1.96…,
//   (p + z^2 / 2n  -+  z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
// It stays within 0 and 1 and is honest for few answers and for none right. 0 to 1 for no answers.
ShareInterval wilsonInterval(std::int64_t right, std::int64_t asked);

}  // namespace ropescope
