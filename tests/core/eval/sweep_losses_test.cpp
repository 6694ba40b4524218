#include "core/eval/sweep_losses.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/eval/sweep_report.h"
#include "core/eval/sweep_settings.h"
#include "tests/support/sweep_cells.h"

namespace ropescope {
namespace {

using namespace ropescope::test;
using testing::HasSubstr;

constexpr double kRounding = 1e-12;  // sums of a few doubles near 1

const LossGroup& group(const SweepLosses& losses, const std::string& base,
                       const std::string& variant) {
  const LossGroup* found = losses.find(base, variant);
  EXPECT_TRUE(found) << base << variant;
  return *found;
}

// By hand: windows of a: (3 * 3.0 + 4 * 2.0) / 7 = 17/7 and 20.5/7; b: 24/7 and 27.5/7. Their mean
// is 89 / 28; sums of residuals by book -7/7 and +7/7, so the error is sqrt(2 (1 + 1)) / 4 = 0.5.
TEST(SweepLosses, MeanByHand) {
  const SweepLosses losses(twoVariants());
  const auto mean = losses.mean(group(losses, "pi:factor=2", "lora"), 8, {0, 8});
  ASSERT_TRUE(mean);
  EXPECT_NEAR(mean->mean.mean, 89.0 / 28.0, kRounding);
  EXPECT_NEAR(*mean->mean.standardError, 0.5, kRounding);
  const auto late = losses.mean(group(losses, "pi:factor=2", "lora"), 8, {4, 8});
  EXPECT_NEAR(late->mean.mean, (2.0 + 2.5 + 3.0 + 3.5) / 4.0, kRounding);
  EXPECT_FALSE(losses.mean(group(losses, "pi:factor=2", "lora"), 16, {0, 16}));
}

// Mean difference -0.19; sums of residuals by book -0.22 and +0.22: sqrt(2 * 2 * 0.22^2) / 4 =
// 0.11.
TEST(SweepLosses, ComparesTheSameWindows) {
  const SweepLosses losses(twoVariants());
  const auto result = losses.compare(group(losses, "pi:factor=2", "psc"),
                                     group(losses, "pi:factor=2", "lora"), 8, {0, 8});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->paired.windows, 4);
  EXPECT_NEAR(result->paired.meanDifference, -0.19, kRounding);
  EXPECT_NEAR(*result->paired.standardError, 0.11, kRounding);
  EXPECT_FALSE(result->seedError);
  EXPECT_NEAR(*result->errors(), 0.19 / 0.11, 1e-9);
}

// Seeds with differences -0.19 and -0.6: mean -0.395, error over seeds 0.41 / 2 = 0.205.
TEST(SweepLosses, SeedsAreAveragedAndTheirSpreadIsAnErrorToo) {
  auto records = twoVariants();
  for (const char* book : {"a", "b"}) {
    records.push_back(cell("pi:factor=2", "lora", 1, book, {{3.0, 3.0}, {3.0, 3.0}}));
    records.push_back(cell("pi:factor=2", "psc", 1, book, {{2.4, 2.4}, {2.4, 2.4}}));
  }
  const SweepLosses losses(records);
  const auto result = losses.compare(group(losses, "pi:factor=2", "psc"),
                                     group(losses, "pi:factor=2", "lora"), 8, {0, 8});
  ASSERT_TRUE(result);
  EXPECT_NEAR(result->paired.meanDifference, -0.395, kRounding);
  EXPECT_NEAR(*result->paired.standardError, 0.055, kRounding);  // half of 0.11
  ASSERT_EQ(result->seedGains.size(), 2U);
  EXPECT_NEAR(result->seedGains[1], 1.0 - std::exp(-0.6), kRounding);
  EXPECT_NEAR(*result->seedError, 0.205, kRounding);
  EXPECT_NEAR(*result->errors(), 0.395 / 0.205, 1e-9);  // by the larger error
  EXPECT_NEAR(*result->gainError(), 0.205 * std::exp(-0.395), kRounding);
  EXPECT_THAT(sweepReport(recordsOf(records), {}), HasSubstr("+32.63 % ± 13.81"));
}

TEST(SweepLosses, AnUntrainedSettingStandsAgainstEverySeed) {
  auto records = twoVariants();
  records.push_back(cell("pi:factor=2", kUntrained, {}, "a", {{5.0, 5.0}, {5.0, 5.0}}));
  records.push_back(cell("pi:factor=2", kUntrained, {}, "b", {{5.0, 5.0}, {5.0, 5.0}}));
  const SweepLosses losses(records);
  const auto result = losses.compare(group(losses, "pi:factor=2", "psc"),
                                     group(losses, "pi:factor=2", kUntrained), 8, {0, 8});
  ASSERT_TRUE(result);
  EXPECT_NEAR(result->paired.meanDifference, 89.0 / 28.0 - 0.19 - 5.0, kRounding);
}

TEST(SweepLosses, ASeedThatLacksABookIsLeftOutAndNamed) {
  auto records = twoVariants();
  records.push_back(cell("pi:factor=2", "psc", 1, "a", {{1.0, 1.0}, {1.0, 1.0}}));
  const SweepLosses losses(records);
  ASSERT_EQ(losses.incomplete().size(), 1U);
  EXPECT_THAT(losses.incomplete()[0], HasSubstr("pi:factor=2,psc1 at 8: 1 of 2 books"));
  const auto mean = losses.mean(group(losses, "pi:factor=2", "psc"), 8, {0, 8});
  EXPECT_EQ(mean->seedMeans.size(), 1U);
}

// One setting on an extra book must not drop the others.
TEST(SweepLosses, ABookThatFewSettingsHaveIsLeftOutAndNamed) {
  auto records = twoVariants();
  records.push_back(cell("pi:factor=2", "psc", 0, "c", {{1.0, 1.0}, {1.0, 1.0}}));
  records.push_back(cell("yarn:factor=2", "psc", 0, "a", {{1.0, 1.0}, {1.0, 1.0}}));
  records.push_back(cell("yarn:factor=2", "psc", 0, "b", {{1.0, 1.0}, {1.0, 1.0}}));
  const SweepLosses losses(records);
  ASSERT_EQ(losses.incomplete().size(), 1U);
  EXPECT_EQ(losses.incomplete()[0], "c at 8: 1 of 3 settings have it, left out");
  EXPECT_EQ(losses.mean(group(losses, "pi:factor=2", "psc"), 8, {0, 8})->mean.windows, 4);
}

TEST(SweepLosses, GroupsAreSortedHoweverTheyWereMeasured) {
  const std::vector<std::vector<double>> any{{1.0, 1.0}};
  const SweepLosses losses(
      {cell("yarn:factor=8", kUntrained, {}, "a", any),
       cell("pi:factor=4", kUntrained, {}, "a", any), cell("yarn:factor=8", "psc", 0, "a", any),
       cell("pi:factor=2", "psc", 0, "a", any), cell("pi:factor=2", kUntrained, {}, "a", any),
       cell("none:factor=1", kUntrained, {}, "a", any)});
  std::vector<std::string> names;
  for (const auto& each : losses.groups()) names.push_back(each.base + " " + each.variant);
  EXPECT_THAT(names, testing::ElementsAre("none:factor=1 untrained", "pi:factor=2 untrained",
                                          "pi:factor=2 psc", "pi:factor=4 untrained",
                                          "yarn:factor=8 untrained", "yarn:factor=8 psc"));
}

// Late losses of psc fall by 0.2 more: the difference grows by that in every window.
TEST(SweepLosses, GrowthIsTheDifferenceOfTheDifferences) {
  auto records = twoVariants();
  for (PerplexityRecord& record : records) {
    if (record.setting.variant != "psc") continue;
    for (auto& window : record.losses) window[1] -= 0.2;
  }
  const SweepLosses losses(records);
  const auto growth = losses.growth(group(losses, "pi:factor=2", "psc"),
                                    group(losses, "pi:factor=2", "lora"), 8, {0, 4}, {4, 8});
  ASSERT_TRUE(growth);
  EXPECT_NEAR(growth->meanDifference, -0.2, kRounding);
  EXPECT_NEAR(*growth->standardError, 0.0, kRounding);

  // A second seed without any growth: -0.1 in the mean, and 0.2 / 2 as its error over seeds.
  for (const char* book : {"a", "b"}) {
    records.push_back(cell("pi:factor=2", "lora", 1, book, {{3.0, 3.0}, {3.0, 3.0}}));
    records.push_back(cell("pi:factor=2", "psc", 1, book, {{2.4, 2.4}, {2.4, 2.4}}));
  }
  const SweepLosses both(records);
  const auto unsure = both.growth(group(both, "pi:factor=2", "psc"),
                                  group(both, "pi:factor=2", "lora"), 8, {0, 4}, {4, 8});
  ASSERT_TRUE(unsure);
  EXPECT_NEAR(unsure->meanDifference, -0.1, kRounding);
  EXPECT_NEAR(*unsure->standardError, 0.1, kRounding);
}

}  // namespace
}  // namespace ropescope
