// Angles seen in training, against values worked out by hand from the published frequencies of
// Llama-2 (head size 128, base 10,000, trained at 4,096 tokens).
#include "core/probe/angle_coverage.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "core/rope/rope_math.h"

namespace ropescope {
namespace {

constexpr double kTurn = 2.0 * std::numbers::pi;
constexpr double kRounding = 1e-12;
// Published frequencies have nine digits; they are multiplied by up to 16,384.
constexpr double kPublishedDigits = 1e-5;

rope::RotaryPlan planOf(const char* method, double factor, std::int64_t planned = 65536) {
  const auto plan = rope::makePlan(
      {.id = method, .values = {}, .factor = factor},
      {.base = 1e4, .headDim = 128, .originalLength = 4096, .plannedLength = planned});
  EXPECT_TRUE(plan) << plan.error().message;
  return *plan;
}

// Pair 45 turns 4096 * 1.53992653e-3 / 2 pi = 1.0039 times, pair 46 4096 * 1.33352143e-3 / 2 pi =
// 0.8693 times: pairs 46 … 63 never went round.
TEST(AngleCoverage, EighteenPairsOfLlama2NeverWentRound) {
  const auto arcs = trainedArcs(planOf("none", 1).context);
  ASSERT_EQ(arcs.size(), 64U);
  for (std::size_t pair = 0; pair < 64; ++pair) EXPECT_EQ(arcs[pair].fullTurn, pair < 46) << pair;
  EXPECT_NEAR(arcs[0].endAngle, 4096.0, kRounding);
  EXPECT_NEAR(arcs[46].endAngle, 4096 * 1.33352143e-3, kPublishedDigits);
  EXPECT_NEAR(arcs[63].endAngle, 4096 * 1.15478198e-4, kPublishedDigits);
}

TEST(AngleCoverage, PlainRopeLeavesTheTrainedAnglesAtTheTrainedLength) {
  const auto pairs = unseenFrom(planOf("none", 1));
  for (std::size_t pair = 0; pair < 64; ++pair) {
    EXPECT_EQ(pairs[pair], pair < 46 ? UnseenFrom() : UnseenFrom(4096)) << pair;
  }
  EXPECT_EQ(unseenPairs(pairs, 4095), 0);
  EXPECT_EQ(unseenPairs(pairs, 4096), 18);
  EXPECT_EQ(firstUnseen(pairs), UnseenFrom(4096));
}

// Distance d is turned like d / s, and d / s < L for every distance of a context of s L tokens: all
// of it "falls into the trained range" (arXiv:2306.15595, section 2.3).
TEST(AngleCoverage, InterpolationMovesTheBorderByItsFactor) {
  const auto pairs = unseenFrom(planOf("pi", 4));
  EXPECT_EQ(unseenPairs(pairs, 4 * 4096 - 1), 0);
  EXPECT_EQ(unseenPairs(pairs, 4 * 4096), 18);
}

// NTK by 4 leaves pair 46 the frequency 4.84619228e-4: 4096 * 1.33352143e-3 / 4.84619228e-4 =
// 11,270.9. The last pair is slowed by 4: 16,384.
TEST(AngleCoverage, NtkLeavesTheTrainedAnglesOnePairAfterTheOther) {
  const auto pairs = unseenFrom(planOf("ntk", 4));
  EXPECT_EQ(pairs[46], UnseenFrom(11271));
  EXPECT_EQ(pairs[63], UnseenFrom(16384));
  for (std::size_t pair = 47; pair < 64; ++pair) EXPECT_GT(*pairs[pair], *pairs[pair - 1]);
  EXPECT_EQ(firstUnseen(pairs), pairs[46]);
}

// YaRN by 16 divides pairs from 46 on by 16 (8.33450895e-5 = 1.33352143e-3 / 16), others less.
TEST(AngleCoverage, YarnSlowsExactlyThePairsThatNeverWentRound) {
  const auto pairs = unseenFrom(planOf("yarn", 16));
  for (std::size_t pair = 46; pair < 64; ++pair) EXPECT_EQ(pairs[pair], UnseenFrom(16 * 4096));
}

TEST(AngleCoverage, APairThatStandsStillMeetsNothingNew) {
  rope::RotaryPlan plan = planOf("none", 1);
  plan.invFreq[63] = 0.0;
  EXPECT_FALSE(unseenFrom(plan)[63]);
  EXPECT_FALSE(firstUnseen(std::vector<UnseenFrom>{{}, {}}));
}

TEST(ClockHand, ShowsTheArcOfTrainingAndWhatLiesBeyond) {
  const auto plan = planOf("none", 1);
  const auto hands = clockHands(plan, 8192);
  // Pair 0 turns 1 rad a token: 8192 = 1303 turns and 8192 - 1303 * 2 pi rad.
  EXPECT_NEAR(hands[0].direction, 8192 - 1303 * kTurn, 1e-9);
  EXPECT_EQ(hands[0].trainedSweep, kTurn);
  EXPECT_FALSE(hands[0].unseen);
  EXPECT_EQ(hands[0].unseenSweep, 0.0);
  // Pair 46 never went round; at 8192 it has turned 10.92 rad, more than one turn: all the rest.
  EXPECT_TRUE(hands[46].unseen);
  EXPECT_NEAR(hands[46].angle, 8192 * 1.33352143e-3, kPublishedDigits);
  EXPECT_NEAR(hands[46].trainedSweep, 4096 * 1.33352143e-3, kPublishedDigits);
  EXPECT_NEAR(hands[46].trainedSweep + hands[46].unseenSweep, kTurn, kRounding);
  EXPECT_NEAR(hands[46].direction, hands[46].angle - kTurn, kRounding);
  // Pair 63 saw 0.4730 rad and stands at 0.9460.
  EXPECT_TRUE(hands[63].unseen);
  EXPECT_NEAR(hands[63].unseenSweep, (8192 - 4096) * 1.15478198e-4, kPublishedDigits);
}

TEST(ClockHand, IsWithinTrainingUpToTheLastTrainedPosition) {
  const auto plan = planOf("none", 1);
  for (const ClockHand& hand : clockHands(plan, 4095)) EXPECT_FALSE(hand.unseen);
  const auto next = clockHands(plan, 4096);
  for (std::size_t pair = 0; pair < 64; ++pair) EXPECT_EQ(next[pair].unseen, pair >= 46) << pair;
}

TEST(ClockHand, FirstTokensOfLongRopeTurnAsInTraining) {
  rope::RotaryPlan plan = planOf("pi", 4);
  plan.unscaledTokens = 10;
  const auto plain = planOf("none", 1);
  EXPECT_EQ(clockHands(plan, 9)[0].angle, clockHands(plain, 9)[0].angle);
  EXPECT_NEAR(clockHands(plan, 10)[0].angle, 2.5, kRounding);
}

TEST(WrapAngle, StaysWithinOneTurn) {
  EXPECT_EQ(wrapAngle(0.0), 0.0);
  EXPECT_NEAR(wrapAngle(kTurn + 1.0), 1.0, kRounding);
  EXPECT_NEAR(wrapAngle(-1.0), kTurn - 1.0, kRounding);
  EXPECT_LT(wrapAngle(-1e-30), kTurn);
}

}  // namespace
}  // namespace ropescope
