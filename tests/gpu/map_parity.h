// Attention maps of the engine on the CPU against those on the GPU.
#pragma once

#include <vector>

#include "tests/gpu/engine_parity.h"
#include "tests/gpu/model_run.h"
#include "tests/gpu/report.h"

namespace ropescope::gpu {

void checkMaps(const ParityInput& input, ModelRuns& runs, Report& report);

// Largest distance of two pictures; infinite when their shapes or their masked cells differ.
double mapDifference(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace ropescope::gpu
