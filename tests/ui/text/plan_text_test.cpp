#include "ui/text/plan_text.h"

#include <gtest/gtest.h>

#include "core/rope/rope_method.h"
#include "ui/text/error_text.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

// Llama-2's shape: 18 of 64 pairs never turn within 4,096 tokens.
rope::RopeContext llama2(std::int64_t planned) {
  return {.base = 1e4, .headDim = 128, .originalLength = 4096, .plannedLength = planned};
}

rope::RotaryPlan planOf(const char* method, std::int64_t planned) {
  const auto plan = rope::makePlan({.id = method}, llama2(planned));
  EXPECT_TRUE(plan) << (plan ? "" : plan.error().message);
  return *plan;
}

TEST(PlanText, CountsThePairsThatNeverTurned) {
  EXPECT_EQ(pairsNeverTurned(planOf("none", 4096)), 18);
}

TEST(PlanText, SaysThatPiDividesEveryAngle) {
  EXPECT_EQ(planSentence(planOf("pi", 16384), "PI"),
            "Trained 4,096 tokens; you plan 16,384; with PI every angle is divided by 4; "
            "18 of 64 pairs never made a full turn in training.");
}

TEST(PlanText, SaysWhichPairsYarnKeepsAndWhichItSlows) {
  const QString text = slowingText(planOf("yarn", 16384));
  EXPECT_TRUE(text.startsWith("pairs 0–20 turn as trained")) << qPrintable(text);
  EXPECT_TRUE(text.endsWith("are slowed 4 times")) << qPrintable(text);
}

TEST(PlanText, KnowsPlainRope) {
  EXPECT_TRUE(isPlain(planOf("none", 16384)));
  EXPECT_TRUE(isPlain(planOf("yarn", 4096)));
  EXPECT_FALSE(isPlain(planOf("yarn", 16384)));
}

TEST(ErrorText, IsOneSentenceThatKeepsTheMessage) {
  EXPECT_EQ(errorSentence({ErrorCode::CorruptFile, "a.safetensors ends early"}),
            "This file cannot be used: a.safetensors ends early.");
  EXPECT_EQ(errorSentence({ErrorCode::OutOfMemory, ""}), "Not enough memory.");
}

TEST(NumberText, SpeaksInUnits) {
  EXPECT_EQ(tokensText(16384), "16,384");
  EXPECT_EQ(secondsText(0.44), "0.4 s");
  EXPECT_EQ(secondsText(125), "2 min 5 s");
  EXPECT_EQ(ratioText(4.0), "4");
  EXPECT_EQ(ratioText(3.28), "3.3");
  EXPECT_EQ(rateText(10, 0.0), "");
}

}  // namespace
}  // namespace ropescope::ui
