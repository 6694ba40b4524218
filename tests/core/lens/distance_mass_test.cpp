// Attention by distance and by key is the dense softmax, added up: against a plain double decoder,
// under the session's rotation and under an edited one.
#include "core/lens/distance_mass.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/support/plain_decoder.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

// Float32 scores behind up to five float32 layers, against double, as of attention maps: single
// weights differ by 1.7e-5 at most on stories260K, 2.3e-6 on the random model.
constexpr double kStoriesFloat32 = 1e-4;
constexpr double kTinyFloat32 = 2e-5;
// The model's weights are float32 numbers and everything else is double.
constexpr double kDouble = 1e-9;
// A cached key is turned back from float32.
constexpr double kTurnedFloat32 = 5e-5;

const rope::MethodChoice kYarn{.id = "yarn", .values = {}, .factor = 4.0};

std::vector<int> allLayers(const ModelConfig& config) {
  std::vector<int> layers(static_cast<std::size_t>(config.layers));
  std::iota(layers.begin(), layers.end(), 0);
  return layers;
}

std::unique_ptr<Session> readSession(const EnginePtr& engine, const Ids& ids,
                                     const rope::MethodChoice& rope = kYarn) {
  auto session = newSession(engine, {.rope = rope,
                                     .contextTokens = static_cast<std::int64_t>(ids.size()),
                                     .captureLayers = allLayers(engine->config()),
                                     .chunkTokens = 100});
  EXPECT_TRUE(session->prefill({ids}, {}));
  return session;
}

// The slow way: every weight of every query and head.
DistanceMass denseMass(const PlainDecoder& decoder, const std::vector<LayerQueriesKeys>& qk,
                       const DistanceMassRequest& request) {
  DistanceMass mass;
  mass.byDistance.resize(static_cast<std::size_t>(request.queries.end));
  mass.byKey.resize(mass.byDistance.size());
  const double queries = static_cast<double>(request.queries.end - request.queries.begin);
  for (const WeightedHead& head : request.heads.heads()) {
    const LayerQueriesKeys& layer = qk[static_cast<std::size_t>(head.head.layer)];
    for (auto query = request.queries.begin; query < request.queries.end; ++query) {
      const auto weights = decoder.weights(layer, head.head.head, query);
      for (std::size_t key = 0; key < weights.size(); ++key) {
        const double share = weights[key] * head.weight / queries;
        if (static_cast<std::int64_t>(key) < request.ignoredTokens) {
          mass.ignored += share;
          continue;
        }
        mass.byDistance[static_cast<std::size_t>(query) - key] += share;
        mass.byKey[key] += share;
      }
    }
  }
  return mass;
}

void expectSame(const DistanceMass& found, const DistanceMass& wanted, double tolerance) {
  ASSERT_EQ(found.byDistance.size(), wanted.byDistance.size());
  ASSERT_EQ(found.byKey.size(), wanted.byKey.size());
  double worst = std::abs(found.ignored - wanted.ignored);
  for (std::size_t i = 0; i < found.byKey.size(); ++i) {
    worst = std::max(worst, std::abs(found.byDistance[i] - wanted.byDistance[i]));
    worst = std::max(worst, std::abs(found.byKey[i] - wanted.byKey[i]));
  }
  EXPECT_LE(worst, tolerance);
  const double all =
      found.ignored + std::accumulate(found.byDistance.begin(), found.byDistance.end(), 0.0);
  EXPECT_NEAR(all, 1.0, tolerance);
}

struct Case {
  std::filesystem::path model;
  std::string dtype;
  double tolerance;
};

TEST(DistanceMass, IsTheDenseSoftmaxAddedUp) {
  for (const Case& c :
       {Case{tinyPath(), "float32", kTinyFloat32}, Case{tinyPath(), "float64", kDouble},
        Case{storiesPath(), "float32", kStoriesFloat32}}) {
    const auto engine = loadEngine(c.model, c.dtype);
    const ModelConfig& config = engine->config();
    const Ids ids = randomIds(config.vocabularySize, 190, 11);
    const auto session = readSession(engine, ids);
    const PlainDecoder decoder(c.model, config, session->plan());
    const auto qk = decoder.run(ids);
    const HeadSet mean = HeadSet::meanOfAll(config.layers, config.heads);
    const std::vector<HeadScore> ranking = {{{1, 2}, 0.6, 0, 0}, {{0, 3}, 0.2, 0, 0}};
    for (const DistanceMassRequest& request :
         {DistanceMassRequest{.queries = {150, 190}, .heads = mean},
          DistanceMassRequest{.queries = {0, 190}, .heads = HeadSet::one({2, 1})},
          DistanceMassRequest{.queries = {189, 190}, .heads = mean, .ignoredTokens = 4},
          DistanceMassRequest{.queries = {0, 9}, .heads = mean, .ignoredTokens = 4},
          DistanceMassRequest{
              .queries = {77, 141}, .heads = HeadSet::best(ranking, 2), .ignoredTokens = 1}}) {
      const auto mass = distanceMass(*session, request, {});
      ASSERT_TRUE(mass) << mass.error().message;
      expectSame(*mass, denseMass(decoder, qk, request), c.tolerance);
    }
  }
}

// The first layer's q and k come from the embedding, which no rotation touches: there the patch is
// what a whole run under the edited rotation would give.
TEST(DistanceMass, UnderAnEditedRotationIsARunUnderItInTheFirstLayer) {
  const auto engine = loadEngine(tinyPath());
  const Ids ids = randomIds(engine->config().vocabularySize, 160, 12);
  const auto session = readSession(engine, ids);
  rope::RotaryPlan edited = session->plan();
  for (std::size_t pair = 0; pair < edited.invFreq.size(); ++pair) {
    edited.invFreq[pair] *= 0.3 + 0.2 * static_cast<double>(pair);
  }
  edited.attentionFactor = 1.4;
  const PlainDecoder decoder(tinyPath(), engine->config(), edited);
  const DistanceMassRequest request{.queries = {100, 160},
                                    .heads = HeadSet::one({0, 1}),
                                    .ignoredTokens = 2,
                                    .plan = std::make_shared<const rope::RotaryPlan>(edited)};
  const auto mass = distanceMass(*session, request, {});
  ASSERT_TRUE(mass) << mass.error().message;
  expectSame(*mass, denseMass(decoder, decoder.run(ids), request), kTurnedFloat32);
  DistanceMassRequest own = request;
  own.plan = nullptr;
  const auto before = distanceMass(*session, own, {});
  ASSERT_TRUE(before);
  double moved = 0.0;
  for (std::size_t i = 0; i < 160; ++i) moved += std::abs(before->byKey[i] - mass->byKey[i]);
  EXPECT_GT(moved, 0.1);  // the edit is large enough to matter
}

// Deeper layers: the old run's q and k, each turned on by the difference of its angles.
TEST(DistanceMass, UnderAnEditedRotationTurnsTheOldQueriesAndKeysInDeeperLayers) {
  const auto engine = loadEngine(tinyPath());
  const ModelConfig& config = engine->config();
  const Ids ids = randomIds(config.vocabularySize, 120, 13);
  const auto session = readSession(engine, ids);
  rope::RotaryPlan edited = session->plan();
  for (double& frequency : edited.invFreq) frequency *= 0.5;
  const PlainDecoder decoder(tinyPath(), config, session->plan());
  auto qk = decoder.run(ids);
  const auto d = static_cast<std::size_t>(config.headDim);
  for (LayerQueriesKeys& layer : qk) {
    for (Matrix* rows : {&layer.q, &layer.k}) {
      const std::size_t width = rows->size() / ids.size();
      for (std::size_t i = 0; i < rows->size(); ++i) {
        const std::size_t component = i % d;
        if (component >= d / 2) continue;
        const double angle = static_cast<double>(i / width) *
                             (edited.invFreq[component] - session->plan().invFreq[component]);
        const double left = (*rows)[i];
        const double right = (*rows)[i + d / 2];
        (*rows)[i] = left * std::cos(angle) - right * std::sin(angle);
        (*rows)[i + d / 2] = right * std::cos(angle) + left * std::sin(angle);
      }
    }
  }
  const DistanceMassRequest request{.queries = {60, 120},
                                    .heads = HeadSet::meanOfAll(config.layers, config.heads),
                                    .plan = std::make_shared<const rope::RotaryPlan>(edited)};
  const auto mass = distanceMass(*session, request, {});
  ASSERT_TRUE(mass) << mass.error().message;
  expectSame(*mass, denseMass(decoder, qk, request), kTurnedFloat32);
}

TEST(DistanceMass, UnderItsOwnRotationNothingChanges) {
  const auto engine = loadEngine(storiesPath());
  const Ids ids = storyIds(*engine, 600);
  const auto session = readSession(engine, ids);
  DistanceMassRequest request{
      .queries = {560, 600}, .heads = HeadSet::meanOfAll(5, 8), .ignoredTokens = 4};
  const auto before = distanceMass(*session, request, {});
  request.plan = std::make_shared<const rope::RotaryPlan>(session->plan());
  const auto after = distanceMass(*session, request, {});
  ASSERT_TRUE(before && after);
  expectSame(*after, *before, kStoriesFloat32);
}

TEST(DistanceMass, AddsUpWhatLiesFarBack) {
  const DistanceMass mass{.queries = {3, 4}, .byDistance = {0.1, 0.2, 0.3, 0.15}, .byKey = {}};
  EXPECT_NEAR(mass.atLeast(0), 0.75, 1e-12);
  EXPECT_NEAR(mass.atLeast(2), 0.45, 1e-12);
  EXPECT_EQ(mass.atLeast(4), 0.0);
  EXPECT_EQ(mass.atLeast(99), 0.0);
}

TEST(DistanceMass, RefusesWhatItCannotAddUp) {
  const auto engine = loadEngine(tinyPath());
  auto session = newSession(engine, {.contextTokens = 64, .captureLayers = {1}});
  ASSERT_TRUE(session->prefill({randomIds(128, 60, 4)}, {}));
  const DistanceMassRequest good{.queries = {10, 60}, .heads = HeadSet::one({1, 3})};
  ASSERT_TRUE(distanceMass(*session, good, {}));
  const auto refused = [&](auto change, const std::vector<std::string>& parts) {
    DistanceMassRequest bad = good;
    change(bad);
    expectError(distanceMass(*session, bad, {}), ErrorCode::InvalidArgument, parts);
  };
  refused([](DistanceMassRequest& r) { r.queries = {10, 61}; }, {"10:61", "60"});
  refused([](DistanceMassRequest& r) { r.queries = {10, 10}; }, {"10:10"});
  refused([](DistanceMassRequest& r) { r.heads = {}; }, {"no heads"});
  refused(
      [](DistanceMassRequest& r) {
        r.heads = HeadSet::one({0, 1});
      },
      {"layer 0", "not captured"});
  refused([](DistanceMassRequest& r) { r.heads = HeadSet::one({1, 4}); }, {"head 4", "0 to 3"});
  refused(
      [](DistanceMassRequest& r) {
        rope::RotaryPlan plan;
        plan.invFreq = {1.0};
        r.plan = std::make_shared<const rope::RotaryPlan>(plan);
      },
      {"1 pairs"});
  std::stop_source source;
  source.request_stop();
  JobControl job;
  job.stop = source.get_token();
  expectError(distanceMass(*session, good, job), ErrorCode::Cancelled, {"stopped"});
}

}  // namespace
}  // namespace ropescope
