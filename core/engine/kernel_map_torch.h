// Attention maps drawn by the CUDA kernel: pictures leave the GPU, no score does.
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

// Fills the values of maps of one layer that differ in their heads only. Their requests are checked
// and not larger than their tokens. Queries are made slice by slice, once for all heads: O(n D)
// memory. Call without grad mode. Errors: Cancelled, Device.
Status drawKernelMaps(const CudaKernels& kernels, const Session::State& state,
                      std::vector<AttentionMap>& maps, const JobControl& job);

}  // namespace ropescope
