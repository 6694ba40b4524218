// What holds for every file in core/rope/methods: a new method is tested by being there.
#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "core/rope/rope_math.h"
#include "core/rope/rope_method.h"
#include "core/rope/rotary_torch.h"
#include "tests/support/golden.h"

namespace ropescope::rope {
namespace {

using golden::must;

constexpr RopeContext kLlama2{
    .base = 1e4, .headDim = 128, .originalLength = 4096, .plannedLength = 16384};

class EveryRopeMethod : public testing::TestWithParam<std::string> {
 protected:
  MethodInfo info() const { return findMethod(GetParam())->info(); }

  // The method with factor lists, where it needs any: `slope` 0 is all ones, and the lists of one
  // method differ from each other.
  MethodChoice choice(double factor, int headDim, double slope, double start = 1.0) const {
    MethodChoice made{.id = GetParam(), .factor = factor};
    double rise = slope;
    for (const ParameterSpec& spec : findMethod(GetParam())->parameters()) {
      if (spec.kind != ParameterKind::Numbers) continue;
      std::vector<double> list;
      for (int pair = 0; pair < headDim / 2; ++pair) list.push_back(start + rise * pair);
      made.values[spec.name] = list;
      rise *= 2.0;
    }
    return made;
  }

  RotaryPlan plan(double factor, const RopeContext& context = kLlama2) const {
    return must(makePlan(choice(factor, context.headDim, 0.1), context));
  }
};

TEST_P(EveryRopeMethod, IsPlainAtFactorOne) {
  RopeContext context = kLlama2;
  for (const std::int64_t planned : {std::int64_t{100}, std::int64_t{4096}, std::int64_t{16384}}) {
    if (planned > context.originalLength && info().dependsOnLength) continue;
    context.plannedLength = planned;
    const auto made = must(makePlan(choice(1.0, context.headDim, 0.0), context));
    EXPECT_EQ(made.invFreq, plainInvFreq(context)) << planned << " tokens";
    EXPECT_EQ(made.attentionFactor, 1.0);
  }
}

TEST_P(EveryRopeMethod, HasFinitePositiveFrequencies) {
  for (const int headDim : {4, 16, 64, 128, 256}) {
    for (const double base : {1e2, 1e4, 5e5, 1e7}) {
      for (const double factor : {1.0, 1.5, 4.0, 64.0}) {
        for (const std::int64_t planned : {1, 1024, 1025, 1 << 20}) {
          const RopeContext context{
              .base = base, .headDim = headDim, .originalLength = 1024, .plannedLength = planned};
          const auto made = plan(factor, context);
          ASSERT_EQ(made.invFreq.size(), static_cast<std::size_t>(headDim / 2));
          for (const double frequency : made.invFreq) {
            ASSERT_TRUE(std::isfinite(frequency) && frequency > 0.0)
                << frequency << " at D " << headDim << ", base " << base << ", factor " << factor
                << ", planned " << planned;
          }
          ASSERT_TRUE(std::isfinite(made.attentionFactor) && made.attentionFactor > 0.0);
        }
      }
    }
  }
}

// Up to one rounding of the base.
TEST_P(EveryRopeMethod, TurnsNoPairFasterThanPlainRopeUnlessItSaysSo) {
  const auto plain = plainInvFreq(kLlama2);
  const auto fastest = [&](const RotaryPlan& made) {
    double ratio = 0.0;
    for (std::size_t pair = 0; pair < plain.size(); ++pair) {
      ratio = std::max(ratio, made.invFreq[pair] / plain[pair]);
    }
    return ratio;
  };
  for (const double factor : {1.0, 2.0, 16.0}) {
    EXPECT_LE(fastest(plan(factor)), 1.0 + 1e-12) << "factor " << factor;
  }
  if (info().monotone) return;
  const auto made = must(makePlan(choice(4.0, kLlama2.headDim, 0.0, 0.5), kLlama2));
  EXPECT_GT(fastest(made), 1.5) << "info() says that it may";
}

TEST_P(EveryRopeMethod, DoesNotTurnTheFirstPosition) {
  const auto made = plan(4.0);
  for (std::size_t pair = 0; pair < made.invFreq.size(); ++pair) {
    EXPECT_EQ(made.angle(0, pair), 0.0);
    EXPECT_NEAR(made.angle(1000, pair), 1000.0 * made.invFreq[pair], 1e-9);
  }
  at::manual_seed(1);
  const at::Tensor x = at::randn({1, 2, 128}, at::kDouble);  // [T, H, D]
  const at::Tensor turned = rotate(x, rotaryTables(made, 2, at::kCPU, at::kDouble), 0);
  EXPECT_TRUE(at::allclose(turned, x * made.attentionFactor, 1e-15, 0.0));
}

TEST_P(EveryRopeMethod, TakesTheBaseFromItsContext) {
  RopeContext other = kLlama2;
  other.base = 5e5;
  EXPECT_NE(plan(4.0).invFreq, plan(4.0, other).invFreq);
  other.plannedLength = other.originalLength;
  EXPECT_EQ(must(makePlan(choice(1.0, other.headDim, 0.0), other)).invFreq, plainInvFreq(other));
}

TEST_P(EveryRopeMethod, UsesAGivenFactorAtEveryLength) {
  RopeContext below = kLlama2;
  below.plannedLength = 100;
  const auto shorter = plan(4.0, below);
  const auto longer = plan(4.0);
  EXPECT_EQ(shorter.context.factor, info().takesFactor ? 4.0 : 1.0);
  EXPECT_EQ(shorter.context.factor, longer.context.factor);
  EXPECT_EQ(shorter.sameRotation(longer), !info().dependsOnLength);
}

TEST_P(EveryRopeMethod, TakesTheLengthRatioWhenNoFactorIsGiven) {
  MethodChoice open = choice(1.0, kLlama2.headDim, 0.1);
  open.factor.reset();
  EXPECT_EQ(must(makePlan(open, kLlama2)).context.factor, info().takesFactor ? 4.0 : 1.0);
  RopeContext below = kLlama2;
  below.plannedLength = 100;
  EXPECT_EQ(must(makePlan(open, below)).context.factor, 1.0);
}

TEST_P(EveryRopeMethod, IsTheSamePlanForTheSameInput) {
  const auto first = plan(4.0);
  const auto second = plan(4.0);
  EXPECT_EQ(first.method, GetParam());
  EXPECT_EQ(first.invFreq, second.invFreq);
  EXPECT_TRUE(first.sameRotation(second));
}

TEST_P(EveryRopeMethod, RefusesFactorsBelowOneAndUnknownParameters) {
  if (info().takesFactor) {
    const auto small = makePlan(choice(0.5, kLlama2.headDim, 0.1), kLlama2);
    ASSERT_FALSE(small);
    EXPECT_EQ(small.error().code, ErrorCode::InvalidArgument);
    EXPECT_NE(small.error().message.find("0.5"), std::string::npos) << small.error().message;
  }
  MethodChoice odd = choice(4.0, kLlama2.headDim, 0.1);
  odd.values["no_such_parameter"] = 1.0;
  const auto refused = makePlan(odd, kLlama2);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("no_such_parameter"), std::string::npos);
}

// Scores q · k of a query at m and a key at n, for pairs (m, n) of equal distance.
std::vector<double> scoresAtDistance(const RotaryPlan& made, std::int64_t distance,
                                     const std::vector<std::int64_t>& keyPositions) {
  at::manual_seed(2);
  const at::Tensor q = at::randn({1, 1, made.context.headDim}, at::kDouble);
  const at::Tensor k = at::randn({1, 1, made.context.headDim}, at::kDouble);
  const auto tables = rotaryTables(made, 16384, at::kCPU, at::kDouble);
  std::vector<double> scores;
  for (const std::int64_t n : keyPositions) {
    scores.push_back((rotate(q, tables, n + distance) * rotate(k, tables, n)).sum().item<double>());
  }
  return scores;
}

TEST_P(EveryRopeMethod, ScoresByDistanceOnly) {
  constexpr double kRounding = 1e-9;  // angles of up to 16,384 rad in double
  const auto made = plan(4.0);
  for (const std::int64_t distance : {0, 1, 77, 5000}) {
    const auto scores = scoresAtDistance(made, distance, {0, 3, 1000, 11000});
    for (const double score : scores) EXPECT_NEAR(score, scores.front(), kRounding) << distance;
  }
  EXPECT_GT(std::abs(scoresAtDistance(made, 1, {0})[0] - scoresAtDistance(made, 2, {0})[0]), 1e-3);
}

// n-hat: the first tokens stay unscaled, so distances across the border are broken on purpose.
TEST_P(EveryRopeMethod, LeavesTheFirstTokensAloneOnlyIfItSaysSo) {
  if (info().distanceOnly) {
    EXPECT_EQ(plan(4.0).unscaledTokens, 0);
    return;
  }
  MethodChoice held = choice(4.0, kLlama2.headDim, 0.1);
  held.values["n_hat"] = 8.0;
  const auto made = must(makePlan(held, kLlama2));
  ASSERT_EQ(made.unscaledTokens, 8);
  EXPECT_EQ(made.attentionFactorAt(7), 1.0);
  EXPECT_EQ(made.attentionFactorAt(8), made.attentionFactor);
  const auto scores = scoresAtDistance(made, 100, {8, 2000, 7});
  EXPECT_NEAR(scores[0], scores[1], 1e-9) << "behind the border the distance decides";
  EXPECT_GT(std::abs(scores[0] - scores[2]), 1e-3) << "across it does not";
}

std::vector<std::string> methodNames() {
  std::vector<std::string> names;
  for (const auto& method : allMethods()) names.push_back(method->info().id);
  return names;
}

INSTANTIATE_TEST_SUITE_P(AllMethods, EveryRopeMethod, testing::ValuesIn(methodNames()),
                         [](const auto& instance) { return instance.param; });

TEST(AllMethods, HoldTheSevenThatEveryReaderMayExpect) {
  for (const char* id : {"none", "pi", "ntk", "dynamic", "yarn", "longrope", "llama3"}) {
    EXPECT_TRUE(findMethod(id)) << id;
  }
  EXPECT_FALSE(findMethod("rope9"));
}

}  // namespace
}  // namespace ropescope::rope
