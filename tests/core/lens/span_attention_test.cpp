// What a span reads from, and what reads a span, against the dense softmax in plain C++.
#include "core/lens/span_attention.h"

#include <numeric>

#include <gtest/gtest.h>

#include "tests/support/plain_decoder.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

// As in attention_map_test.cpp: float32 scores behind three float32 layers, against double. Sums
// over a span divide by its length, so they are no further off than one weight.
constexpr double kTinyFloat32 = 2e-5;
// b(i) adds up to 200 weights of one row, whose errors share a sign at worst.
constexpr double kSumOfARow = 2e-4;

const rope::MethodChoice kYarn{.id = "yarn", .values = {}, .factor = 4.0};

struct Reading {
  EnginePtr engine = loadEngine(tinyPath(), "float32", 2);
  Ids ids;
  std::unique_ptr<Session> session;

  explicit Reading(std::int64_t tokens, std::vector<int> layers = {0, 1, 2}) {
    ids = randomIds(128, static_cast<std::size_t>(tokens), 21);
    session = newSession(
        engine, {.rope = kYarn, .contextTokens = tokens, .captureLayers = std::move(layers)});
    EXPECT_TRUE(session->prefill({ids}, {}));
  }
};

// The average over the set, row by row.
std::vector<std::vector<double>> denseRows(const Reading& reading, const HeadSet& heads) {
  const PlainDecoder decoder(tinyPath(), reading.engine->config(), reading.session->plan());
  const auto qk = decoder.run(reading.ids);
  std::vector<std::vector<double>> rows(reading.ids.size());
  for (std::size_t query = 0; query < rows.size(); ++query) {
    rows[query].assign(query + 1, 0.0);
    for (const WeightedHead& each : heads.heads()) {
      const auto weights = decoder.weights(qk[static_cast<std::size_t>(each.head.layer)],
                                           each.head.head, static_cast<std::int64_t>(query));
      for (std::size_t key = 0; key <= query; ++key) rows[query][key] += each.weight * weights[key];
    }
  }
  return rows;
}

void expectDense(const Reading& reading, const HeadSet& heads, const TokenRange& span) {
  const auto rows = denseRows(reading, heads);
  const auto begin = static_cast<std::size_t>(span.begin);
  const auto end = static_cast<std::size_t>(span.end);
  const auto from = attentionFrom(*reading.session, {span, heads}, {});
  const auto to = attentionTo(*reading.session, {span, heads}, {});
  ASSERT_TRUE(from && to);
  ASSERT_EQ(from->weights.size(), rows.size());
  ASSERT_EQ(to->weights.size(), rows.size());
  EXPECT_EQ(from->leftOutHeads, 0);
  for (std::size_t key = 0; key < rows.size(); ++key) {
    double sum = 0.0;
    for (std::size_t query = std::max(begin, key); query < end; ++query) sum += rows[query][key];
    EXPECT_NEAR(from->weights[key], sum / static_cast<double>(end - begin), kTinyFloat32)
        << "key " << key;
  }
  for (std::size_t query = 0; query < rows.size(); ++query) {
    double sum = 0.0;
    for (std::size_t key = begin; key < std::min(end, query + 1); ++key) sum += rows[query][key];
    EXPECT_NEAR(to->weights[query], sum, kSumOfARow) << "query " << query;
  }
}

// Three heads with weights of their own, in two layers.
HeadSet someHeads() {
  const std::vector<HeadScore> ranking{{.head = {0, 2}, .score = 0.5},
                                       {.head = {2, 1}, .score = 0.3},
                                       {.head = {2, 3}, .score = 0.2}};
  return HeadSet::best(ranking, 3);
}

TEST(SpanAttention, IsTheDenseSoftmaxForAnySpan) {
  const Reading reading(200);
  for (const TokenRange& span :
       {TokenRange{190, 200}, {0, 1}, {0, 200}, {63, 64}, {17, 140}, {199, 200}}) {
    expectDense(reading, someHeads(), span);
  }
  expectDense(reading, HeadSet::one({1, 0}), {150, 170});
  expectDense(reading, HeadSet::meanOfAll(3, 4), {150, 170});
}

// More queries than one slab takes; the dense rows would take minutes, so each query is asked
// alone.
TEST(SpanAttention, ALongSpanIsTheMeanOfItsTokens) {
  const Reading reading(1300, {1});
  const HeadSet head = HeadSet::one({1, 3});
  const TokenRange span{100, 1300};
  const auto whole = attentionFrom(*reading.session, {span, head}, {});
  ASSERT_TRUE(whole);
  std::vector<double> sum(1300, 0.0);
  for (std::int64_t query = span.begin; query < span.end; ++query) {
    const auto one = attentionFrom(*reading.session, {{query, query + 1}, head}, {});
    ASSERT_TRUE(one);
    for (std::size_t key = 0; key < sum.size(); ++key) sum[key] += one->weights[key];
  }
  for (std::size_t key = 0; key < sum.size(); ++key) {
    EXPECT_NEAR(whole->weights[key], sum[key] / 1200.0, kTinyFloat32) << "key " << key;
  }
}

TEST(SpanAttention, TheTwoDirectionsAreTransposesOfEachOther) {
  const Reading reading(120);
  const HeadSet heads = HeadSet::meanOfAll(3, 4);
  const auto from = attentionFrom(*reading.session, {{90, 91}, heads}, {});
  ASSERT_TRUE(from);
  double all = 0.0;
  for (std::int64_t key = 0; key <= 90; ++key) {
    const auto to = attentionTo(*reading.session, {{key, key + 1}, heads}, {});
    ASSERT_TRUE(to);
    EXPECT_NEAR(to->weights[90], from->weights[static_cast<std::size_t>(key)], kTinyFloat32);
    all += to->weights[90];
  }
  EXPECT_NEAR(all, 1.0, kSumOfARow);
}

TEST(SpanAttention, HeadsOfOtherLayersAreLeftOutAndCounted) {
  const Reading reading(60, {2});
  const auto some = attentionFrom(*reading.session, {{50, 60}, someHeads()}, {});
  ASSERT_TRUE(some);
  EXPECT_EQ(some->leftOutHeads, 1);
  EXPECT_EQ(some->heads, someHeads().within(std::vector<int>{2}));
  const double all = std::accumulate(some->weights.begin(), some->weights.end(), 0.0);
  EXPECT_NEAR(all, 1.0, kSumOfARow);
}

TEST(SpanAttention, RefusesWhatItCannotAnswer) {
  const Reading reading(60, {2});
  const auto refused = [&](const SpanRequest& request, const std::vector<std::string>& parts) {
    expectError(attentionFrom(*reading.session, request, {}), ErrorCode::InvalidArgument, parts);
    expectError(attentionTo(*reading.session, request, {}), ErrorCode::InvalidArgument, parts);
  };
  refused({{50, 61}, someHeads()}, {"50:61", "60 processed tokens"});
  refused({{5, 5}, someHeads()}, {"5:5"});
  refused({{50, 60}, HeadSet()}, {"no head"});
  refused({{50, 60}, HeadSet::one({1, 0})}, {"layer 1", "captured are 2"});
  refused({{50, 60}, HeadSet::one({2, 4})}, {"head 4", "0 to 3"});
}

TEST(SpanAttention, CanBeCancelled) {
  const Reading reading(60);
  std::stop_source source;
  source.request_stop();
  JobControl job;
  job.stop = source.get_token();
  expectError(attentionFrom(*reading.session, {{50, 60}, someHeads()}, job), ErrorCode::Cancelled,
              {"stopped"});
}

// Answer tokens are captured like any other: reading the same tokens again gives the same numbers.
TEST(SpanAttention, ServesTokensThatWereWritten) {
  const auto engine = loadEngine(storiesPath());
  const Ids ids = storyIds(*engine, 300);
  const SessionOptions options{
      .rope = kYarn, .contextTokens = 400, .captureLayers = {0, 1, 2, 3, 4}};
  auto session = newSession(engine, options);
  ASSERT_TRUE(session->prefill({ids}, {}));
  ASSERT_TRUE(session->generate({.maxNewTokens = 20, .stopAtEos = false}, {}, {}));
  ASSERT_EQ(session->position(), 319);  // the last token was written, and not read again
  const SpanRequest written{{299, 319}, HeadSet::meanOfAll(5, 8)};
  const auto live = attentionFrom(*session, written, {});
  auto again = newSession(engine, options);
  ASSERT_TRUE(again->prefill({{session->tokens().begin(), session->tokens().end()}}, {}));
  const auto read = attentionFrom(*again, written, {});
  ASSERT_TRUE(live && read);
  for (std::size_t key = 0; key < live->weights.size(); ++key) {
    EXPECT_NEAR(live->weights[key], read->weights[key], 1e-4)  // float32 in other chunks
        << "key " << key;
  }
}

}  // namespace
}  // namespace ropescope
