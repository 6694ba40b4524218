#include "ui/viewmodels/coverage_view_model.h"

#include <numeric>

#include <gtest/gtest.h>

#include "core/rope/rope_math.h"

namespace ropescope::ui {
namespace {

constexpr double kSum = 1e-12;  // a sum of up to 4,096 doubles around 1e-4

std::shared_ptr<const rope::RotaryPlan> planOf(const char* method) {
  const rope::RopeContext context{
      .base = 1e4, .headDim = 64, .originalLength = 1024, .plannedLength = 4096, .factor = 4};
  return std::make_shared<const rope::RotaryPlan>(*rope::findMethod(method)->plan(context, {}));
}

// Most attention near, 0.2 of it at 2,500, 0.1 on the first tokens.
std::shared_ptr<const DistanceMass> someMass() {
  auto mass = std::make_shared<DistanceMass>();
  mass->queries = {2990, 3000};
  mass->byDistance.resize(3000);
  for (std::size_t i = 0; i < 100; ++i) mass->byDistance[i] = 0.007;
  mass->byDistance[2500] = 0.2;
  mass->ignored = 0.1;
  return mass;
}

// Head size 64, base 10,000, 1,024 tokens: pair i turns 1024 / (2 pi 10^(i / 8)) times; less than
// one turn from i = 8 log10(162.97) = 17.7 on, so that pairs 18 … 31, 14 of 32, never went round.
TEST(CoverageViewModel, SaysHowManyPairsAndHowMuchAttention) {
  CoverageViewModel model;
  model.setPlans(planOf("none"), {});
  EXPECT_EQ(model.distance(), 1024);
  EXPECT_EQ(model.longest(), 4095);
  EXPECT_TRUE(model.sentence().contains("14 of 32 pairs")) << qPrintable(model.sentence());
  EXPECT_FALSE(model.sentence().contains("attention"));
  model.setMass(someMass(), "the answer's", "made");
  EXPECT_TRUE(model.sentence().contains("20 % of the answer's attention"))
      << qPrintable(model.sentence());
  model.setDistance(1023);
  EXPECT_TRUE(model.sentence().contains("no pair")) << qPrintable(model.sentence());
  model.setDistance(2501);
  EXPECT_TRUE(model.sentence().contains("0.0 % of the answer's attention"));
  model.setDistance(1'000'000);
  EXPECT_EQ(model.distance(), 4095);
}

TEST(CoverageViewModel, ComparesWithPlainRope) {
  CoverageViewModel model;
  model.setPlans(planOf("yarn"), {*planOf("none"), *planOf("pi"), *planOf("ntk")});
  ASSERT_EQ(model.plans().size(), 4U);  // "none" equals plain RoPE
  EXPECT_EQ(model.reference().title, model.plans()[1].title);
  model.setDistance(2000);
  EXPECT_TRUE(model.sentence().contains("no pair"));
  EXPECT_TRUE(model.sentence().contains(": 14)")) << qPrintable(model.sentence());
  model.show(1);
  EXPECT_EQ(model.reference().title, model.plans()[0].title);
  EXPECT_TRUE(model.sentence().contains("14 of 32 pairs"));
  EXPECT_TRUE(model.describe(3000, 31).contains("1,024") ||
              model.describe(3000, 31).contains("1024"));
  EXPECT_TRUE(model.describe(3000, 0).contains("went round"));
  EXPECT_TRUE(model.describe(3000, 32).isEmpty());
}

TEST(CoverageViewModel, KeepsTheShownMethodOverANewSession) {
  CoverageViewModel model;
  model.setPlans(planOf("yarn"), {*planOf("pi"), *planOf("ntk")});
  model.show(2);
  const QString title = model.shown().title;
  model.setPlans(planOf("none"), {*planOf("yarn"), *planOf("pi"), *planOf("ntk")});
  EXPECT_EQ(model.shown().title, title);
  model.setPlans(nullptr, {});
  EXPECT_FALSE(model.hasPlan());
  EXPECT_EQ(model.table().rows(), 0);
}

TEST(CoverageViewModel, BinsHoldEveryDistanceOnce) {
  for (const DistanceScale scale : {DistanceScale::Linear, DistanceScale::Logarithmic}) {
    CoverageViewModel model;
    model.setScale(scale);
    model.setPlans(planOf("none"), {});
    const auto mass = someMass();
    model.setMass(mass, "the answer's", "made");
    std::int64_t next = 0;
    double sum = 0.0;
    for (const MassBin& bin : model.bins()) {
      EXPECT_EQ(bin.begin, next);
      EXPECT_GT(bin.end, bin.begin);
      next = bin.end;
      sum += bin.share;
    }
    EXPECT_EQ(next, 4096);
    EXPECT_NEAR(sum, mass->atLeast(0), kSum);
  }
}

TEST(CoverageViewModel, TablesTheCoresNumbers) {
  CoverageViewModel model;
  const auto plan = planOf("ntk");
  model.setPlans(plan, {});
  model.setMass(someMass(), "the answer's", "made");
  const PlotTable table = model.table();
  ASSERT_EQ(table.rows(), static_cast<int>(model.bins().size()));
  ASSERT_EQ(table.columns.size(), 5U);
  const auto unseen = unseenFrom(*plan);
  const auto plain = unseenFrom(rope::plainPlan(plan->context, "none"));
  for (std::size_t row = 0; row < model.bins().size(); ++row) {
    const MassBin& bin = model.bins()[row];
    EXPECT_EQ(table.columns[0].numbers[row], static_cast<double>(bin.begin));
    EXPECT_EQ(table.columns[2].numbers[row], bin.share);
    EXPECT_EQ(table.columns[3].numbers[row], unseenPairs(unseen, bin.begin));
    EXPECT_EQ(table.columns[4].numbers[row], unseenPairs(plain, bin.begin));
  }
}

}  // namespace
}  // namespace ropescope::ui
