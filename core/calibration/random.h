// The project's random numbers, under their names in calibration.
#pragma once

#include "core/base/random.h"

namespace ropescope::calibration {

using ropescope::seedFor;
using ropescope::SplitMix;

}  // namespace ropescope::calibration
