#include "core/model/flash_autograd_torch.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/model/cpu_attention_torch.h"

namespace ropescope {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// k or v with one head per query head: [G, S, D] -> [H, S, D].
at::Tensor repeatHeads(const at::Tensor& x, std::int64_t heads) {
  return x.repeat_interleave(heads / x.size(0), 0);
}

FlashGradients backwardOnCpu(const at::Tensor& gradOutput, const at::Tensor& q, const at::Tensor& k,
                             const at::Tensor& v, const FlashForward& forward) {
  const auto [gradQ, gradK, gradV] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
      gradOutput.unsqueeze(0), q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0),
      forward.output.unsqueeze(0), forward.logSumExp.unsqueeze(0), 0.0, /*is_causal=*/true);
  return {gradQ.squeeze(0), gradK.squeeze(0), gradV.squeeze(0)};
}

// The fused kernel adds query gradients in whatever order its blocks finish, unless LibTorch was
// told that the same input must give the same bits. Told for the one call alone.
class SameBits {
 public:
  SameBits()
      : m_before(at::globalContext().deterministicAlgorithms()),
        m_warnedOnly(at::globalContext().deterministicAlgorithmsWarnOnly()) {
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  }
  ~SameBits() { at::globalContext().setDeterministicAlgorithms(m_before, m_warnedOnly); }
  SameBits(const SameBits&) = delete;
  SameBits& operator=(const SameBits&) = delete;

 private:
  bool m_before;
  bool m_warnedOnly;
};

FlashGradients backwardOnCuda(const at::Tensor& gradOutput, const at::Tensor& q,
                              const at::Tensor& k, const at::Tensor& v,
                              const FlashForward& forward) {
  // Sequence starts are for packed batches, the two random states for dropout: there is neither.
  const at::Tensor none;
  const at::Tensor noState = at::empty({0}, q.options().dtype(at::kLong));
  const SameBits sameBits;
  const auto [gradQ, gradK, gradV] = at::_scaled_dot_product_flash_attention_backward(
      gradOutput.unsqueeze(0), q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0),
      forward.output.unsqueeze(0), forward.logSumExp.unsqueeze(0), none, none, q.size(1), k.size(1),
      0.0, /*is_causal=*/true, noState, noState);
  return {gradQ.squeeze(0), gradK.squeeze(0), gradV.squeeze(0)};
}

class CausalAttention : public torch::autograd::Function<CausalAttention> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v) {
    const FlashForward result = flashForward(q, k, v);
    context->save_for_backward({q, k, v, result.output, result.logSumExp});
    return result.output;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const FlashGradients result =
        flashBackward(gradients[0], saved[0], saved[1], saved[2], {saved[3], saved[4]});
    return {result.q, result.k, result.v};
  }
};

}  // namespace

FlashForward flashForward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const at::NoGradGuard noGraph;
  if (cpuKernelServes(q, k, v)) return attendOnCpuKernel(q, k, v);
  return attendSquareCausal(q, k, v);
}

FlashGradients flashBackward(const at::Tensor& gradOutput, const at::Tensor& q, const at::Tensor& k,
                             const at::Tensor& v, const FlashForward& forward) {
  const at::NoGradGuard noGraph;
  // A gradient may be a broadcast number; the kernels want rows in one piece.
  const at::Tensor gradRows = gradOutput.stride(2) == 1 ? gradOutput : gradOutput.contiguous();
  if (cpuKernelServes(q, k, v)) return backwardOnCpuKernel(gradRows, q, k, v, forward);
  if (!q.is_cuda()) return backwardOnCpu(gradRows, q, k, v, forward);
  const bool half = q.scalar_type() == at::kHalf || q.scalar_type() == at::kBFloat16;
  if (half && q.size(2) % 8 == 0 && q.size(2) <= 256) {
    return backwardOnCuda(gradRows, q, k, v, forward);
  }
  return backwardInBlocks(gradRows, q, k, v, forward);
}

// P = exp(scale Q Kᵀ - lse),  dS = P ∘ (dO Vᵀ - rowsum(dO ∘ O))        arXiv:2205.14135, B.2
// dQ = scale dS K,  dK = scale dSᵀ Q,  dV = Pᵀ dO
FlashGradients backwardInBlocks(const at::Tensor& gradOutput, const at::Tensor& q,
                                const at::Tensor& k, const at::Tensor& v,
                                const FlashForward& forward) {
  const at::NoGradGuard noGraph;
  constexpr std::int64_t kRows = 256;
  const std::int64_t tokens = q.size(1);
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(2)));
  const auto sums = forward.logSumExp.options();  // float32, or float64 for float64 input
  const at::Tensor keys = repeatHeads(k, q.size(0)).to(sums);
  const at::Tensor values = repeatHeads(v, q.size(0)).to(sums);
  at::Tensor gradQ = at::empty(q.sizes(), sums);
  at::Tensor gradK = at::zeros(keys.sizes(), sums);
  at::Tensor gradV = at::zeros(keys.sizes(), sums);
  for (std::int64_t first = 0; first < tokens; first += kRows) {
    const std::int64_t rows = std::min(kRows, tokens - first);
    const std::int64_t seen = first + rows;
    const auto block = [&](const at::Tensor& x) { return x.narrow(1, first, rows).to(sums); };
    const at::Tensor queries = block(q);
    const at::Tensor gradRows = block(gradOutput);
    const at::Tensor seenKeys = keys.narrow(1, 0, seen);
    const at::Tensor lse = block(forward.logSumExp).unsqueeze(2);
    const at::Tensor weights =
        at::tril(at::exp(at::bmm(queries, seenKeys.transpose(1, 2)) * scale - lse), first);
    const at::Tensor delta = (gradRows * block(forward.output)).sum(2, /*keepdim=*/true);
    const at::Tensor gradScores =
        weights * (at::bmm(gradRows, values.narrow(1, 0, seen).transpose(1, 2)) - delta) * scale;
    gradQ.narrow(1, first, rows).copy_(at::bmm(gradScores, seenKeys));
    gradK.narrow(1, 0, seen).add_(at::bmm(gradScores.transpose(1, 2), queries));
    gradV.narrow(1, 0, seen).add_(at::bmm(weights.transpose(1, 2), gradRows));
  }
  const auto sumGroups = [&](const at::Tensor& gradient) {
    return gradient.view({k.size(0), -1, tokens, k.size(2)}).sum(1).to(k.scalar_type());
  };
  return {gradQ.to(q.scalar_type()), sumGroups(gradK), sumGroups(gradV)};
}

at::Tensor attendCausalTrainable(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return CausalAttention::apply(q, k, v);
}

}  // namespace ropescope
