// Causal attention over cached keys against the softmax formula in float64.
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/model/attention_torch.h"

namespace ropescope {
namespace {

struct Case {
  std::int64_t heads, kvHeads, tokens, keys, headDim;
};

struct Dense {
  at::Tensor output;     // [H, T, D]
  at::Tensor logSumExp;  // [H, T]
};

// softmax(q kᵀ / sqrt(D)) v, query t sees keys 0 … S - T + t, in float64.
Dense dense(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const std::int64_t group = q.size(0) / k.size(0);
  const at::Tensor hidden =
      at::triu(at::ones({q.size(1), k.size(1)}, at::kBool), k.size(1) - q.size(1) + 1);
  const at::Tensor keys = k.to(at::kDouble).repeat_interleave(group, 0);
  const at::Tensor scores =
      (at::bmm(q.to(at::kDouble), keys.transpose(1, 2)) / std::sqrt(double(q.size(2))))
          .masked_fill(hidden, -INFINITY);
  return {at::bmm(at::softmax(scores, 2), v.to(at::kDouble).repeat_interleave(group, 0)),
          at::logsumexp(scores, 2)};
}

// Keys and values as the cache gives them: the first S of more tokens.
at::Tensor cached(const Case& c, at::ScalarType type) {
  return at::randn({c.kvHeads, c.keys + 7, c.headDim}, at::kDouble).to(type).narrow(1, 0, c.keys);
}

class AttendCausal : public testing::TestWithParam<Case> {
 protected:
  // Relative distance of the output, and the largest of a log-sum-exp.
  void expectNearDense(at::ScalarType type, double tolerance) {
    const at::NoGradGuard noGrad;
    at::manual_seed(7);
    const Case c = GetParam();
    const at::Tensor q = at::randn({c.heads, c.tokens, c.headDim}, at::kDouble).to(type);
    const at::Tensor k = cached(c, type);
    const at::Tensor v = cached(c, type);
    const AttentionResult found = attendCausal(q, k, v);
    const Dense wanted = dense(q, k, v);
    ASSERT_EQ(found.output.sizes(), wanted.output.sizes());
    EXPECT_EQ(found.output.scalar_type(), type);
    const at::Tensor difference = found.output.to(at::kDouble) - wanted.output;
    EXPECT_LE((difference.norm() / wanted.output.norm()).item<double>(), tolerance);
    EXPECT_LE((found.logSumExp.to(at::kDouble) - wanted.logSumExp).abs().max().item<double>(),
              10 * tolerance);
  }
};

// First chunk, later chunk, ragged sizes, one query head per key head, a short question.
INSTANTIATE_TEST_SUITE_P(Sizes, AttendCausal,
                         testing::Values(Case{6, 2, 512, 512, 64}, Case{6, 2, 512, 1536, 64},
                                         Case{4, 4, 130, 1001, 32}, Case{6, 2, 9, 700, 64},
                                         Case{2, 1, 1, 300, 64}, Case{3, 1, 65, 161, 80}));

TEST_P(AttendCausal, Float32EqualsTheFormula) {
  expectNearDense(at::kFloat, 2e-6);  // sums of up to 1,536 float32 terms
}

TEST_P(AttendCausal, Float64EqualsTheFormula) {
  expectNearDense(at::kDouble, 1e-12);
}

TEST_P(AttendCausal, Bfloat16StaysWithinItsRounding) {
  // Weights and result are rounded to 8 bits, 2^-9 each; where LibTorch's op serves, the parts over
  // past and new keys are rounded once more before they are merged.
  expectNearDense(at::kBFloat16, 3.0 / 512);
}

}  // namespace
}  // namespace ropescope
