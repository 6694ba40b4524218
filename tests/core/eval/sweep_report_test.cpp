#include "core/eval/sweep_report.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/eval/sweep_settings.h"
#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;
using testing::HasSubstr;
using testing::Not;

constexpr double kRounding = 1e-12;  // sums of a few doubles near 1

// Windows of 8 tokens: index 0 has no loss, so a window with bins 4 and 8 has 3 and 4 scored
// tokens.
PerplexityRecord cell(const std::string& base, const std::string& variant,
                      std::optional<std::int64_t> seed, const std::string& book,
                      std::vector<std::vector<double>> losses) {
  PerplexityRecord record;
  const std::string name = seed ? "," + variant + std::to_string(*seed) : "," + variant;
  record.setting = {.label = base + name,
                    .base = base,
                    .method = base.substr(0, base.find(':')),
                    .factor = std::stod(base.substr(base.find('=') + 1)),
                    .variant = variant,
                    .seed = seed};
  record.length = 8;
  record.book = book;
  record.bookTokens = 100;
  record.windowsOfBook = static_cast<std::int64_t>(losses.size());
  record.binEnds = {4, 8};
  record.losses = std::move(losses);
  return record;
}

// Two books, two windows each. Differences psc - lora, mean over a window's 7 scored tokens:
// a: both windows -0.3; b: both windows -0.08.
std::vector<PerplexityRecord> twoVariants() {
  return {cell("pi:factor=2", "lora", 0, "a", {{3.0, 2.0}, {3.5, 2.5}}),
          cell("pi:factor=2", "lora", 0, "b", {{4.0, 3.0}, {4.5, 3.5}}),
          cell("pi:factor=2", "psc", 0, "a", {{2.7, 1.7}, {3.2, 2.2}}),
          cell("pi:factor=2", "psc", 0, "b", {{3.92, 2.92}, {4.42, 3.42}})};
}

const LossGroup& group(const SweepLosses& losses, const std::string& base,
                       const std::string& variant) {
  const LossGroup* found = losses.find(base, variant);
  EXPECT_TRUE(found) << base << variant;
  return *found;
}

SweepRecords recordsOf(std::vector<PerplexityRecord> cells) {
  SweepRecords records;
  records.header = {{"kind", "sweep"},     {"model", "tiny"},    {"model_hash", "0123456789abcdef"},
                    {"trained_length", 4}, {"dtype", "float32"}, {"bos", false}};
  records.perplexity = std::move(cells);
  return records;
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

TEST(SweepReport, ComparesPscWithEveryBaselineByDefault) {
  const auto pairs = defaultComparisons({{"pi", "pi", 4, kUntrained},
                                         {"pi", "pi", 4, "lora"},
                                         {"pi", "pi", 4, "wide"},
                                         {"pi", "pi", 4, "psc"},
                                         {"pi", "pi", 4, "psc-long"},
                                         {"pi", "pi", 4, "wide-fast"},
                                         {"pi", "pi", 4, "psc-fast"}});
  std::vector<std::string> texts;
  for (const auto& pair : pairs) texts.push_back(pair.candidate + "/" + pair.baseline);
  EXPECT_THAT(texts, testing::ElementsAre("psc/lora", "psc/wide", "psc-long/lora", "psc-long/wide",
                                          "psc-long/psc", "psc-fast/lora", "psc-fast/wide-fast",
                                          "psc-fast/psc", "lora/untrained", "wide/untrained",
                                          "psc/untrained", "psc-long/untrained",
                                          "wide-fast/untrained", "psc-fast/untrained"));
}

// Factor 2 of a model trained at 4 tokens: the target length is 8. -0.19 +- 0.11 nats are 1.7
// errors, -0.29 +- 0.11 are 2.6.
TEST(SweepReport, SaysWhatIsClearAndWhatIsNot) {
  std::string text = sweepReport(recordsOf(twoVariants()), {});
  EXPECT_THAT(text, HasSubstr("### psc against lora"));
  EXPECT_THAT(text, HasSubstr("+17.30 % ± 9.10"));  // 1 - exp(-0.19), 0.11 exp(-0.19)
  EXPECT_THAT(text, HasSubstr("no clear difference (1.7 standard errors by book)"));
  EXPECT_THAT(text, HasSubstr("**does not hold**: 0 of 1; no clear difference `pi:factor=2`."));
  // The same gain early and late, but for rounding.
  EXPECT_THAT(text, HasSubstr("0.0000 ± 0.0000: unclear"));
  EXPECT_THAT(text, HasSubstr("1 degree of freedom: two standard errors are 70 % confidence"));
  auto better = twoVariants();
  for (PerplexityRecord& record : better) {
    if (record.setting.variant != "psc") continue;
    for (auto& window : record.losses) window[0] -= 0.1, window[1] -= 0.1;
  }
  text = sweepReport(recordsOf(better), {});
  EXPECT_THAT(text, HasSubstr("better (2.6 standard errors by book)"));
  EXPECT_THAT(text, HasSubstr("**holds**: 1 of 1; better `pi:factor=2`."));
  // Turned round, the same is worse.
  text = sweepReport(recordsOf(better), {.comparisons = {{"lora", "psc"}}});
  EXPECT_THAT(text, HasSubstr("worse (2.6 standard errors by book)"));
  EXPECT_THAT(text, HasSubstr("### lora against psc"));
  text = sweepReport(recordsOf(better), {.comparisons = {{"lora", "wide"}}});
  EXPECT_THAT(text, HasSubstr("- lora against wide: no setting has perplexities under both"));
}

TEST(SweepReport, GrowthWithTheFactorIsPairedByBook) {
  auto records = twoVariants();
  for (PerplexityRecord record : twoVariants()) {  // factor 4: target 16
    record.setting.base = "pi:factor=4";
    record.setting.label = "pi:factor=4," + record.setting.variant;
    record.setting.factor = 4.0;
    record.length = 16;
    record.binEnds = {4, 8, 16};
    for (auto& window : record.losses) {
      // b gains 0.01 more than a does, so that the error is not 0.
      const double gain = record.book == "a" ? 0.3 : 0.31;
      if (record.setting.variant == "psc") window[0] -= gain, window[1] -= gain;
      window.push_back(window[1]);
    }
    records.push_back(record);
  }
  const std::string text = sweepReport(recordsOf(records), {});
  EXPECT_THAT(text, HasSubstr("| pi | 2 to 4 | 0.3050 ± 0.0050: grows |"));
  EXPECT_THAT(text, HasSubstr("\"The gain grows with every step of the factor\" **holds**: 1 of 1; "
                              "grows `pi 2 to 4`"));

  // Factor 8 gains 0.1 less than factor 4: one step grows, the next does not.
  auto three = records;
  for (PerplexityRecord record : records) {
    if (record.setting.factor != 4.0) continue;
    record.setting.base = "pi:factor=8";
    record.setting.label = "pi:factor=8," + record.setting.variant;
    record.setting.factor = 8.0;
    record.length = 32;
    record.binEnds = {4, 8, 32};
    for (auto& window : record.losses) {
      for (double& loss : window) loss += record.setting.variant == "psc" ? 0.1 : 0.0;
    }
    three.push_back(record);
  }
  const std::string steps = sweepReport(recordsOf(three), {});
  EXPECT_THAT(steps, HasSubstr("| pi | 4 to 8 | -0.1000 ± 0.0000: shrinks |"));
  EXPECT_THAT(steps, HasSubstr("| pi | 2 to 8 | 0.2050 ± 0.0050: grows |"));
  EXPECT_THAT(steps,
              HasSubstr("**does not hold**: 1 of 2; grows `pi 2 to 4`; shrinks `pi 4 to 8`"));

  // A second seed at factor 4 that gains 1.2 nats less: the mean rise is 0.305 - 0.6 = -0.295, and
  // half of 1.2 is the error over seeds.
  for (const PerplexityRecord& record : std::vector<PerplexityRecord>(records)) {
    if (record.setting.factor != 4.0) continue;
    PerplexityRecord second = record;
    second.setting.seed = 1;
    second.setting.label = record.setting.label.substr(0, record.setting.label.size() - 1) + "1";
    for (auto& window : second.losses) {
      for (double& loss : window) loss += second.setting.variant == "psc" ? 1.2 : 0.0;
    }
    records.push_back(second);
  }
  EXPECT_THAT(sweepReport(recordsOf(records), {}),
              HasSubstr("| pi | 2 to 4 | -0.2950 ± 0.6000: unclear |"));
}

// All windows of psc and lora; untrained on at most one window a book, which is another one: psc
// has that too.
TEST(SweepReport, ComparesOnlyTheSameWindows) {
  auto records = twoVariants();
  const auto one = [](const std::string& variant, double loss) {
    std::vector<PerplexityRecord> cells;
    for (const char* book : {"a", "b"}) {
      cells.push_back(cell("pi:factor=2", variant, 0, book, {{loss, loss}}));
      cells.back().windowsPerBook = 1;
      cells.back().windowsOfBook = 2;
    }
    return cells;
  };
  for (const auto& each : one("wide", 4.0)) records.push_back(each);
  std::string text = sweepReport(recordsOf(records), {});
  EXPECT_THAT(text, HasSubstr("### All windows"));
  EXPECT_THAT(text, HasSubstr("### At most 1 window a book"));
  EXPECT_THAT(text, HasSubstr("| a | 100 | 2, 1 |"));
  EXPECT_THAT(text, HasSubstr("psc against wide, pi:factor=2 at 8: no window was measured under "
                              "both"));
  EXPECT_THAT(text, Not(HasSubstr("### psc against wide")));
  for (const auto& each : one("psc", 3.9)) records.push_back(each);
  text = sweepReport(recordsOf(records), {});
  EXPECT_THAT(text, HasSubstr("| `pi:factor=2` | 8 | +9.52 % ± 0.00 |"));  // 1 - exp(-0.1)
  EXPECT_THAT(text, Not(HasSubstr("no window was measured")));
  // psc against lora has all four windows still.
  EXPECT_THAT(text, HasSubstr("+17.30 % ± 9.10"));
}

// By hand for lora: first bins 3.0, 3.5, 4.0, 4.5 are 3.75 on average, exp 42.52; all positions 89
// / 28, exp 24.01.
TEST(SweepReport, ShowsPerplexityAtEveryLengthOfOnePass) {
  const std::string text = sweepReport(recordsOf(twoVariants()), {});
  EXPECT_THAT(text, HasSubstr("## Perplexity as the context grows"));
  EXPECT_THAT(text, HasSubstr("One pass over each window of 8 tokens"));
  EXPECT_THAT(text, HasSubstr("All windows, 4 in all:\n\n| setting"));
  EXPECT_THAT(text, HasSubstr("| setting | variant | to 4 | to 8 |"));
  EXPECT_THAT(text, testing::ContainsRegex("`pi:factor=2` \\| lora \\| 42.52 ± [0-9.]+ \\| 24.01"));
}

// exp(4) = 54.60.
TEST(SweepReport, ShowsWhatHasFewerWindowsAsTheContextGrowsToo) {
  auto records = twoVariants();
  records.push_back(cell("pi:factor=2", "wide", 0, "a", {{4.0, 4.0}}));
  records.back().windowsPerBook = 1;
  const std::string text = sweepReport(recordsOf(records), {});
  const std::string growth = text.substr(text.find("## Perplexity as the context grows"));
  const auto fewer = growth.find("At most 1 window a book, 1 in all:");
  EXPECT_LT(growth.find("| `pi:factor=2` | lora | 42.52"), fewer);
  EXPECT_THAT(growth.substr(fewer), HasSubstr("| `pi:factor=2` | wide | 54.60 | 54.60 |"));
}

TEST(SweepReport, HasOnlySectionsWithData) {
  const std::string text = sweepReport(recordsOf(twoVariants()), {});
  EXPECT_THAT(text, HasSubstr("## Perplexity by length"));
  EXPECT_THAT(text, HasSubstr("windows of 8"));
  for (const char* absent :
       {"## Training", "## Pass keys", "## Questions", "## LongRoPE", "## Notes"}) {
    EXPECT_THAT(text, Not(HasSubstr(absent)));
  }
  EXPECT_EQ(text, sweepReport(recordsOf(twoVariants()), {}));
}

// Depths 0 and 1: all found up to 64; at 128 one of four at depth 1 is missed.
TEST(SweepReport, EffectiveContextNeedsEveryDepth) {
  const auto key = [](std::int64_t length, double depth, std::int64_t found) {
    return PasskeyRecord{.setting = {.base = "yarn:factor=2", .variant = "psc", .seed = 0},
                         .recipe = "yarn",
                         .length = length,
                         .depth = depth,
                         .found = found,
                         .trials = 4};
  };
  const std::string text = passkeySection({key(64, 0, 4), key(64, 1, 4), key(128, 0, 4),
                                           key(128, 1, 3), key(256, 0, 4), key(256, 1, 4)},
                                          "float32");
  EXPECT_THAT(text,
              HasSubstr("| `yarn:factor=2` | psc | 64 | 8/8 (4 4) | 7/8 (4 3) | 8/8 (4 4) |"));
  EXPECT_THAT(text, HasSubstr("at least 100 %"));
}

// Depth 1 of 128 is not measured, so 128 may be reached; of `none` nothing is known.
TEST(SweepReport, EffectiveContextOfAPartOfTheGridIsALowerBound) {
  const auto key = [](const char* base, std::int64_t length, double depth) {
    return PasskeyRecord{.setting = {.base = base, .variant = kUntrained},
                         .recipe = "yarn",
                         .length = length,
                         .depth = depth,
                         .found = 4,
                         .trials = 4};
  };
  const std::string text = passkeySection({key("pi", 64, 0), key("pi", 64, 1), key("pi", 128, 0),
                                           key("pi", 256, 1), key("none", 64, 0)},
                                          "float32");
  EXPECT_THAT(text, HasSubstr("| `pi` | untrained | at least 64 |"));
  EXPECT_THAT(text, HasSubstr("| `none` | untrained | not measured |"));
}

TEST(SweepReport, SaysThatSettingsHaveDifferentNumbersOfKeys) {
  const auto key = [](const char* base, std::int64_t trials) {
    return PasskeyRecord{.setting = {.base = base, .variant = kUntrained},
                         .recipe = "yarn",
                         .length = 64,
                         .depth = 0,
                         .found = 2,
                         .trials = trials};
  };
  const char* warning = "Settings differ in their number of keys";
  EXPECT_THAT(passkeySection({key("pi", 2), key("none", 8)}, "float32"), HasSubstr(warning));
  EXPECT_THAT(passkeySection({key("pi", 8), key("none", 8)}, "float32"), Not(HasSubstr(warning)));
}

// As in the tables of losses: without scaling first, then by method and by the factor's value.
TEST(SweepReport, RetrievalRowsAreOrderedByMethodAndFactor) {
  const auto key = [](const char* base, double factor) {
    return PasskeyRecord{
        .setting = {.base = base, .method = std::string(base).substr(0, 4), .factor = factor},
        .recipe = "yarn",
        .length = 64,
        .trials = 4};
  };
  const std::string text = passkeySection(
      {key("yarn:factor=16", 16.0), key("none", 1.0), key("yarn:factor=4", 4.0)}, "float32");
  const auto none = text.find("`none`");
  const auto four = text.find("`yarn:factor=4`");
  const auto sixteen = text.find("`yarn:factor=16`");
  EXPECT_LT(none, four);
  EXPECT_LT(four, sixteen);
  EXPECT_NE(sixteen, std::string::npos);
}

// Wilson's interval for 3 of 4 at 95 %, from the formula by hand: 0.301 to 0.954.
TEST(SweepReport, QuestionsOfSeveralSeedsAreAddedUp) {
  const auto answers = [](std::int64_t seed, std::int64_t correct) {
    return QuestionRecord{.setting = {.base = "none", .variant = "psc", .seed = seed},
                          .length = 1024,
                          .type = "fact",
                          .correct = correct,
                          .asked = 2};
  };
  const std::string text = questionSection({answers(0, 2), answers(1, 1)}, "float32");
  EXPECT_THAT(text, HasSubstr("### fact"));
  EXPECT_THAT(text, HasSubstr("| `none` | psc | 3/4 (30–95 %) |"));
}

// --- reading -----------------------------------------------------------------------------------

constexpr const char* kHeader =
    R"({"ropescope_results":1,"settings":{"kind":"sweep","model":"m","dtype":"float32"}})";

std::string record(const std::string& label, const std::string& losses,
                   const std::string& hash = "1f") {
  return R"({"key":{"measure":"perplexity","setting":")" + label + R"(","files":[")" + hash +
         R"("],"length":8,"book":"a","book_sha256":"0a",)" +
         R"("windows_per_book":0},"base":"pi","method":"pi","factor":2.0,)" +
         R"("variant":"psc","seed":3,"book_tokens":9,"windows_of_book":1,"bin_ends":[8],"losses":)" +
         losses + R"(,"device":"cpu","version":"1"})";
}

class SweepFiles : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& name, const std::string& text) const {
    std::ofstream(temp.path() / name) << text;
    return temp.path() / name;
  }
  TempDir temp;
};

TEST_F(SweepFiles, OfACellMeasuredAgainTheLastCounts) {
  const auto path =
      file("a.jsonl", std::string(kHeader) + "\n" + record("x", "[[3.0]]") + "\n" +
                          record("y", "[[1.0]]") + "\n" + record("x", "[[2.0]]") + "\n");
  const auto records = readSweepRecords({path});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->perplexity.size(), 2U);
  EXPECT_EQ(records->perplexity[0].losses[0][0], 2.0);
  EXPECT_EQ(records->perplexity[0].setting.seed, 3);
  ASSERT_EQ(records->notices.size(), 1U);
  EXPECT_THAT(records->notices[0], HasSubstr("x, perplexity at 8, a was measured again"));
}

std::string passkeyRecord(int found, int trials) {
  return R"({"key":{"measure":"passkey","setting":"x","files":["1f"],"length":8,"recipe":"yarn"},)"
         R"("base":"pi","method":"pi","factor":2.0,"variant":"psc","seed":3,"depth":0.5,"found":)" +
         std::to_string(found) + R"(,"trials":)" + std::to_string(trials) +
         R"(,"device":"cpu","version":"1"})";
}

std::string questionRecord(int correct, int asked) {
  return R"({"key":{"measure":"questions","setting":"x","files":["1f"],"length":8},)"
         R"("base":"pi","method":"pi","factor":2.0,"variant":"psc","seed":3,)"
         R"("types":[{"type":"fact","asked":)" +
         std::to_string(asked) + R"(,"correct":)" + std::to_string(correct) +
         R"(}],"device":"cpu","version":"1"})";
}

// The first trials of a longer series are the shorter one: added up they would count twice.
TEST_F(SweepFiles, OfACellMeasuredWithFewerTrialsTooTheMostCount) {
  const std::string more = passkeyRecord(7, 8) + "\n" + questionRecord(20, 24) + "\n";
  const std::string fewer = passkeyRecord(1, 2) + "\n" + questionRecord(3, 6) + "\n";
  for (const auto& text : {more + fewer, fewer + more}) {
    const auto records = readSweepRecords({file("a.jsonl", std::string(kHeader) + "\n" + text)});
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_EQ(records->passkey.size(), 1U);
    EXPECT_EQ(records->passkey[0].trials, 8);
    EXPECT_EQ(records->passkey[0].found, 7);
    ASSERT_EQ(records->questions.size(), 1U);
    EXPECT_EQ(records->questions[0].asked, 24);
    EXPECT_EQ(records->questions[0].correct, 20);
    ASSERT_EQ(records->notices.size(), 1U);
    EXPECT_EQ(records->notices[0],
              "2 cells were measured with fewer trials as well, those with the most count");
  }
}

TEST_F(SweepFiles, SaysThatCellsAreOfSeveralDevices) {
  std::string onGpu = record("pi:factor=2", "[[2.0]]");
  const std::string device = R"("device":"cpu")";
  ASSERT_NE(onGpu.find(device), std::string::npos);
  onGpu.replace(onGpu.find(device), device.size(), R"("device":"cuda:0")");
  const auto path = file(
      "a.jsonl", std::string(kHeader) + "\n" + record("none", "[[3.0]]") + "\n" + onGpu + "\n");
  const auto records = readSweepRecords({path});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->notices.size(), 1U);
  EXPECT_THAT(records->notices[0], HasSubstr("measured on cpu and cuda:0"));
}

// Cells of a calibration that was trained anew: those of the old one must not be averaged in.
TEST_F(SweepFiles, OfAChangedFileOnlyTheLastContentCounts) {
  std::string otherBook = record("x", "[[9.0]]", "old");
  otherBook.replace(otherBook.find("\"book\":\"a\""), 10, "\"book\":\"b\"");
  const auto path =
      file("a.jsonl", std::string(kHeader) + "\n" + record("x", "[[3.0]]", "old") + "\n" +
                          otherBook + "\n" + record("x", "[[2.0]]", "new") + "\n");
  const auto records = readSweepRecords({path});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->perplexity.size(), 1U);
  EXPECT_EQ(records->perplexity[0].book, "a");
  EXPECT_EQ(records->perplexity[0].losses[0][0], 2.0);
  ASSERT_EQ(records->notices.size(), 2U);
  EXPECT_THAT(records->notices[1],
              HasSubstr("1 cell of x are of an earlier content of its file and left out"));
}

TEST_F(SweepFiles, OfAChangedBookOnlyTheLastContentCounts) {
  std::string changed = record("y", "[[2.0]]");
  changed.replace(changed.find("0a"), 2, "0b");
  const auto path =
      file("a.jsonl", std::string(kHeader) + "\n" + record("x", "[[3.0]]") + "\n" + changed + "\n");
  const auto records = readSweepRecords({path});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->perplexity.size(), 1U);
  EXPECT_EQ(records->perplexity[0].setting.label, "y");
  ASSERT_EQ(records->notices.size(), 1U);
  EXPECT_THAT(records->notices[0], HasSubstr("1 cell of a"));
}

// As psc train --json writes it; several one behind the other.
TEST_F(SweepFiles, ReadsTrainings) {
  const std::string training = R"({
 "settings": {"command":"psc train","dtype":"bfloat16","device":"cpu","seed":2,"context":4096,
   "steps":12,
   "rope":{"method":"pi","factor":4.0},"corpus":["books/a.txt","books/b.txt"],
   "training":{"LoRA rank":"8","LoRA alpha":"16","phase modules":"off","rate":"0.001",
     "init":"none"}},
 "losses": [5.0,4.0,3.0,3.0,3.0,3.0,3.0,3.0,3.0,3.0,3.0,1.0],
 "steps_done": 12, "parameters": 122880, "tokens_per_step": 8192, "training_seconds": 90.0,
 "out": "build/pi-4x-lora-seed2.safetensors", "end": "finished"
}
)";
  std::string other = training;
  other.replace(other.find("seed2.safe"), 5, "seed9");
  const auto records = readSweepRecords({file("t.json", training + other)});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->trainings.size(), 2U);
  const TrainingRecord& first = records->trainings[0];
  EXPECT_EQ(first.name, "pi-4x-lora-seed2");
  EXPECT_EQ(first.firstLoss, 5.0);
  EXPECT_NEAR(first.lastLoss, (9 * 3.0 + 1.0) / 10.0, kRounding);
  const std::string text = trainingSection(records->trainings);
  EXPECT_THAT(text, HasSubstr("| pi-4x-lora-seed2 | 12 | 98,304 | 1.5 | 5.0000 | 2.8000 |\n"));
  EXPECT_THAT(text, HasSubstr("The same for all runs: method pi, factor 4, context 4,096, seed 2, "
                              "modules LoRA r8, parameters 122,880, alpha 16, rate 0.001, start "
                              "none, corpus 2 files, dtype bfloat16, device cpu."));
  EXPECT_THAT(text, HasSubstr("2 runs, 3.0 minutes together"));
  EXPECT_THAT(text, HasSubstr("saw the same windows in the same order"));
}

// As longrope search --json writes its judgement; -0.02 +- 0.004 nats are five errors.
TEST_F(SweepFiles, ReadsSearches) {
  const auto records = readSweepRecords({file("s.json", R"({
 "settings": {"command":"longrope search","dtype":"bfloat16","out":"f/longrope-4x.json"},
 "evaluations": 300,
 "judge": {"length":4096,"windows":40,"books":4,"found":{"perplexity":30.0},"methods":[
  {"method":"pi","perplexity":31.0,"found_minus_method":-0.02,"difference_standard_error":0.004},
  {"method":"yarn","perplexity":29.9,"found_minus_method":0.003,"difference_standard_error":0.002}]}
})")});
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->searches.size(), 2U);
  const std::string text = searchSection(records->searches);
  EXPECT_THAT(text, HasSubstr("| longrope-4x | 4,096 | 300 | pi | 30.00 | 31.00 | -0.0200 ± 0.0040 "
                              "| better by 5.0 standard errors | 40 | 4 | bfloat16 |"));
  EXPECT_THAT(text, HasSubstr("no clear difference (1.5 standard errors)"));
}

TEST(SweepReport, SaysWhichRunsSawOtherWindows) {
  const TrainingRecord lora{.name = "lora", .tokensPerStep = 64, .corpus = {"a.txt"}};
  TrainingRecord psc = lora;
  psc.name = "psc";
  psc.steps = 9;  // more of the same windows
  psc.rate = "0.003";
  psc.device = "cuda:0";
  std::string text = trainingSection({lora, psc});
  EXPECT_THAT(text, HasSubstr("saw the same windows in the same order"));
  EXPECT_THAT(text, HasSubstr("| rate | device |"));  // columns where the runs differ
  psc.corpusFiles = 2;                                // a folder that has grown
  text = trainingSection({lora, psc});
  EXPECT_THAT(text, HasSubstr("and seed saw: psc."));
  EXPECT_THAT(text, HasSubstr("| corpus |"));
  psc.corpusFiles = lora.corpusFiles;
  psc.corpus = {"b.txt"};
  text = trainingSection({lora, psc});
  EXPECT_THAT(text,
              HasSubstr("Other windows than the first run of the same method, factor, context "
                        "and seed saw: psc."));
}

TEST(SweepReport, SaysTheBudgetOnceWhenAllHaveIt) {
  const TrainingRecord run{.steps = 60, .tokensPerStep = 8192};
  TrainingRecord longer = run;
  longer.steps = 120;
  EXPECT_EQ(budgetText({run, run}, {}), "Every variant was trained for 60 steps of 8,192 tokens.");
  EXPECT_THAT(budgetText({run, longer}, {}), HasSubstr("differ"));
  TrainingRecord coarser = run;  // half the steps of twice the tokens
  coarser.steps = 30;
  coarser.tokensPerStep = 16384;
  EXPECT_EQ(budgetText({run, coarser}, {}), "Every variant was trained on 491,520 tokens.");
  EXPECT_EQ(budgetText({}, {}), "");
  TrainingRecord named = run;
  named.name = "psc";
  EXPECT_EQ(budgetText({named}, {"psc", "lora"}),
            "The variants that are known were trained for 60 steps of 8,192 tokens. How 1 of 2 "
            "calibrations were trained "
            "is not among these files.");
  EXPECT_THAT(budgetText({}, {"lora"}), HasSubstr("How 1 of 1 calibration"));
  SweepRecords records = recordsOf(twoVariants());
  records.trainings = {run};
  EXPECT_THAT(sweepReport(records, {}), HasSubstr("2 books, each read once from its start, every "
                                                  "token scored, float32. Every variant was "
                                                  "trained for 60 steps of 8,192 tokens."));
}

TEST_F(SweepFiles, RefusesWhatDoesNotBelongTogether) {
  const auto good = file("good.jsonl", std::string(kHeader) + "\n" + record("x", "[[3.0]]") + "\n");
  const auto other = file(
      "other.jsonl", R"({"ropescope_results":1,"settings":{"kind":"sweep","dtype":"bfloat16"}})"
                     "\n");
  expectError(readSweepRecords({good, other}), ErrorCode::InvalidArgument,
              {"other.jsonl", "float32", "one report for each"});
  expectError(readSweepRecords({file("p.json", R"({"settings":{"command":"perplexity"}})")}),
              ErrorCode::InvalidArgument, {"p.json", "'perplexity'", "psc train"});
  expectError(readSweepRecords(
                  {file("k.jsonl", R"({"ropescope_results":1,"settings":{"command":"passkey"}})"
                                   "\n")}),
              ErrorCode::InvalidArgument, {"k.jsonl", "'passkey'"});
  expectError(readSweepRecords({file(
                  "b.jsonl", std::string(kHeader) + "\n" + record("x", "[[3.0, 1.0]]") + "\n")}),
              ErrorCode::CorruptFile, {"b.jsonl", "2 losses for 1 bins"});
  expectError(readSweepRecords({file("m.jsonl", std::string(kHeader) + "\n{\"key\":{}}\n")}),
              ErrorCode::CorruptFile, {"m.jsonl", "'base'"});
  expectError(readSweepRecords({file("t.json", R"({"settings":{"command":"psc train"}})")}),
              ErrorCode::CorruptFile, {"t.json", "psc train", "training"});
  expectError(readSweepRecords({file("x.json", "{\"settings\": ")}), ErrorCode::CorruptFile,
              {"x.json", "no JSON"});
  expectError(readSweepRecords({temp.path() / "none.jsonl"}), ErrorCode::NotFound, {"none.jsonl"});
}

}  // namespace
}  // namespace ropescope
