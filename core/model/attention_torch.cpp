#include "core/model/attention_torch.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/model/cpu_attention_torch.h"

namespace ropescope {
namespace {

// k or v with one head per query head: [G, S, D] -> [H, S, D].
at::Tensor repeatHeads(const at::Tensor& x, std::int64_t heads) {
  return x.repeat_interleave(heads / x.size(0), 0);
}

// Plain softmax in row blocks: for types that no fused kernel takes (float64 on a GPU).
AttentionResult attendInBlocks(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                               bool causal) {
  constexpr std::int64_t kRows = 256;
  const at::Tensor keys = repeatHeads(k, q.size(0));
  const at::Tensor values = repeatHeads(v, q.size(0));
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(2)));
  const at::Tensor column = at::arange(k.size(1), q.options().dtype(at::kLong));
  std::vector<at::Tensor> outputs;
  std::vector<at::Tensor> sums;
  for (std::int64_t first = 0; first < q.size(1); first += kRows) {
    const std::int64_t rows = std::min(kRows, q.size(1) - first);
    at::Tensor scores = at::bmm(q.narrow(1, first, rows), keys.transpose(1, 2)) * scale;
    if (causal) {
      const at::Tensor row = at::arange(first, first + rows, column.options()).unsqueeze(1);
      scores = scores.masked_fill(column.unsqueeze(0) > row, -INFINITY);
    }
    outputs.push_back(at::bmm(at::softmax(scores, 2), values));
    sums.push_back(at::logsumexp(scores, 2));
  }
  return {at::cat(outputs, 1), at::cat(sums, 1)};
}

AttentionResult attendOnCpu(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            bool causal) {
  const auto [output, sum] = at::_scaled_dot_product_flash_attention_for_cpu(
      q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0), 0.0, causal);
  return {output.squeeze(0), sum.squeeze(0)};
}

AttentionResult attendOnCuda(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             bool causal) {
  const bool half = q.scalar_type() == at::kHalf || q.scalar_type() == at::kBFloat16;
  if (half && q.size(2) % 8 == 0 && q.size(2) <= 256) {
    const auto result = at::_scaled_dot_product_flash_attention(q.unsqueeze(0), k.unsqueeze(0),
                                                                v.unsqueeze(0), 0.0, causal);
    return {std::get<0>(result).squeeze(0), std::get<1>(result).squeeze(0)};
  }
  if (q.scalar_type() == at::kDouble) return attendInBlocks(q, k, v, causal);
  // The memory-efficient kernel knows no shared key heads and pads its log-sum-exp to 32 rows.
  const auto result = at::_scaled_dot_product_efficient_attention(
      q.unsqueeze(0), repeatHeads(k, q.size(0)).unsqueeze(0),
      repeatHeads(v, q.size(0)).unsqueeze(0), std::nullopt, /*compute_log_sumexp=*/true, 0.0,
      causal);
  return {std::get<0>(result).squeeze(0), std::get<1>(result).squeeze(0).narrow(1, 0, q.size(1))};
}

bool wantsGradient(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return at::GradMode::is_enabled() &&
         (q.requires_grad() || k.requires_grad() || v.requires_grad());
}

AttentionResult attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, bool causal) {
  return q.is_cuda() ? attendOnCuda(q, k, v, causal) : attendOnCpu(q, k, v, causal);
}

}  // namespace

AttentionResult attendAll(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  // Query heads that share a key head become rows of one head: keys are read once per group.
  const std::int64_t heads = q.size(0);
  const std::int64_t tokens = q.size(1);
  const at::Tensor folded = q.reshape({k.size(0), heads / k.size(0) * tokens, q.size(2)});
  const AttentionResult result = attend(folded, k, v, /*causal=*/false);
  return {result.output.reshape({heads, tokens, q.size(2)}),
          result.logSumExp.reshape({heads, tokens})};
}

AttentionResult attendSquareCausal(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return attend(q, k, v, /*causal=*/true);
}

AttentionResult attendCausal(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const std::int64_t tokens = q.size(1);
  const std::int64_t past = k.size(1) - tokens;
  if (tokens == 1) return attendAll(q, k, v);
  const bool differentiable = wantsGradient(q, k, v);
  if (!differentiable && cpuKernelServes(q, k, v)) return attendOnCpuKernel(q, k, v);
  if (past == 0) return attendSquareCausal(q, k, v);
  // Fused kernels give no gradient of the log-sum-exps that the merge needs: refuse then.
  TORCH_CHECK(!differentiable,
              "attention over cached keys has no gradient; read all tokens in one chunk");
  const AttentionResult before = attendAll(q, k.narrow(1, 0, past), v.narrow(1, 0, past));
  const AttentionResult inside =
      attendSquareCausal(q, k.narrow(1, past, tokens), v.narrow(1, past, tokens));
  const at::Tensor sum = at::logaddexp(before.logSumExp, inside.logSumExp);  // [H, T]
  const auto share = [&](const AttentionResult& part) {
    return part.output * at::exp(part.logSumExp - sum).unsqueeze(2);
  };
  return {(share(before) + share(inside)).to(q.scalar_type()), sum};
}

}  // namespace ropescope
