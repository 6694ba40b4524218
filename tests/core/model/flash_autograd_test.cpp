// Trainable attention against plain softmax attention that autograd differentiates itself.
#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/cpu/attention_bf16.h"
#include "core/model/cpu_attention_torch.h"
#include "core/model/flash_autograd_torch.h"

namespace ropescope {
namespace {

// bfloat16 keeps 8 bits: each rounding errs by at most 2^-8 of the value, over a whole tensor by
// half of that (root mean square).
constexpr double kBfloat16 = 1.0 / 512.0;
// Sums of some hundred float64 terms of size 1 in another order.
constexpr double kFloat64 = 1e-12;

struct Case {
  std::int64_t heads;
  std::int64_t kvHeads;
  std::int64_t tokens;
  std::int64_t headDim;
};

struct Inputs {
  at::Tensor q, k, v, gradOutput;

  Inputs to(at::ScalarType type) const {
    return {q.to(type), k.to(type), v.to(type), gradOutput.to(type)};
  }
};

Inputs randomInputs(const Case& c, at::ScalarType type) {
  at::manual_seed(20);
  const auto draw = [&](std::int64_t heads) {
    return at::randn({heads, c.tokens, c.headDim}, at::kDouble).to(type);
  };
  return {draw(c.heads), draw(c.kvHeads), draw(c.kvHeads), draw(c.heads)};
}

struct Outcome {
  at::Tensor output;
  FlashGradients gradients;
};

template <typename Attend>
Outcome differentiate(const Inputs& in, const Attend& attend) {
  const auto leaf = [](const at::Tensor& x) { return x.clone().set_requires_grad(true); };
  const at::Tensor q = leaf(in.q);
  const at::Tensor k = leaf(in.k);
  const at::Tensor v = leaf(in.v);
  const at::Tensor output = attend(q, k, v);
  output.backward(in.gradOutput);
  return {output.detach(), {q.grad(), k.grad(), v.grad()}};
}

// softmax(q kᵀ / sqrt(D) + mask) v with nothing fused; ATen differentiates every step.
at::Tensor plainAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const std::int64_t group = q.size(0) / k.size(0);
  const at::Tensor mask = at::triu(at::ones({q.size(1), q.size(1)}, at::kBool), 1);
  const at::Tensor scores =
      at::bmm(q, k.repeat_interleave(group, 0).transpose(1, 2)) / std::sqrt(double(q.size(2)));
  return at::bmm(at::softmax(scores.masked_fill(mask, -INFINITY), 2),
                 v.repeat_interleave(group, 0));
}

double relativeDistance(const at::Tensor& found, const at::Tensor& wanted) {
  EXPECT_EQ(found.sizes(), wanted.sizes());
  return ((found.to(at::kDouble) - wanted).norm() / wanted.norm()).item<double>();
}

void expectNear(const FlashGradients& found, const FlashGradients& wanted, double tolerance) {
  EXPECT_LE(relativeDistance(found.q, wanted.q), tolerance) << "gradient of q";
  EXPECT_LE(relativeDistance(found.k, wanted.k), tolerance) << "gradient of k";
  EXPECT_LE(relativeDistance(found.v, wanted.v), tolerance) << "gradient of v";
}

class FlashAutograd : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Sizes, FlashAutograd,
                         testing::Values(Case{2, 2, 1, 16}, Case{2, 1, 7, 8}, Case{6, 2, 300, 64},
                                         Case{4, 4, 129, 128}, Case{3, 1, 530, 80}));

TEST_P(FlashAutograd, Float64EqualsPlainAttention) {
  const Inputs in = randomInputs(GetParam(), at::kDouble);
  const Outcome found = differentiate(in, attendCausalTrainable);
  const Outcome wanted = differentiate(in, plainAttention);
  EXPECT_LE(relativeDistance(found.output, wanted.output), kFloat64);
  // One token: the only weight is 1 whatever q and k are.
  if (GetParam().tokens > 1) expectNear(found.gradients, wanted.gradients, kFloat64);
}

TEST_P(FlashAutograd, BackwardInBlocksEqualsPlainAttention) {
  const Inputs in = randomInputs(GetParam(), at::kDouble);
  const FlashForward forward = flashForward(in.q, in.k, in.v);
  const FlashGradients found = backwardInBlocks(in.gradOutput, in.q, in.k, in.v, forward);
  const Outcome wanted = differentiate(in, plainAttention);
  if (GetParam().tokens > 1) expectNear(found, wanted.gradients, kFloat64);
  EXPECT_LE(relativeDistance(found.v, wanted.gradients.v), kFloat64);
}

TEST_P(FlashAutograd, Bfloat16StaysWithinItsRounding) {
  const Inputs in = randomInputs(GetParam(), at::kBFloat16);
  const Outcome found = differentiate(in, attendCausalTrainable);
  const Outcome wanted = differentiate(in.to(at::kDouble), plainAttention);
  EXPECT_EQ(found.output.scalar_type(), at::kBFloat16);
  EXPECT_EQ(found.gradients.k.scalar_type(), at::kBFloat16);
  // Output: the weights and the result are rounded. Gradients: also the output inside delta and
  // dS, and where ATen computes, the sum over the heads of a group.
  EXPECT_LE(relativeDistance(found.output, wanted.output), 2 * kBfloat16);
  if (GetParam().tokens > 1) expectNear(found.gradients, wanted.gradients, 6 * kBfloat16);
}

// bfloat16 is what the trainer computes in: the rule that picks the kernel is part of the promise.
TEST(FlashAutograd, GivesBfloat16OnTheCpuToItsKernel) {
  const auto served = [](const Case& c, at::ScalarType type) {
    const Inputs in = randomInputs(c, type);
    return cpuKernelServes(in.q, in.k, in.v);
  };
  EXPECT_EQ(served({6, 2, 10, 64}, at::kBFloat16), cpu::attentionBf16Supported());
  EXPECT_FALSE(served({6, 2, 10, 8}, at::kBFloat16));
  EXPECT_FALSE(served({6, 2, 10, 64}, at::kHalf));
  EXPECT_FALSE(served({6, 2, 10, 64}, at::kFloat));
}

// [T, H, D] views, as projections give them, and a gradient that is one number for all.
TEST(FlashAutograd, TakesViewsOfProjections) {
  const Inputs in = randomInputs({6, 2, 130, 64}, at::kBFloat16);
  const auto byToken = [](const at::Tensor& x) {
    return x.transpose(0, 1).contiguous().transpose(0, 1);
  };
  const FlashForward plain = flashForward(in.q, in.k, in.v);
  const FlashForward viewed = flashForward(byToken(in.q), byToken(in.k), byToken(in.v));
  EXPECT_TRUE(at::equal(plain.output, viewed.output));
  EXPECT_TRUE(at::equal(plain.logSumExp, viewed.logSumExp));
  const at::Tensor one = at::ones({1, 1, 1}, at::kBFloat16).expand_as(in.q);
  const FlashGradients fromViews =
      flashBackward(one, byToken(in.q), byToken(in.k), byToken(in.v), viewed);
  const FlashGradients fromPlain = flashBackward(one.contiguous(), in.q, in.k, in.v, plain);
  EXPECT_TRUE(at::equal(fromViews.q, fromPlain.q));
  EXPECT_TRUE(at::equal(fromViews.k, fromPlain.k));
  EXPECT_TRUE(at::equal(fromViews.v, fromPlain.v));
}

TEST(FlashAutograd, TakesABroadcastGradient) {
  const Inputs in = randomInputs({2, 1, 40, 16}, at::kDouble);
  const auto sumOf = [&](const auto& attend) {
    return differentiate({in.q, in.k, in.v, at::Tensor()},
                         [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
                           return attend(q, k, v).sum();
                         });
  };
  expectNear(sumOf(attendCausalTrainable).gradients, sumOf(plainAttention).gradients, kFloat64);
}

TEST(FlashAutograd, PassesRecordNoGraphOfTheirOwn) {
  Inputs in = randomInputs({2, 1, 10, 16}, at::kFloat);
  in.q.set_requires_grad(true);
  const FlashForward forward = flashForward(in.q, in.k, in.v);
  EXPECT_FALSE(forward.output.requires_grad());
  EXPECT_FALSE(flashBackward(in.gradOutput, in.q, in.k, in.v, forward).q.requires_grad());
}

}  // namespace
}  // namespace ropescope
