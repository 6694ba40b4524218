// Exact attention in O(T + S) memory, the same call for CPU and CUDA.
#pragma once

#include <ATen/core/Tensor.h>

namespace ropescope {

struct AttentionResult {
  at::Tensor output;        // [H, T, D]
  at::Tensor logSumExp;     // [H, T] natural log, float32 (float64 for float64 input)
};

// q [H, T, D] against k, v [G, S, D] without a mask; H / G query heads share one key head.
AttentionResult attendAll(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// Square causal: T = S, query t sees keys 0 … t.
AttentionResult attendSquareCausal(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// The last T of S tokens ask: query t sees keys 0 … S - T + t. Split into a maskless part over the
// past and a square causal part, merged by their log-sum-exps, because backends disagree on what
// "causal" means when T < S; our own bfloat16 kernel (cpu_attention_torch.h) does both in one go.
// Exact; logSumExp is final, later tokens cannot change it.
// Differentiable when T = S; with T < S it throws when a gradient is wanted.
AttentionResult attendCausal(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

}  // namespace ropescope
