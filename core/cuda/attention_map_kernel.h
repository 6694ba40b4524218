// Pooled attention map of one head (no torch, no cuda_runtime.h).
//
//   weight(i, j) = exp(scale * q_i . k_j - lse_i)   for keys j <= i, absolute positions
//   cell         = max or mean of its unmasked weights; NaN where it has none
//
// Layout   cell r of n over [begin, end) starts at begin + floor(r (end - begin) / n)
// Launch   one block of 256 threads per row cell and group of column cells; 64 x 64 score tiles
// Cost     2 D FLOP per unmasked pair, at least 64 queries and keys at a time; no n x n memory
// Numerics products and sums over D in float32, sums over a cell's columns in double, one order:
//          the same input gives the same bits. max takes one exp per cell, mean one per pair
// Oracle   map_tile.h on the CPU (tests/cuda), dense softmax (tests/gpu)
#pragma once

#include <cstdint>

#include "core/cuda/element_type.h"

namespace ropescope::cuda {

enum class MapReducer : std::int32_t { Max = 0, Mean = 1 };

// A picture may be drawn in slices of rows: then q, lse hold the slice's queries alone.
struct AttentionMapArgs {
  const void* q = nullptr;       // [Tq, D] rotated; row i is the query at firstQuery + i
  const void* k = nullptr;       // [S, D] rotated, of the KV head; row j is the key at position j
  const float* lse = nullptr;    // [Tq] natural log-sum-exp of the query's whole row
  float* out = nullptr;          // [height, width]; only rows rowBegin … rowEnd - 1 are written
  std::int64_t queryStride = 0;  // elements from one row of q to the next
  std::int64_t keyStride = 0;    // elements from one row of k to the next
  std::int64_t firstQuery = 0;   // position of q's row 0
  std::int64_t queryBegin = 0;   // the picture's queries, half-open
  std::int64_t queryEnd = 0;
  std::int64_t keyBegin = 0;  // the picture's keys, half-open
  std::int64_t keyEnd = 0;
  std::int32_t height = 0;    // cells over the queries, at most their number
  std::int32_t width = 0;     // cells over the keys, at most their number
  std::int32_t rowBegin = 0;  // cells to draw now, half-open
  std::int32_t rowEnd = 0;
  std::int32_t headDim = 0;                 // D
  float scale = 0.0F;                       // 1 / sqrt(D)
  ElementType type = ElementType::Float32;  // of q and k
  MapReducer reducer = MapReducer::Max;
  std::int32_t device = 0;  // CUDA ordinal that all pointers belong to
};

}  // namespace ropescope::cuda

// `stream`: a cudaStream_t. Returns a cudaError_t; errors while running appear at the next call.
extern "C" int ropescopeCudaAttentionMap(const ropescope::cuda::AttentionMapArgs* args,
                                         void* stream);
