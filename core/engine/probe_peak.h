// What this machine can do at best, measured: the yardstick of every benchmark.
#pragma once

#include "core/base/result.h"
#include "core/engine/engine.h"

namespace ropescope {

// Best of several multiplications of two random 2,048 x 2,048 matrices (8,192 on a GPU) in the
// engine's type, on its device and threads: FLOP/s.
Result<double> measureMatrixPeak(const Engine& engine);

// Best of several sums over 512 MiB (4 GiB on a GPU), far larger than any cache: bytes/s.
Result<double> measureReadBandwidth(const Engine& engine);

}  // namespace ropescope
