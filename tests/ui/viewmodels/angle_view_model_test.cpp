#include "ui/viewmodels/angle_view_model.h"

#include <QSignalSpy>
#include <algorithm>
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "core/rope/rope_math.h"

namespace ropescope::ui {
namespace {

constexpr double kRounding = 1e-9;  // of fmod against repeated subtraction

std::shared_ptr<const rope::RotaryPlan> planOf(const char* method, double factor) {
  const rope::RopeContext context{.base = 1e4,
                                  .headDim = 64,
                                  .originalLength = 1024,
                                  .plannedLength = static_cast<std::int64_t>(1024 * factor),
                                  .factor = factor};
  return std::make_shared<const rope::RotaryPlan>(*rope::findMethod(method)->plan(context, {}));
}

TEST(AngleViewModel, GivesTheNumbersOfTheAngleTable) {
  AngleViewModel model;
  const auto plan = planOf("pi", 4);
  model.setPlan(plan);
  model.setPosition(1000);
  const auto table = angleTable(*plan, 1000);
  ASSERT_EQ(model.current().rows.size(), 32U);
  for (std::size_t pair = 0; pair < table.size(); ++pair) {
    const auto i = static_cast<qsizetype>(pair);
    EXPECT_EQ(model.current().rows[pair].angle, table[pair].angle);
    EXPECT_EQ(model.current().factors[i], *table[pair].scale);
    EXPECT_NEAR(model.current().factors[i], 4.0, kRounding);
    EXPECT_NEAR(
        std::remainder(model.current().wrapped[i] - table[pair].angle, 2 * std::numbers::pi), 0.0,
        kRounding);
    EXPECT_GE(model.current().wrapped[i], 0.0);
    EXPECT_LT(model.current().wrapped[i], 2 * std::numbers::pi);
  }
}

TEST(AngleViewModel, FindsThePairsThatNeverTurned) {
  AngleViewModel model;
  model.setPlan(planOf("yarn", 4));
  const double trained = 1024.0;
  const auto first = static_cast<std::size_t>(model.firstUnturnedPair());
  EXPECT_LE(model.plain().rows[first - 1].wavelength, trained);
  EXPECT_GT(model.plain().rows[first].wavelength, trained);
}

TEST(AngleViewModel, CutsThePositionToThePlannedLength) {
  AngleViewModel model;
  model.setPlan(planOf("yarn", 4));
  model.setPosition(1'000'000);
  EXPECT_EQ(model.position(), 4095);
  model.setPlan(planOf("none", 1));
  EXPECT_EQ(model.position(), 1023);
}

TEST(AngleViewModel, ComparesOnlyWhatDiffersFromPlainAndFromTheCurrentMethod) {
  AngleViewModel model;
  model.setPlan(planOf("yarn", 4));
  model.setComparison({*planOf("none", 4), *planOf("pi", 4), *planOf("yarn", 4)});
  EXPECT_TRUE(model.others().empty());
  model.setComparing(true);
  ASSERT_EQ(model.others().size(), 1U);
  EXPECT_EQ(model.others()[0].rows.size(), model.current().rows.size());
}

TEST(AngleViewModel, TablesTheDrawnNumbers) {
  AngleViewModel model;
  model.setPlan(planOf("yarn", 4));
  model.setPosition(77);
  const PlotTable table = model.table();
  ASSERT_EQ(table.rows(), 32);
  const TableColumn& wrapped = table.columns.back();
  const TableColumn& factor = table.columns[6];
  for (std::size_t pair = 0; pair < 32; ++pair) {
    EXPECT_EQ(wrapped.numbers[pair], model.current().wrapped[static_cast<qsizetype>(pair)]);
    EXPECT_EQ(factor.numbers[pair], model.current().factors[static_cast<qsizetype>(pair)]);
  }
}

TEST(AngleViewModel, SaysWhichMethodsItCannotDrawAndWhichEqualPlainRope) {
  AngleViewModel model;
  model.setPlan(planOf("yarn", 4));
  model.setComparison({*planOf("none", 4), *planOf("pi", 4)}, "LongRoPE is not drawn: no factors");
  EXPECT_TRUE(model.noteText().isEmpty()) << qPrintable(model.noteText());
  model.setComparing(true);
  EXPECT_TRUE(model.noteText().contains("LongRoPE is not drawn: no factors"));
  EXPECT_TRUE(model.noteText().contains("plain RoPE"));
  EXPECT_TRUE(model.noteText().contains(planTitle(*planOf("none", 4))));
  EXPECT_FALSE(model.noteText().contains(planTitle(*planOf("pi", 4))));
}

TEST(AngleViewModel, GivesEveryQuantityOfTheTable) {
  AngleViewModel model;
  model.setPlan(planOf("yarn", 4));
  for (std::size_t pair = 0; pair < 32; ++pair) {
    const auto i = static_cast<qsizetype>(pair);
    const AngleRow& row = model.current().rows[pair];
    EXPECT_EQ(model.current().frequencies[i], row.invFreq);
    EXPECT_EQ(model.current().wavelengths[i], row.wavelength);
    EXPECT_EQ(model.current().turns[i], row.turnsInTrainedLength);
  }
}

TEST(AngleViewModel, HasTheHandsOfTheCore) {
  AngleViewModel model;
  const auto plan = planOf("pi", 4);
  model.setPlan(plan);
  model.setPosition(2000);
  const auto hands = clockHands(*plan, 2000);
  const auto plain = clockHands(rope::plainPlan(plan->context, "none"), 2000);
  const PlotTable table = model.clockTable();
  ASSERT_EQ(table.rows(), 32);
  for (std::size_t pair = 0; pair < 32; ++pair) {
    EXPECT_EQ(model.hands()[pair].direction, hands[pair].direction);
    EXPECT_EQ(table.columns[1].numbers[pair], hands[pair].angle);
    EXPECT_EQ(table.columns[4].numbers[pair], hands[pair].unseen ? 1.0 : 0.0);
    EXPECT_EQ(table.columns[5].numbers[pair], plain[pair].angle);
    EXPECT_EQ(table.columns[6].numbers[pair], plain[pair].unseen ? 1.0 : 0.0);
  }
  // 2,000 lies beyond the trained 1,024, and within what PI by 4 squeezes into it.
  const auto unseen = [](const ClockHand& hand) { return hand.unseen; };
  EXPECT_TRUE(std::none_of(hands.begin(), hands.end(), unseen));
  EXPECT_TRUE(std::any_of(plain.begin(), plain.end(), unseen));
  EXPECT_TRUE(model.describeClock(31).contains("training showed"));
  EXPECT_TRUE(model.describeClock(0).contains("went round"));
  EXPECT_TRUE(model.describeClock(32).isEmpty());
}

TEST(AngleViewModel, PlaysToTheEndAndStops) {
  AngleViewModel model;
  model.setPlan(planOf("yarn", 4));
  model.setPosition(4085);
  QSignalSpy playing(&model, &AngleViewModel::playingChanged);
  model.setPlaying(true);
  ASSERT_TRUE(playing.count() == 1 && playing.wait(5000));
  EXPECT_FALSE(model.isPlaying());
  EXPECT_EQ(model.position(), model.lastPosition());
}

TEST(AngleViewModel, HasNothingToShowWithoutAPlan) {
  AngleViewModel model;
  model.setPlan(nullptr);
  EXPECT_FALSE(model.hasPlan());
  EXPECT_TRUE(model.pairs().isEmpty());
  EXPECT_EQ(model.table().rows(), 0);
}

}  // namespace
}  // namespace ropescope::ui
