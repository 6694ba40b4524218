// Tensors for the bfloat16 attention of core/cpu.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/attention_torch.h"
#include "core/model/flash_autograd_torch.h"

namespace ropescope {

// The rule: bfloat16 tensors on the CPU, a head size that is a multiple of 16 up to 256, and a CPU
// with AVX512-BF16. Everything else is ATen's.
bool cpuKernelServes(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

// Both only when cpuKernelServes() says so. Square causal, q [H, T, D], k and v [G, T, D]; the
// output lies in memory as [T, H, D], ready for the projection that follows.
AttentionResult attendOnCpuKernel(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);
FlashGradients backwardOnCpuKernel(const at::Tensor& gradOutput, const at::Tensor& q,
                                   const at::Tensor& k, const at::Tensor& v,
                                   const FlashForward& forward);

}  // namespace ropescope
