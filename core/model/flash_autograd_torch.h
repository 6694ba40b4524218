// Square causal attention for training: forward and backward in O(T) memory.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/attention_torch.h"

namespace ropescope {

// Differentiable in q [H, T, D], k [G, T, D] and v [G, T, D]; H / G query heads share one key head.
// The graph keeps q, k, v, the output and the log-sum-exps, no [T, T] matrix.
at::Tensor attendCausalTrainable(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

using FlashForward = AttentionResult;

struct FlashGradients {
  at::Tensor q;  // [H, T, D]
  at::Tensor k;  // [G, T, D]: summed over the query heads that share a key head
  at::Tensor v;  // [G, T, D]
};

// The same two passes for a caller that keeps its own books (gradient checkpointing). Neither
// records a graph.
FlashForward flashForward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// q, k, v and the forward's own results: it recomputes the scores from them.
FlashGradients flashBackward(const at::Tensor& gradOutput, const at::Tensor& q, const at::Tensor& k,
                             const at::Tensor& v, const FlashForward& forward);

// The backward's formulas in row blocks, for any device and type: types without a fused backward
// (float32 and float64 on a GPU) use it.
FlashGradients backwardInBlocks(const at::Tensor& gradOutput, const at::Tensor& q,
                                const at::Tensor& k, const at::Tensor& v,
                                const FlashForward& forward);

}  // namespace ropescope
