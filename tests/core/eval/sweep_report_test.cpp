#include "core/eval/sweep_report.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/eval/sweep_settings.h"
#include "tests/support/sweep_cells.h"

namespace ropescope {
namespace {

using namespace ropescope::test;
using testing::HasSubstr;
using testing::Not;

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

}  // namespace
}  // namespace ropescope
