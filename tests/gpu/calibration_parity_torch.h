// PSC, LoRA and the training step on the GPU against the CPU, with random tensors that move the
// losses.
#pragma once

#include "tests/gpu/engine_parity.h"
#include "tests/gpu/model_run.h"

namespace ropescope::gpu {

void checkCalibration(const ParityInput& input, ModelRuns& runs, Report& report);

}  // namespace ropescope::gpu
