// Finds the kernel library at run time. Call it only where a GPU is in use.
#pragma once

#include <filesystem>

#include "core/base/result.h"
#include "core/cuda/cuda_kernels.h"

namespace ropescope {

// libropescope_cuda.so from the program's own folder, else from the usual library folders.
// Errors: NotFound when there is none (then the ATen path serves), Device when it is there but does
// not load, CorruptFile when it belongs to another version of RopeScope.
Result<CudaKernels> loadCudaKernels();

// The same from a named file.
Result<CudaKernels> loadCudaKernelsFrom(const std::filesystem::path& library);

// What a kernel call returned, as Done or a Device error that names the call.
Status cudaStatus(const CudaKernels& kernels, const char* call, int error);

}  // namespace ropescope
