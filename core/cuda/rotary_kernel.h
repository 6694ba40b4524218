// Rotates every head by its token's angles, in place (no torch, no cuda_runtime.h):
//   x[p]     <- x[p] * cos - x[p + P] * sin
//   x[p + P] <- x[p + P] * cos + x[p] * sin      cos, sin = table[token][p]
//
// Launch   256 threads per block, one thread per pair, strided over the grid
// Cost     reads and writes x once; the tables stay in cache
// Numerics products and sums in float32, each rounded (no fused multiply-add), result rounded once
//          to x's type; nothing trigonometric here, the tables come from double angles
// Oracle   rotary_math.h on the CPU (tests/cuda), the same products in ATen (tests/gpu), bit-equal
#pragma once

#include <cstdint>

#include "core/cuda/element_type.h"

namespace ropescope::cuda {

struct RotaryArgs {
  void* x = nullptr;                        // [T, H, D], D contiguous
  const float* cosTable = nullptr;          // [T, P] contiguous, attention factor included
  const float* sinTable = nullptr;          // [T, P] contiguous
  std::int64_t tokens = 0;                  // T
  std::int64_t tokenStride = 0;             // elements from one token of x to the next
  std::int64_t headStride = 0;              // elements from one head of x to the next
  std::int32_t heads = 0;                   // H
  std::int32_t pairs = 0;                   // P = D / 2
  ElementType type = ElementType::Float32;  // of x
  std::int32_t device = 0;                  // CUDA ordinal that all pointers belong to
};

}  // namespace ropescope::cuda

// `stream`: a cudaStream_t. Returns a cudaError_t; errors while running appear at the next call.
extern "C" int ropescopeCudaRotate(const ropescope::cuda::RotaryArgs* args, void* stream);
