// Exact attention in bfloat16 on x86-64 CPUs with AVX512-BF16, forward and backward. Memory grows
// with the tokens, not with their square.
//
// Products are of bfloat16 values with float32 sums, the softmax is float32. The result depends on
// the inputs, the sizes and what multiplies (see Products), not on how many threads `ParallelFor`
// uses.
#pragma once

#include <cstdint>
#include <functional>

#include "core/base/result.h"

namespace ropescope::cpu {

using Bfloat16 = std::uint16_t;  // the upper half of a float32

// Runs work(begin, end) over parts of 0 … count - 1 that cover it once, in any order, at once or
// one after the other; returns when all are done.
using RangeWork = std::function<void(std::int64_t begin, std::int64_t end)>;
using ParallelFor = std::function<void(std::int64_t count, const RangeWork& work)>;

// What multiplies. Both give the same up to the order of float32 sums.
enum class Products {
  Fastest,  // matrix tiles (AMX) where attentionTilesSupported() and the head size allow them
  Vectors,
};

enum class Mask {
  None,
  Causal,  // the last T of S tokens ask: query t sees keys 0 … S - T + t
};

struct AttentionSizes {
  std::int64_t heads = 0;    // H
  std::int64_t kvHeads = 0;  // G: query head h reads key head h / (H / G)
  std::int64_t tokens = 0;   // T queries
  std::int64_t keys = 0;     // S
  int headDim = 0;           // D, see attentionHeadSize()
  double scale = 0.0;        // of q · k, mostly 1 / sqrt(D)
  Mask mask = Mask::Causal;
  Products products = Products::Fastest;
};

// [heads, tokens, D] with the last dimension contiguous; strides in values.
template <class Value>
struct HeadsOf {
  Value* data = nullptr;
  std::int64_t headStride = 0;
  std::int64_t tokenStride = 0;

  Value* row(std::int64_t head, std::int64_t token) const {
    return data + head * headStride + token * tokenStride;
  }
};
using Heads = HeadsOf<const Bfloat16>;
using MutableHeads = HeadsOf<Bfloat16>;

struct AttentionForward {
  Heads q;
  Heads k;
  Heads v;
  MutableHeads output;         // [H, T, D]
  float* logSumExp = nullptr;  // [H, T] contiguous, natural log
};

struct AttentionBackward {
  Heads gradOutput;  // [H, T, D]
  Heads q;
  Heads k;
  Heads v;
  Heads output;                      // of the forward pass
  const float* logSumExp = nullptr;  // of the forward pass
  MutableHeads gradQ;                // [H, T, D]
  MutableHeads gradK;                // [G, S, D], summed over the query heads of a key head
  MutableHeads gradV;                // [G, S, D]
};

// Whether this build and this CPU can: x86-64 with AVX-512 F, BW, DQ, VL and BF16.
bool attentionBf16Supported();

// Whether products can be made in matrix tiles: Linux on a CPU with AMX-BF16. The first call asks
// the kernel to let this process use them.
bool attentionTilesSupported();

constexpr bool attentionHeadSize(std::int64_t headDim) {
  return headDim >= 16 && headDim <= 256 && headDim % 16 == 0;
}
constexpr bool attentionTilesHeadSize(std::int64_t headDim) {
  return headDim % 32 == 0;
}

// The error names the size that the passes do not take.
Status checkAttentionSizes(const AttentionSizes& sizes);

Status attendBf16(const AttentionSizes& sizes, const AttentionForward& pass,
                  const ParallelFor& parallelFor);

// Only with Mask::Causal.
Status attendBf16Backward(const AttentionSizes& sizes, const AttentionBackward& pass,
                          const ParallelFor& parallelFor);

}  // namespace ropescope::cpu
