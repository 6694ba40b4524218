// Tensors for the bfloat16 attention of core/cpu.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/attention_torch.h"
#include "core/model/flash_autograd_torch.h"

namespace ropescope {

// The rule: bfloat16 tensors on the CPU, a head size that is a multiple of 16 up to 256, and a CPU
// with AVX512-BF16. Everything else is ATen's.
bool cpuKernelServes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// All only when cpuKernelServes() says so. Causal: the T queries q [H, T, D] are the last of the S
// tokens of k and v [G, S, D]. The output lies in memory as [T, H, D], ready for the projection that
// follows.
AttentionResult attendOnCpuKernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);
// Square: T = S.
FlashGradients backwardOnCpuKernel(const at::Tensor& gradOutput, const at::Tensor& q,
                                   const at::Tensor& k, const at::Tensor& v,
                                   const FlashForward& forward);

}  // namespace ropescope
