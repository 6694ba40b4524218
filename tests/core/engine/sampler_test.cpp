#include "core/engine/sampler.h"

#include <cmath>
#include <limits>
#include <map>

#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

// Probabilities 0.5, 0.25, 0.15, 0.06, 0.04, in mixed order of ids.
const std::vector<float> kLogits = [] {
  std::vector<float> logits;
  for (const double p : {0.06, 0.5, 0.04, 0.25, 0.15}) {
    logits.push_back(static_cast<float>(std::log(p)));
  }
  return logits;
}();

std::map<std::int32_t, double> shares(const GenerationConfig& config, int draws = 20000) {
  Sampler sampler(config);
  std::map<std::int32_t, double> counts;
  for (int i = 0; i < draws; ++i) counts[sampler.draw(kLogits).id] += 1.0 / draws;
  return counts;
}

// Three standard deviations of 20,000 draws at p = 0.5 are 0.011.
constexpr double kDrawn = 0.012;

TEST(Sampler, GreedyTakesTheLargestAndTheLowestIdOfEquals) {
  Sampler greedy({});
  EXPECT_EQ(greedy.draw(kLogits).id, 1);
  EXPECT_EQ(greedy.draw(std::vector<float>{1.0F, 3.0F, 3.0F, 2.0F}).id, 1);
  EXPECT_NEAR(greedy.draw(kLogits).logProbability, std::log(0.5), 1e-7);
}

TEST(Sampler, DrawsAsTheModelSays) {
  const auto drawn = shares({.temperature = 1.0, .seed = 1});
  EXPECT_NEAR(drawn.at(1), 0.5, kDrawn);
  EXPECT_NEAR(drawn.at(3), 0.25, kDrawn);
  EXPECT_NEAR(drawn.at(4), 0.15, kDrawn);
  EXPECT_NEAR(drawn.at(0), 0.06, kDrawn);
  EXPECT_NEAR(drawn.at(2), 0.04, kDrawn);
}

TEST(Sampler, TemperatureSquaresAtOneHalf) {
  const auto drawn = shares({.temperature = 0.5, .seed = 2});
  const double sum = 0.25 + 0.0625 + 0.0225 + 0.0036 + 0.0016;
  EXPECT_NEAR(drawn.at(1), 0.25 / sum, kDrawn);
  EXPECT_NEAR(drawn.at(3), 0.0625 / sum, kDrawn);
}

TEST(Sampler, TopKKeepsTheBest) {
  const auto drawn = shares({.temperature = 1.0, .topK = 2, .seed = 3});
  ASSERT_EQ(drawn.size(), 2U);
  EXPECT_NEAR(drawn.at(1), 0.5 / 0.75, kDrawn);
  EXPECT_NEAR(drawn.at(3), 0.25 / 0.75, kDrawn);
  EXPECT_EQ(shares({.temperature = 1.0, .topK = 1}, 100).size(), 1U);
  EXPECT_EQ(shares({.temperature = 1.0, .topK = 1000}).size(), 5U);
}

TEST(Sampler, TopPKeepsTheSmallestSetThatReachesIt) {
  EXPECT_EQ(shares({.temperature = 1.0, .topP = 0.49}, 1000).size(), 1U);
  EXPECT_EQ(shares({.temperature = 1.0, .topP = 0.51}, 1000).size(), 2U);
  EXPECT_EQ(shares({.temperature = 1.0, .topP = 0.8}, 1000).size(), 3U);
  const auto drawn = shares({.temperature = 1.0, .topP = 0.8, .seed = 4});
  EXPECT_NEAR(drawn.at(1), 0.5 / 0.9, kDrawn);
  EXPECT_NEAR(drawn.at(3), 0.25 / 0.9, kDrawn);
  EXPECT_NEAR(drawn.at(4), 0.15 / 0.9, kDrawn);
}

// Of the two left by topK, 0.5 / 0.75 = 0.67 reaches 0.6 alone.
TEST(Sampler, TopPCountsWhatTopKLeft) {
  EXPECT_EQ(shares({.temperature = 1.0, .topP = 0.6, .topK = 2}, 1000).size(), 1U);
  EXPECT_EQ(shares({.temperature = 1.0, .topP = 0.7, .topK = 2}, 1000).size(), 2U);
}

TEST(Sampler, TheSeedDecides) {
  const auto draw = [](std::uint64_t seed) {
    Sampler sampler({.temperature = 1.0, .seed = seed});
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 50; ++i) ids.push_back(sampler.draw(kLogits).id);
    return ids;
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
}

TEST(Sampler, LogProbabilityIsThatOfTheModelWithoutCutOffs) {
  Sampler sampler({.temperature = 0.3, .topP = 0.9, .topK = 2, .seed = 5});
  for (int i = 0; i < 20; ++i) {
    const auto token = sampler.draw(kLogits);
    EXPECT_NEAR(token.logProbability, kLogits[static_cast<std::size_t>(token.id)], 1e-6);
  }
}

TEST(Sampler, RefusesSettingsThatCannotWork) {
  const auto refused = [](const GenerationConfig& config, const std::vector<std::string>& parts) {
    expectError(validate(config), ErrorCode::InvalidArgument, parts);
  };
  EXPECT_TRUE(validate({}));
  refused({.maxNewTokens = 0}, {"max-new-tokens is 0"});
  refused({.temperature = -1.0}, {"temperature is -1"});
  refused({.temperature = std::numeric_limits<double>::quiet_NaN()}, {"temperature is"});
  refused({.temperature = std::numeric_limits<double>::infinity()}, {"temperature is inf"});
  refused({.topP = 0.0}, {"top-p is 0"});
  refused({.topP = 1.01}, {"top-p is 1.01"});
  refused({.topK = -1}, {"top-k is -1"});
}

TEST(Sampler, ASeededAnswerIsReproducible) {
  const auto engine = loadEngine(storiesPath());
  const auto answer = [&](std::uint64_t seed) {
    auto session = newSession(engine, {.contextTokens = 100});
    EXPECT_TRUE(session->prefill({storyIds(*engine, 20)}, {}));
    const auto generation = session->generate(
        {.maxNewTokens = 40, .temperature = 1.0, .topP = 0.95, .seed = seed}, {}, {});
    Ids ids;
    for (const auto& token : generation->tokens) ids.push_back(token.id);
    return ids;
  };
  EXPECT_EQ(answer(1), answer(1));
  EXPECT_NE(answer(1), answer(2));
}

// Greedy from BOS stories260K tells its story; stopping at EOS leaves EOS out.
TEST(Sampler, StopsAtEosWithoutIt) {
  TempDir temp;
  const auto model = copyOf(storiesPath(), temp);
  editConfig(model, [](auto& json) { json["eos_token_id"] = {2, 432}; });  // a token of the story
  const auto engine = loadEngine(model);
  auto session = newSession(engine, {.contextTokens = 64});
  ASSERT_TRUE(session->prefill({{1}}, {}));
  const auto generation = session->generate({.maxNewTokens = 40}, {}, {});
  ASSERT_TRUE(generation);
  EXPECT_EQ(finishReasonName(generation->finishReason), "eos");
  Ids ids;
  for (const auto& token : generation->tokens) ids.push_back(token.id);
  EXPECT_EQ(ids, (Ids{403, 407, 261, 378}));
  // EOS switched off: on to the length.
  ASSERT_TRUE(session->prefill({{1}}, {}));
  const auto on = session->generate({.maxNewTokens = 40, .stopAtEos = false}, {}, {});
  ASSERT_TRUE(on);
  EXPECT_EQ(on->tokens.size(), 40U);
  EXPECT_EQ(on->tokens[4].id, 432);
}

}  // namespace
}  // namespace ropescope
