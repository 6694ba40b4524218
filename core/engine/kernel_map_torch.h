// An attention map drawn by the CUDA kernel: one picture leaves the GPU, no score does.
#pragma once

#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/cuda/cuda_kernels.h"
#include "core/engine/session_torch.h"
#include "core/probe/attention_map.h"

namespace ropescope {

// The kernel takes the session's GPU and type; otherwise the map is drawn with ATen.
bool kernelMapServes(const Session::State& state);

// Fills `values` [height, width]. `request` is checked and not larger than its tokens. Queries are
// made slice by slice: O(n D) memory. Call without grad mode.
// Errors: Cancelled, Device.
Status drawKernelMap(const CudaKernels& kernels, const Session::State& state,
                     const MapRequest& request, std::vector<float>& values, const JobControl& job);

}  // namespace ropescope
