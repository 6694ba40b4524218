// Weights stay usable for training: after generating, a gradient through attention in one process.
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "core/engine/engine_torch.h"
#include "core/model/attention_torch.h"
#include "core/rope/rotary_torch.h"
#include "tests/support/golden.h"

namespace ropescope {
namespace {

using golden::must;

// The engine has generated an answer before any gradient is asked for.
class AfterGenerating : public testing::Test {
 protected:
  explicit AfterGenerating(const std::string& dtype)
      : m_engine(golden::loadEngine(golden::storiesFolder(), dtype)) {
    SessionOptions options;
    options.rope = {.id = "yarn", .factor = 4.0};
    options.contextTokens = 64;
    const auto session = must(m_engine->newSession(options));
    const auto answer = golden::answerOf(*m_engine, *session, {{1, 403, 407, 261}}, 8);
    EXPECT_EQ(answer.ids.size(), 8U);
    m_plan = session->plan();
  }

  const Engine::State& state() const { return m_engine->state(); }
  const LayerWeights& layer() const { return state().weights.layers.front(); }

  // A number from layer 0's attention over 12 tokens, with `query` as its query projection. A fixed
  // random direction stands for what comes after.
  at::Tensor loss(const at::Tensor& query) const {
    const ModelConfig& c = m_engine->config();
    const at::Tensor ids = at::arange(400, 412, at::kLong);
    const std::int64_t tokens = ids.numel();
    const at::Tensor x = at::rms_norm(at::embedding(state().weights.embedding, ids), {c.hiddenSize},
                                      layer().inputNorm, c.normEpsilon);
    const auto dtype = query.scalar_type();
    const auto tables = rope::rotaryTables(m_plan, tokens, at::kCPU, dtype);
    const auto heads = [&](const at::Tensor& weight, std::int64_t count) {
      return at::linear(x, weight).view({tokens, count, c.headDim});
    };
    const at::Tensor q = rope::rotate(heads(query, c.heads), tables, 0).transpose(0, 1);
    const at::Tensor k =
        rope::rotate(heads(layer().key.weight, c.kvHeads), tables, 0).transpose(0, 1);
    const at::Tensor v = heads(layer().value.weight, c.kvHeads).transpose(0, 1);
    const at::Tensor output = attendCausal(q, k, v).output;  // [H, T, D]
    const at::Tensor joined = output.transpose(0, 1).reshape({tokens, -1});
    const at::Tensor y = at::linear(joined, layer().output.weight);
    return (y * at::arange(y.numel(), y.options()).view_as(y).sin()).sum();
  }

  golden::SharedEngine m_engine;
  rope::RotaryPlan m_plan;
};

class Autograd : public AfterGenerating, public testing::WithParamInterface<const char*> {
 protected:
  Autograd() : AfterGenerating(GetParam()) {}
};

class AutogradInFloat64 : public AfterGenerating {
 protected:
  AutogradInFloat64() : AfterGenerating("float64") {}
};

TEST_P(Autograd, WeightsAreNoInferenceTensors) {
  const Weights& w = state().weights;
  for (const at::Tensor& weight :
       {w.embedding, w.finalNorm, layer().query.weight, layer().key.weight, layer().output.weight,
        layer().gate.weight}) {
    EXPECT_FALSE(weight.is_inference());
    EXPECT_FALSE(weight.requires_grad());
  }
  EXPECT_TRUE(at::GradMode::is_enabled()) << "generating leaves the thread as it found it";
}

TEST_P(Autograd, AGradientFlowsThroughAttention) {
  const at::Tensor query = layer().query.weight.clone().requires_grad_(true);
  loss(query).backward();
  ASSERT_TRUE(query.grad().defined());
  EXPECT_TRUE(at::isfinite(query.grad()).all().item<bool>());
  EXPECT_GT(query.grad().abs().max().item<double>(), 1e-6);
}

// Merging two parts by log-sum-exps has no gradient in the fused kernels: refused, never wrong.
TEST_P(Autograd, AGradientOverCachedKeysIsRefused) {
  const at::Tensor q = at::randn({4, 4, 8}).requires_grad_(true);  // [H, T, D]
  const at::Tensor k = at::randn({2, 12, 8});                      // [G, S, D]
  EXPECT_THROW(attendCausal(q, k, k), c10::Error);
  const at::NoGradGuard noGrad;
  EXPECT_NO_THROW(attendCausal(q, k, k));
}

// Central differences on a few weights of every head, in float64: error h^2 and rounding / h.
TEST_F(AutogradInFloat64, TheGradientIsTheNumericOne) {
  const at::Tensor query = layer().query.weight.clone().requires_grad_(true);
  loss(query).backward();
  const at::Tensor gradient = query.grad();
  constexpr double kStep = 1e-5;
  const double scale = gradient.abs().max().item<double>();
  for (std::int64_t row = 0; row < query.size(0); row += 5) {
    const std::int64_t column = row * 7 % query.size(1);
    const at::NoGradGuard noGrad;
    const auto lossAt = [&](double shift) {
      at::Tensor moved = layer().query.weight.clone();
      moved[row][column] += shift;
      return loss(moved).item<double>();
    };
    const double numeric = (lossAt(kStep) - lossAt(-kStep)) / (2 * kStep);
    EXPECT_NEAR(gradient[row][column].item<double>(), numeric, 1e-6 * scale)
        << "row " << row << ", column " << column;
  }
}

INSTANTIATE_TEST_SUITE_P(Types, Autograd, testing::Values("float32", "float64"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace ropescope
