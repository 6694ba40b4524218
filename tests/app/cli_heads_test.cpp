// heads: the copy test as JSON and as a table. What the numbers mean is tested in core_tests.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::HasSubstr;

std::vector<std::string> heads(const std::string& seed) {
  return {"heads",  "--model", stories().string(), "--prompts", "3",        "--repeat", "60",
          "--seed", seed,      "--rope",           "yarn",      "--factor", "4"};
}

TEST(Heads, RanksEveryHeadOnceAndRepeatsItself) {
  const Json json = result(heads("9"));
  EXPECT_EQ(json.at("repeat_tokens"), 60);
  EXPECT_EQ(json.at("prompts"), 3);
  const Json& ranking = json.at("heads");
  ASSERT_EQ(ranking.size(), 40U);  // 5 layers of 8 heads
  std::set<std::pair<int, int>> seen;
  double before = 1.0;
  for (std::size_t i = 0; i < ranking.size(); ++i) {
    EXPECT_EQ(ranking[i].at("rank"), i + 1);
    const double score = ranking[i].at("score");
    EXPECT_GE(score, 0.0);
    EXPECT_LE(score, before);
    EXPECT_GE(ranking[i].at("standard_error").get<double>(), 0.0);
    EXPECT_LE(ranking[i].at("copy_rate").get<double>(), 1.0);
    seen.emplace(ranking[i].at("layer").get<int>(), ranking[i].at("head").get<int>());
    before = score;
  }
  EXPECT_EQ(seen.size(), 40U);
  EXPECT_EQ(result(heads("9")).at("heads"), ranking);
  EXPECT_NE(result(heads("10")).at("heads"), ranking);
}

TEST(Heads, PrintsATableAndSaysHowItWasMeasured) {
  const Outcome outcome = run({"heads", "--model", stories().string(), "--prompts", "2"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("2 prompts of 2 x "));
  EXPECT_THAT(outcome.out, HasSubstr("std. error"));
  EXPECT_THAT(outcome.out, HasSubstr("of 40 heads copy"));
}

TEST(Heads, RefusesOnePromptAndAStretchThatDoesNotFit) {
  const Outcome one = run({"heads", "--prompts", "1"});
  EXPECT_EQ(one.status, 2);
  EXPECT_THAT(one.err, HasSubstr("at least 2"));
  const Outcome tooLong = run({"heads", "--model", stories().string(), "--repeat", "100000"});
  EXPECT_EQ(tooLong.status, 1);
  EXPECT_THAT(tooLong.err, HasSubstr("100,000 tokens"));
}

}  // namespace
}  // namespace ropescope::cli_tests
