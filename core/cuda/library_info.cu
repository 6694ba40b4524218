#include <cuda_runtime.h>

#include "core/cuda/cuda_kernels.h"

extern "C" int ropescopeCudaKernelsVersion() {
  return ropescope::kCudaKernelsVersion;
}

extern "C" const char* ropescopeCudaErrorText(int error) {
  return cudaGetErrorString(static_cast<cudaError_t>(error));
}
