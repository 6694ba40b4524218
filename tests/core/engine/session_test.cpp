// A session's numbers depend on the tokens and the plan, never on how the work was cut.
#include "core/engine/session.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

// Losses and logits of up to 25 from float32 sums over up to 700 keys, added in another order: the
// largest difference seen is 3.7e-5, and other processors add otherwise. In float64 it is 6e-14.
constexpr double kFloat32Order = 2e-4;
constexpr double kFloat64Order = 1e-11;

const rope::MethodChoice kYarn{.id = "yarn", .values = {}, .factor = 4.0};

Score scoreOf(const EnginePtr& engine, const Ids& ids, std::int64_t chunkTokens,
              const rope::MethodChoice& rope = kYarn) {
  auto session = newSession(engine, {.rope = rope,
                                     .contextTokens = static_cast<std::int64_t>(ids.size()),
                                     .chunkTokens = chunkTokens});
  auto score = session->score(ids, {}, {});
  EXPECT_TRUE(score) << score.error().message;
  return *std::move(score);
}

double largestDifference(const Score& a, const Score& b) {
  EXPECT_EQ(a.nll.size(), b.nll.size());
  EXPECT_EQ(a.lastLogits.size(), b.lastLogits.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < a.nll.size(); ++i) {
    largest = std::max(largest, std::abs(a.nll[i] - b.nll[i]));
  }
  for (std::size_t i = 0; i < a.lastLogits.size(); ++i) {
    largest = std::max(largest, static_cast<double>(std::abs(a.lastLogits[i] - b.lastLogits[i])));
  }
  return largest;
}

TEST(Session, ReadsInChunksAsInOnePass) {
  const auto engine = loadEngine(storiesPath());
  const Ids ids = storyIds(*engine, 700);
  const Score whole = scoreOf(engine, ids, 700);
  for (const std::int64_t chunk : {7, 64, 512}) {
    EXPECT_LT(largestDifference(scoreOf(engine, ids, chunk), whole), kFloat32Order)
        << "chunk " << chunk;
  }
}

TEST(Session, ReadsInChunksAsInOnePassInFloat64) {
  const auto stories = loadEngine(storiesPath(), "float64");
  const Ids text = storyIds(*stories, 300);
  const auto tiny = loadEngine(tinyPath(), "float64");
  const Ids random = randomIds(128, 200, 1);
  for (const auto& [engine, ids] : {std::pair{stories, text}, std::pair{tiny, random}}) {
    const Score whole = scoreOf(engine, ids, 4096);
    for (const std::int64_t chunk : {1, 7, 64}) {
      const Score cut = scoreOf(engine, ids, chunk);
      // lastLogits are float32.
      EXPECT_LT(largestDifference({cut.nll, {}}, {whole.nll, {}}), kFloat64Order)
          << "chunk " << chunk;
    }
  }
}

TEST(Session, ReadsTokenByTokenAsInOnePass) {
  const auto engine = loadEngine(tinyPath());
  const Ids ids = randomIds(128, 200, 2);
  for (const char* method : {"none", "pi", "ntk", "dynamic", "yarn", "llama3"}) {
    const rope::MethodChoice rope{.id = method, .values = {}, .factor = std::nullopt};
    EXPECT_LT(largestDifference(scoreOf(engine, ids, 1, rope), scoreOf(engine, ids, 200, rope)),
              kFloat32Order)
        << method;
  }
}

TEST(Session, GivesTheSameBitsTwice) {
  const auto engine = loadEngine(storiesPath(), "float32", 2);
  const Ids ids = storyIds(*engine, 600);
  const Score first = scoreOf(engine, ids, 64);
  const Score second = scoreOf(engine, ids, 64);
  EXPECT_EQ(first.nll, second.nll);
  EXPECT_EQ(first.lastLogits, second.lastLogits);
}

TEST(Session, AnswersWithTheProbabilitiesThatOnePassGives) {
  const auto engine = loadEngine(storiesPath());
  const Ids prompt = storyIds(*engine, 90);
  auto session = newSession(engine, {.rope = kYarn, .contextTokens = 200});
  ASSERT_TRUE(session->prefill({prompt}, {}));
  const auto answer = session->generate({.maxNewTokens = 60, .stopAtEos = false}, {}, {});
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->tokens.size(), 60U);
  Ids all = prompt;
  for (const GeneratedToken& token : answer->tokens) all.push_back(token.id);
  auto fresh = newSession(engine, {.rope = kYarn, .contextTokens = 200});
  const auto score = fresh->score(all, {}, {});
  ASSERT_TRUE(score) << score.error().message;
  for (std::size_t i = 0; i < answer->tokens.size(); ++i) {
    EXPECT_NEAR(answer->tokens[i].logProbability, -score->nll[prompt.size() - 1 + i], kFloat32Order)
        << "token " << i;
  }
}

TEST(Session, HandsOutLossesBlockByBlock) {
  const auto engine = loadEngine(tinyPath());
  const Ids ids = randomIds(128, 100, 3);
  auto session = newSession(engine, {.contextTokens = 100, .chunkTokens = 32});
  std::vector<double> collected;
  std::vector<std::int64_t> firsts;
  const auto score = session->score(ids,
                                    [&](std::int64_t first, std::span<const double> nll) {
                                      firsts.push_back(first);
                                      EXPECT_EQ(first, static_cast<std::int64_t>(collected.size()));
                                      collected.insert(collected.end(), nll.begin(), nll.end());
                                    },
                                    {});
  ASSERT_TRUE(score);
  EXPECT_EQ(firsts, (std::vector<std::int64_t>{0, 32, 64, 96}));
  EXPECT_EQ(collected, score->nll);
  EXPECT_EQ(score->nll.size(), 99U);
  EXPECT_EQ(score->lastLogits.size(), 128U);
}

// One token more than whole chunks: the last chunk predicts nothing.
TEST(Session, ScoresTextsOfEveryLengthAroundAChunk) {
  const auto engine = loadEngine(tinyPath());
  const Ids all = randomIds(128, 40, 4);
  const Score whole = scoreOf(engine, all, 64);
  for (std::size_t count = 2; count <= 40; ++count) {
    const Score part =
        scoreOf(engine, Ids(all.begin(), all.begin() + static_cast<long>(count)), 16);
    ASSERT_EQ(part.nll.size(), count - 1);
    for (std::size_t i = 0; i + 1 < count; ++i) {
      EXPECT_NEAR(part.nll[i], whole.nll[i], kFloat32Order) << count << " tokens, loss " << i;
    }
  }
}

// --- the planned length ------------------------------------------------------------------------

TEST(Session, PlannedLengthDecidesLongRopeAndDynamic) {
  for (const char* name : {"longrope", "dynamic"}) {
    const TempDir folder;
    const auto model = copyOf(tinyPath(), folder);
    std::filesystem::copy_file(tinyPath() / "configs" / (std::string(name) + ".json"),
                               model / "config.json",
                               std::filesystem::copy_options::overwrite_existing);
    const auto engine = loadEngine(model);
    const auto& rope = engine->config().rope;
    EXPECT_EQ(rope.id, name);
    const auto within = newSession(engine, {.rope = rope, .contextTokens = 64});
    const auto beyond = newSession(engine, {.rope = rope, .contextTokens = 65});
    EXPECT_FALSE(within->plan().sameRotation(beyond->plan())) << name;
    EXPECT_FALSE(within->plan().note.empty());
    EXPECT_NE(within->plan().note, beyond->plan().note);
    // The same 48 tokens, planned for two lengths.
    const Ids ids = randomIds(128, 48, 5);
    const auto a = within->score(ids, {}, {});
    const auto b = beyond->score(ids, {}, {});
    ASSERT_TRUE(a && b);
    EXPECT_GT(largestDifference(*a, *b), 0.01) << name;
  }
}

TEST(Session, AGivenFactorIsUsedAtEveryLength) {
  const auto engine = loadEngine(tinyPath());
  for (const char* method : {"pi", "ntk", "yarn", "llama3"}) {
    const rope::MethodChoice four{.id = method, .values = {}, .factor = 4.0};
    const auto below = engine->plan(four, 16);
    const auto beyond = engine->plan(four, 256);
    ASSERT_TRUE(below && beyond) << method;
    EXPECT_EQ(below->context.factor, 4.0);
    EXPECT_TRUE(below->sameRotation(*beyond)) << method;
  }
  const rope::MethodChoice open{.id = "yarn", .values = {}, .factor = std::nullopt};
  EXPECT_EQ(engine->plan(open, 48)->context.factor, 1.0);
  EXPECT_EQ(engine->plan(open, 256)->context.factor, 4.0);
}

// --- what does not fit -------------------------------------------------------------------------

TEST(Session, RefusesWhatDoesNotFitAndKeepsWhatItHas) {
  const auto engine = loadEngine(tinyPath());
  auto session = newSession(engine, {.contextTokens = 64, .chunkTokens = 16});
  const Ids ids = randomIds(128, 65, 6);
  const Ids prompt(ids.begin(), ids.begin() + 40);
  ASSERT_TRUE(session->prefill({prompt}, {}));
  expectError(session->prefill({ids}, {}), ErrorCode::InvalidArgument,
              {"65", "64", "--context 65", "--document-tokens"});
  expectError(session->score(ids, {}, {}), ErrorCode::InvalidArgument, {"65", "--context 65"});
  EXPECT_EQ(session->position(), 40);
  EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), session->tokens().begin()));
  expectError(session->generate({.maxNewTokens = 25}, {}, {}), ErrorCode::InvalidArgument,
              {"prompt and answer", "65", "64"});
  const auto answer = session->generate({.maxNewTokens = 24, .stopAtEos = false}, {}, {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->tokens.size(), 24U);
}

TEST(Session, WorksWhenExactlyFull) {
  const auto engine = loadEngine(tinyPath());
  const Ids ids = randomIds(128, 64, 7);
  auto full = newSession(engine, {.contextTokens = 64, .captureLayers = {0}, .chunkTokens = 24});
  auto roomy = newSession(engine, {.contextTokens = 200, .chunkTokens = 24});
  const auto a = full->score(ids, {}, {});
  const auto b = roomy->score(ids, {}, {});
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->nll, b->nll);
  EXPECT_EQ(full->position(), 64);
  const auto map = full->attentionMap({.queries = {0, 64}, .keys = {0, 64}}, {});
  EXPECT_TRUE(map) << map.error().message;
  ASSERT_TRUE(full->prefill({ids}, {}));
  expectError(full->generate({.maxNewTokens = 1}, {}, {}), ErrorCode::InvalidArgument, {"65"});
}

TEST(Session, RefusesIdsOutsideTheVocabulary) {
  const auto engine = loadEngine(tinyPath());
  auto session = newSession(engine, {.contextTokens = 64});
  expectError(session->prefill({{5, 6}, {128}}, {}), ErrorCode::InvalidArgument,
              {"token 2", "128", "0 to 127"});
  expectError(session->score(Ids{5, -1}, {}, {}), ErrorCode::InvalidArgument, {"token 1", "-1"});
  EXPECT_EQ(session->position(), 0);
}

TEST(Session, RefusesEmptyWork) {
  const auto engine = loadEngine(tinyPath());
  auto session = newSession(engine, {.contextTokens = 64});
  expectError(session->prefill({}, {}), ErrorCode::InvalidArgument, {"prompt is empty"});
  expectError(session->prefill({{}, {}}, {}), ErrorCode::InvalidArgument, {"prompt is empty"});
  expectError(session->generate({}, {}, {}), ErrorCode::InvalidArgument, {"read a prompt first"});
  expectError(session->score(Ids{5}, {}, {}), ErrorCode::InvalidArgument, {"at least 2 tokens"});
}

TEST(Session, RefusesOptionsThatCannotWork) {
  const auto engine = loadEngine(tinyPath());
  const auto refused = [&](const SessionOptions& options, const std::vector<std::string>& parts) {
    expectError(engine->newSession(options), ErrorCode::InvalidArgument, parts);
  };
  refused({.contextTokens = 0}, {"planned context is 0"});
  refused({.contextTokens = -5}, {"planned context is -5"});
  refused({.contextTokens = 64, .chunkTokens = -1}, {"chunk is -1"});
  refused({.contextTokens = 64, .pscStrength = -0.5}, {"PSC strength is -0.5"});
  refused({.contextTokens = 64, .pscStrength = NAN}, {"PSC strength is"});
  refused({.contextTokens = 64, .captureLayers = {3}}, {"layer 3", "0 to 2"});
  refused({.rope = {.id = "yarn", .values = {}, .factor = 0.5}, .contextTokens = 64},
          {"factor is 0.5", "1 or larger"});
  refused({.rope = {.id = "yorn", .values = {}, .factor = {}}, .contextTokens = 64},
          {"yorn", "yarn"});
}

TEST(Session, SaysHowMuchMemoryAHugeContextNeeds) {
  const auto engine = loadEngine(bookwormPath());
  expectError(engine->newSession({.contextTokens = std::int64_t{1} << 26}), ErrorCode::OutOfMemory,
              {"67,108,864", "GiB", "would fit"});
}

TEST(Session, RewindKeepsTheBeginning) {
  const auto engine = loadEngine(tinyPath());
  const Ids ids = randomIds(128, 100, 8);
  auto session = newSession(engine, {.contextTokens = 128, .chunkTokens = 16});
  ASSERT_TRUE(session->prefill({ids}, {}));
  session->rewind(1000);  // beyond: nothing
  EXPECT_EQ(session->position(), 100);
  session->rewind(41);
  EXPECT_EQ(session->position(), 41);
  EXPECT_TRUE(std::equal(session->tokens().begin(), session->tokens().end(), ids.begin()));
  expectError(session->generate({}, {}, {}), ErrorCode::InvalidArgument, {"read a prompt first"});
  const auto again = session->prefill({ids}, {});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->reusedTokens, 32);  // the last chunk border
  const auto a = session->generate({.maxNewTokens = 20, .stopAtEos = false}, {}, {});
  auto fresh = newSession(engine, {.contextTokens = 128, .chunkTokens = 16});
  ASSERT_TRUE(fresh->prefill({ids}, {}));
  const auto b = fresh->generate({.maxNewTokens = 20, .stopAtEos = false}, {}, {});
  ASSERT_TRUE(a && b);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(a->tokens[i].id, b->tokens[i].id);
    EXPECT_EQ(a->tokens[i].logProbability, b->tokens[i].logProbability);
  }
  session->rewind(-3);
  EXPECT_EQ(session->position(), 0);
}

}  // namespace
}  // namespace ropescope
