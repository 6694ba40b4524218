// Student's t: what a number of standard errors is worth when the error itself is a guess.
#pragma once

#include <cstdint>

namespace ropescope {

// Probability that |T| <= t for `degrees` >= 1 degrees of freedom: the finite series of Abramowitz
// and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4. 0.861 for t = 2 and 3 degrees.
double studentWithin(double t, std::int64_t degrees);

}  // namespace ropescope
