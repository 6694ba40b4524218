// The kernel library as the core sees it: function pointers, because it is loaded at run time and
// only where a GPU is (core/engine/cuda_kernels.h).
#pragma once

#include "core/cuda/attention_map_kernel.h"
#include "core/cuda/rotary_kernel.h"

namespace ropescope {

// Changes whenever a struct or function below does, so that an old library is refused.
inline constexpr int kCudaKernelsVersion = 1;

// All or none are set. The library stays loaded until the program ends.
struct CudaKernels {
  int (*attentionMap)(const cuda::AttentionMapArgs* args, void* stream) = nullptr;
  int (*rotate)(const cuda::RotaryArgs* args, void* stream) = nullptr;
  const char* (*errorText)(int error) = nullptr;  // of a cudaError_t; never null
};

}  // namespace ropescope

extern "C" int ropescopeCudaKernelsVersion();
extern "C" const char* ropescopeCudaErrorText(int error);
