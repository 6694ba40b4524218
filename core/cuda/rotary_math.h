// One rotated pair, in float32 with every product and sum rounded, on host and device.
#pragma once

#include "core/cuda/rotary_kernel.h"

namespace ropescope::cuda {

// The compiler may fuse a * b + c on a GPU; then the result would not be ATen's.
ROPESCOPE_HOST_DEVICE inline float product(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

ROPESCOPE_HOST_DEVICE inline float sum(float a, float b) {
#if defined(__CUDA_ARCH__)
  return __fadd_rn(a, b);
#else
  return a + b;
#endif
}

// Rotates pair `index` of all T * H * P: pairs of a head first, then heads, then tokens.
template <class Scalar>
ROPESCOPE_HOST_DEVICE void rotatePair(const RotaryArgs& args, std::int64_t index) {
  const std::int64_t pair = index % args.pairs;
  const std::int64_t head = index / args.pairs % args.heads;
  const std::int64_t token = index / args.pairs / args.heads;
  const float cosine = args.cosTable[token * args.pairs + pair];
  const float sine = args.sinTable[token * args.pairs + pair];
  Scalar* x = static_cast<Scalar*>(args.x) + token * args.tokenStride + head * args.headStride;
  const float first = static_cast<float>(x[pair]);
  const float second = static_cast<float>(x[pair + args.pairs]);
  x[pair] = static_cast<Scalar>(sum(product(first, cosine), -product(second, sine)));
  x[pair + args.pairs] = static_cast<Scalar>(sum(product(second, cosine), product(first, sine)));
}

}  // namespace ropescope::cuda
