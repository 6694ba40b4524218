// The search itself, with losses that are known in closed form: no model.
#include "core/calibration/longrope_search.h"

#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "core/calibration/longrope_log.h"
#include "tests/support/test_models.h"

namespace ropescope::calibration {
namespace {

using namespace ropescope::test;

constexpr SearchVariant kVariants[] = {SearchVariant::Paper, SearchVariant::Piecewise,
                                       SearchVariant::Critical, SearchVariant::Local};
constexpr double kRounding = 1e-12;  // of sums in double

// A head of 16 dimensions, 64 tokens stretched to 256.
rope::RopeContext smallContext() {
  return {.base = 1e4, .headDim = 16, .originalLength = 64, .plannedLength = 256, .factor = 4.0};
}

SearchSpace spaceOf(const SearchSettings& settings,
                    const rope::RopeContext& context = smallContext()) {
  auto space = makeSearchSpace(context, settings);
  EXPECT_TRUE(space) << space.error().message;
  return space ? *std::move(space) : SearchSpace{};
}

// Mean squared difference of the logarithms to a hidden curve; 0 only there.
CandidateScore distanceTo(std::vector<double> hidden) {
  return [hidden](const Candidate& candidate) -> Result<double> {
    double sum = 0.0;
    for (std::size_t pair = 0; pair < hidden.size(); ++pair) {
      const double difference = std::log(candidate.factors[pair] / hidden[pair]);
      sum += difference * difference;
    }
    return sum / static_cast<double>(hidden.size());
  };
}

const std::vector<double> kHidden = {1.0, 1.1, 1.3, 2.2, 4.1, 4.2, 4.5, 4.9};

SearchResult searched(const SearchSettings& settings, const SearchHooks& hooks,
                      const JobControl& job = {}) {
  const SearchSpace space = spaceOf(settings);
  auto result = searchFactors(space, settings, hooks, job);
  EXPECT_TRUE(result) << result.error().message;
  return result ? *std::move(result) : SearchResult{};
}

std::string textOf(const std::vector<Evaluation>& evaluations) {
  std::string text;
  for (const Evaluation& each : evaluations) text += recordOf(each).dump() + "\n";
  return text;
}

TEST(FactorSeeds, AreTheMethodsTrueDivisors) {
  const SearchSpace space = spaceOf({});
  ASSERT_EQ(space.seeds.size(), 3U);
  EXPECT_EQ(space.seeds[0].name, "pi");
  EXPECT_EQ(space.seeds[1].name, "ntk");
  EXPECT_EQ(space.seeds[2].name, "yarn");
  // PI: s everywhere. NTK: s^(2 i / (D - 2)), D = 16 (arXiv:2309.00071, 3.1).
  for (std::size_t pair = 0; pair < 8; ++pair) {
    EXPECT_NEAR(space.seeds[0].candidate.factors[pair], 4.0, kRounding);
    EXPECT_NEAR(space.seeds[1].candidate.factors[pair],
                std::pow(4.0, static_cast<double>(pair) / 7.0), kRounding);
  }
  // YaRN: correction range by hand, D ln(L / (2 pi r)) / (2 ln b) with r = 32 and 1: -0.993 and
  // 2.016, so pairs 0 to 3; lambda = s / (rho + s (1 - rho)) with rho = pair / 3.
  const double yarn[] = {1.0, 4.0 / 3.0, 2.0, 4.0, 4.0, 4.0, 4.0, 4.0};
  for (std::size_t pair = 0; pair < 8; ++pair) {
    EXPECT_NEAR(space.seeds[2].candidate.factors[pair], yarn[pair], kRounding);
  }
}

TEST(FactorSeeds, PlainRopeIsOneWithinTheTrainedLengthAndEqualSeedsAreOne) {
  rope::RopeContext context = smallContext();
  context.plannedLength = 64;
  const SearchSpace shortSpace = spaceOf({}, context);
  ASSERT_EQ(shortSpace.seeds.size(), 4U);
  EXPECT_EQ(shortSpace.seeds[0].name, "none");
  context.factor = 1.0;
  const SearchSpace same = spaceOf({}, context);
  ASSERT_EQ(same.seeds.size(), 1U);
  EXPECT_EQ(same.seeds[0].name, "none, pi, ntk, yarn");
}

// Section 3.2 of arXiv:2502.20082: theoretical critical pairs and the first candidates.
TEST(CriticalPair, IsThePapers) {
  const auto context = [](int headDim, double base, std::int64_t length) {
    return rope::RopeContext{.base = base, .headDim = headDim, .originalLength = length};
  };
  const auto llama2 = context(128, 1e4, 4096);
  const auto phi3Mini = context(96, 1e4, 2048);
  const auto llama3 = context(128, 5e5, 8192);
  EXPECT_EQ(criticalPair(llama2, 1.0), 46);
  EXPECT_EQ(criticalPair(llama2, 10.0), 30);
  EXPECT_EQ(criticalPair(phi3Mini, 1.0), 31);
  EXPECT_EQ(criticalPair(phi3Mini, 10.0), 19);
  EXPECT_EQ(criticalPair(llama3, 1.0), 35);
  EXPECT_EQ(criticalPair(llama3, 10.0), 24);
}

class EveryVariant : public testing::TestWithParam<SearchVariant> {
 protected:
  SearchSettings settings(std::int64_t evaluations) const {
    return {.variant = GetParam(), .population = 16, .evaluations = evaluations, .seed = 7};
  }
};

TEST_P(EveryVariant, ComesNearerThanEverySeed) {
  // The critical variant reaches only curves of its own shape: NTK up to a pair, wide above it.
  const std::vector<double> ntkBelow = {
      1.0, std::cbrt(4.5), std::cbrt(4.5 * 4.5), 4.5, 5.0, 6.0, 7.0, 7.5};
  const bool critical = GetParam() == SearchVariant::Critical;
  const auto result = searched(settings(400), {.score = distanceTo(critical ? ntkBelow : kHidden)});
  ASSERT_EQ(result.evaluations.size(), 400U);
  EXPECT_FALSE(result.bestEvaluation().isSeed);
  double bestSeed = std::numeric_limits<double>::infinity();
  for (const Evaluation& each : result.evaluations) {
    if (each.isSeed) bestSeed = std::min(bestSeed, each.loss);
  }
  EXPECT_LT(result.bestEvaluation().loss, 0.5 * bestSeed);
}

TEST_P(EveryVariant, ProposesOnlyMonotoneFactorsWithinTheBounds) {
  const auto result = searched(settings(400), {.score = distanceTo(kHidden)});
  const bool wide = GetParam() == SearchVariant::Critical || GetParam() == SearchVariant::Local;
  const double largest = wide ? 8.0 : 5.0;  // 2 s, 1.25 s
  for (const Evaluation& each : result.evaluations) {
    ASSERT_EQ(each.candidate.factors.size(), 8U);
    EXPECT_TRUE(isMonotone(each.candidate.factors)) << each.number;
    EXPECT_GE(each.candidate.factors.front(), 1.0 - kRounding) << each.number;
    EXPECT_LE(each.candidate.factors.back(), largest + kRounding) << each.number;
    EXPECT_EQ(each.candidate.unscaledTokens, 0);
  }
}

TEST_P(EveryVariant, ScoresNothingTwice) {
  const auto result = searched(settings(400), {.score = distanceTo(kHidden)});
  for (std::size_t i = 0; i < result.evaluations.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      ASSERT_FALSE(sameRotation(result.evaluations[i].candidate, result.evaluations[j].candidate))
          << i << " and " << j;
    }
  }
}

TEST_P(EveryVariant, NeverLosesTheBest) {
  std::vector<double> bests;
  SearchHooks hooks{.score = distanceTo(kHidden)};
  hooks.onEvaluation = [&](const SearchResult& result) {
    bests.push_back(result.bestEvaluation().loss);
  };
  const auto result = searched(settings(300), hooks);
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < bests.size(); ++i) {
    least = std::min(least, result.evaluations[i].loss);
    EXPECT_EQ(bests[i], least);
  }
}

TEST_P(EveryVariant, IsTheSameForTheSameSeedAndAnotherForAnother) {
  SearchSettings other = settings(120);
  const auto once = searched(other, {.score = distanceTo(kHidden)});
  const auto again = searched(other, {.score = distanceTo(kHidden)});
  EXPECT_EQ(textOf(once.evaluations), textOf(again.evaluations));
  other.seed = 8;
  EXPECT_NE(textOf(once.evaluations),
            textOf(searched(other, {.score = distanceTo(kHidden)}).evaluations));
}

TEST_P(EveryVariant, ResumesToTheSameLogAndTheSameResult) {
  const TempDir temp;
  const nlohmann::ordered_json identity{{"seed", 7}};
  const auto run = [&](const std::string& name, std::int64_t evaluations) {
    auto log = ResultLog::open(temp / name, identity, LogStart::Resume);
    EXPECT_TRUE(log) << log.error().message;
    auto replay = evaluationsFrom(log->records(), temp / name);
    EXPECT_TRUE(replay) << replay.error().message;
    SearchHooks hooks{.score = distanceTo(kHidden), .replay = *std::move(replay)};
    hooks.record = [&](const Evaluation& each) { return log->append(recordOf(each)); };
    return searched(settings(evaluations), hooks);
  };
  const auto whole = run("whole.jsonl", 90);
  // Within the seeds, the first population, a generation; and more than once.
  for (const std::int64_t stop : {2, 11, 37, 70}) run("parts.jsonl", stop);
  const auto resumed = run("parts.jsonl", 90);
  EXPECT_EQ(resumed.replayed, 70);
  EXPECT_EQ(readText(temp / "parts.jsonl"), readText(temp / "whole.jsonl"));
  EXPECT_EQ(textOf(resumed.evaluations), textOf(whole.evaluations));
  EXPECT_EQ(resumed.best, whole.best);
}

TEST_P(EveryVariant, SearchesTheUnscaledTokensWhenAsked) {
  SearchSettings with = settings(400);
  with.searchUnscaled = true;
  const auto score = [](const Candidate& candidate) -> Result<double> {
    const auto distance = distanceTo(kHidden)(candidate);
    return *distance + 0.01 * std::abs(static_cast<double>(candidate.unscaledTokens - 16));
  };
  const auto result = searched(with, {.score = score});
  std::set<std::int64_t> tried;
  for (const Evaluation& each : result.evaluations) tried.insert(each.candidate.unscaledTokens);
  // Choices of arXiv:2402.13753, section 3.2; 256 is no first part of 256 tokens.
  const std::set<std::int64_t> choices = {0, 1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 64, 128};
  EXPECT_GT(tried.size(), 3U);
  for (const std::int64_t tokens : tried) EXPECT_TRUE(choices.contains(tokens)) << tokens;
  // The loss falls by 0.01 per token towards 16: more than the factors can bring.
  EXPECT_EQ(result.bestEvaluation().candidate.unscaledTokens, 16);
}

TEST_P(EveryVariant, TakesNanForTheWorst) {
  std::int64_t scored = 0;
  const auto score = [&](const Candidate& candidate) -> Result<double> {
    if (++scored % 3 == 0) return std::numeric_limits<double>::quiet_NaN();
    return distanceTo(kHidden)(candidate);
  };
  std::string log;
  SearchHooks hooks{.score = score};
  hooks.record = [&](const Evaluation& each) -> Status {
    log += recordOf(each).dump() + "\n";
    return Done{};
  };
  const auto result = searched(settings(100), hooks);
  ASSERT_EQ(result.evaluations.size(), 100U);
  EXPECT_TRUE(std::isinf(result.evaluations[2].loss));
  EXPECT_TRUE(std::isfinite(result.bestEvaluation().loss));
  EXPECT_NE(log.find("\"loss\":null"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(FactorSearch, EveryVariant, testing::ValuesIn(kVariants),
                         [](const auto& info) { return std::string(variantName(info.param)); });

TEST(FactorSearch, KeepsTheBudgetAndSaysWhyItEnded) {
  const auto full = searched({.evaluations = 5}, {.score = distanceTo(kHidden)});
  EXPECT_EQ(full.evaluations.size(), 5U);
  EXPECT_EQ(full.end, SearchEnd::Evaluations);
  int asked = 0;
  SearchHooks timed{.score = distanceTo(kHidden)};
  timed.outOfTime = [&] { return ++asked > 9; };
  const auto late = searched({}, timed);
  EXPECT_EQ(late.evaluations.size(), 9U);
  EXPECT_EQ(late.end, SearchEnd::Time);
}

TEST(FactorSearch, AStopKeepsWhatIsThere) {
  std::stop_source stop;
  int scored = 0;
  SearchHooks between{.score = [&](const Candidate& candidate) {
    if (++scored == 6) stop.request_stop();
    return distanceTo(kHidden)(candidate);
  }};
  const auto stopped = searched({}, between, {.stop = stop.get_token()});
  EXPECT_EQ(stopped.evaluations.size(), 6U);
  EXPECT_EQ(stopped.end, SearchEnd::Stopped);
  // Within an evaluation: that one is lost.
  SearchHooks within{.score = [&](const Candidate& candidate) -> Result<double> {
    if (--scored == 0) return Error{ErrorCode::Cancelled, "scoring was cancelled"};
    return distanceTo(kHidden)(candidate);
  }};
  const auto cut = searched({}, within);
  EXPECT_EQ(cut.evaluations.size(), 5U);
  EXPECT_EQ(cut.end, SearchEnd::Stopped);
  const SearchSpace space = spaceOf({});
  expectError(searchFactors(space, {}, {.score = distanceTo(kHidden)}, {.stop = stop.get_token()}),
              ErrorCode::Cancelled, {"before its first evaluation"});
}

TEST(FactorSearch, ABestSeedIsCalledOne) {
  const SearchSpace space = spaceOf({});
  const auto result =
      searched({.evaluations = 60}, {.score = distanceTo(space.seeds[1].candidate.factors)});
  EXPECT_TRUE(result.bestEvaluation().isSeed);
  EXPECT_EQ(result.bestEvaluation().origin, "seed ntk");
}

TEST(FactorSearch, WithoutOneFiniteSeedIsRefused) {
  const SearchSpace space = spaceOf({});
  const auto nan = [](const Candidate&) -> Result<double> { return std::nan(""); };
  expectError(searchFactors(space, {}, {.score = nan}, {}), ErrorCode::InvalidArgument,
              {"none of the seeds", "256", "float32"});
}

TEST(FactorSearch, ErrorsOfScoringAndRecordingEndIt) {
  const SearchSpace space = spaceOf({});
  const auto broken = [](const Candidate&) -> Result<double> {
    return Error{ErrorCode::OutOfMemory, "the cache does not fit"};
  };
  expectError(searchFactors(space, {}, {.score = broken}, {}), ErrorCode::OutOfMemory,
              {"the cache does not fit"});
  SearchHooks full{.score = distanceTo(kHidden)};
  full.record = [](const Evaluation& each) -> Status {
    if (each.number < 4) return Done{};
    return Error{ErrorCode::Device, "the disk is full"};
  };
  expectError(searchFactors(space, {}, full, {}), ErrorCode::Device, {"the disk is full"});
}

TEST(FactorSearch, AReplayOfAnotherSearchIsRefused) {
  const auto known = searched({.evaluations = 10}, {.score = distanceTo(kHidden)});
  SearchHooks hooks{.score = distanceTo(kHidden), .replay = known.evaluations};
  hooks.replay[7].candidate.factors[3] += 0.01;
  const SearchSpace space = spaceOf({});
  expectError(searchFactors(space, {}, hooks, {}), ErrorCode::CorruptFile,
              {"evaluation 8", "other factors"});
}

TEST(FactorSearch, AUsedUpSpaceEndsIt) {
  // Factor 1: two pairs with 101 grid values from 1 to 2 each, in order: 5,151 candidates.
  const rope::RopeContext context{
      .base = 1e4, .headDim = 4, .originalLength = 64, .plannedLength = 64, .factor = 1.0};
  const SearchSettings settings{
      .variant = SearchVariant::Local, .population = 8, .evaluations = 100000};
  const SearchSpace space = spaceOf(settings, context);
  const auto result = searchFactors(space, settings, {.score = distanceTo({1.1, 1.2})}, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->end, SearchEnd::Exhausted);
  EXPECT_LE(result->evaluations.size(), 5151U);
  EXPECT_NEAR(result->bestEvaluation().candidate.factors[0], 1.1, kRounding);
  EXPECT_NEAR(result->bestEvaluation().candidate.factors[1], 1.2, kRounding);
}

TEST(FactorSearch, WrongSettingsAreNamed) {
  const auto context = smallContext();
  expectError(makeSearchSpace(context, {.population = 7}), ErrorCode::InvalidArgument,
              {"population is 7", "at least 8"});
  expectError(makeSearchSpace(context, {.evaluations = 0}), ErrorCode::InvalidArgument,
              {"0 evaluations"});
  rope::RopeContext within = context;
  within.plannedLength = 64;
  expectError(makeSearchSpace(within, {.variant = SearchVariant::Critical}),
              ErrorCode::InvalidArgument, {"critical", "64"});
  rope::RopeContext shrunk = context;
  shrunk.factor = 0.5;
  expectError(makeSearchSpace(shrunk, {}), ErrorCode::InvalidArgument, {"factor is 0.5"});
}

TEST(CriticalVariant, IsNtkBelowTheCriticalPairAndStretchedFromItOn) {
  const SearchSettings settings{
      .variant = SearchVariant::Critical, .population = 16, .evaluations = 200};
  const auto result = searched(settings, {.score = distanceTo(kHidden)});
  for (const Evaluation& each : result.evaluations) {
    if (each.isSeed) continue;
    const auto& factors = each.candidate.factors;
    const auto critical = static_cast<std::size_t>(each.candidate.critical);
    ASSERT_GE(critical, 1U);
    EXPECT_GE(factors[critical], 4.0);
    // Another base: the logarithms grow linearly with the pair up to the critical one.
    for (std::size_t pair = 0; pair <= critical; ++pair) {
      EXPECT_NEAR(
          std::log(factors[pair]),
          std::log(factors[critical]) * static_cast<double>(pair) / static_cast<double>(critical),
          kRounding);
    }
  }
}

TEST(PiecewiseVariant, SetsThePiecesBesideAlphaAndBeta) {
  const SearchSettings settings{
      .variant = SearchVariant::Piecewise, .population = 16, .evaluations = 200};
  const auto result = searched(settings, {.score = distanceTo(kHidden)});
  for (const Evaluation& each : result.evaluations) {
    EXPECT_LE(0, each.candidate.alpha);
    EXPECT_LT(each.candidate.alpha, each.candidate.beta);
    EXPECT_LT(each.candidate.beta, 8);
  }
}

}  // namespace
}  // namespace ropescope::calibration
