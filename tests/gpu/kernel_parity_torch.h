// The kernels by themselves against ATen and a dense softmax. Needs a GPU.
#pragma once

#include <string>

#include "tests/gpu/report.h"

namespace ropescope::gpu {

// Why there is no usable GPU; empty when there is one. Loads LibTorch's CUDA half.
std::string missingGpu();

void checkKernels(Report& report);

}  // namespace ropescope::gpu
