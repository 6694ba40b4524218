// Number formats of raw device memory, and the mark for code shared by host and device.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define ROPESCOPE_HOST_DEVICE __host__ __device__
#else
#define ROPESCOPE_HOST_DEVICE
#endif

namespace ropescope::cuda {

enum class ElementType : std::int32_t { Float32 = 0, BFloat16 = 1, Float16 = 2 };

}  // namespace ropescope::cuda
