// Stopping, asking again, second questions and views in between: the answer is bit for bit that of
// a fresh session.
#include <cstring>

#include <gtest/gtest.h>

#include "tests/support/asking.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

class SessionReuse : public testing::Test {
 protected:
  SessionReuse() : engine(loadEngine(storiesPath())) {
    document = storyIds(*engine, 150);
    question = randomIds(512, 50, 1);
    other = randomIds(512, 37, 2);
  }
  std::unique_ptr<Session> fresh(std::vector<int> captureLayers = {}) const {
    return newSession(engine, {.rope = {.id = "yarn", .values = {}, .factor = 4.0},
                               .contextTokens = 320,
                               .captureLayers = std::move(captureLayers),
                               .chunkTokens = 32});
  }

  EnginePtr engine;
  Ids document;
  Ids question;
  Ids other;
};

TEST_F(SessionReuse, StopsAtEveryChunkAndGivesTheSameAnswerAfterwards) {
  const Parts parts{document, question};
  const auto reference = fresh();
  const Answer wanted = ask(*reference, parts);
  const std::vector<std::int64_t> ends{0, 32, 64, 96, 128, 150, 160, 192, 200};
  for (std::size_t chunks = 0; chunks + 1 < ends.size(); ++chunks) {
    const auto session = fresh();
    StopAfter stop(static_cast<int>(chunks));
    const auto stopped = session->prefill(parts, stop.job);
    expectError(stopped, ErrorCode::Cancelled, {"of 200 prompt tokens"});
    EXPECT_EQ(session->position(), ends[chunks]);
    expectError(session->generate(kAnswer, {}, {}), ErrorCode::InvalidArgument, {"prompt first"});
    const auto again = session->prefill(parts, {});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->promptTokens, 200);
    EXPECT_EQ(again->reusedTokens, ends[chunks]);
    const auto generation = session->generate(kAnswer, {}, {});
    ASSERT_TRUE(generation);
    EXPECT_EQ(answerOf(*generation), wanted) << "stopped after " << ends[chunks];
  }
}

TEST_F(SessionReuse, StopsInsideTheAnswerAndGivesTheSameAnswerAfterwards) {
  const Parts parts{document, question};
  const auto session = fresh();
  const Answer wanted = ask(*session, parts);
  for (int tokens = 0; tokens < 24; ++tokens) {
    ASSERT_TRUE(session->prefill(parts, {}));
    StopAfter stop(tokens);
    int streamed = 0;
    const auto stopped = session->generate(
        kAnswer, [&](const GeneratedToken&) { ++streamed; }, stop.job);
    ASSERT_TRUE(stopped) << stopped.error().message;
    EXPECT_EQ(finishReasonName(stopped->finishReason), "stopped");
    ASSERT_EQ(stopped->tokens.size(), static_cast<std::size_t>(tokens));
    EXPECT_EQ(streamed, tokens);
    EXPECT_TRUE(std::equal(stopped->tokens.begin(), stopped->tokens.end(), wanted.ids.begin(),
                           [](const GeneratedToken& a, std::int32_t b) { return a.id == b; }));
    const auto again = session->prefill(parts, {});
    ASSERT_TRUE(again);
    EXPECT_EQ(again->reusedTokens, 192);  // the last border before the end: logits are made anew
    const auto generation = session->generate(kAnswer, {}, {});
    ASSERT_TRUE(generation);
    EXPECT_EQ(answerOf(*generation), wanted) << "stopped after " << tokens;
  }
}

TEST_F(SessionReuse, StopsWhileScoring) {
  const auto session = fresh();
  StopAfter stop(2);
  expectError(session->score(document, {}, stop.job), ErrorCode::Cancelled, {"64 of 150"});
  EXPECT_EQ(session->position(), 64);
  const auto reference = fresh()->score(document, {}, {});
  const auto again = session->score(document, {}, {});
  ASSERT_TRUE(again && reference);
  EXPECT_EQ(again->nll, reference->nll);
}

TEST_F(SessionReuse, ASecondQuestionReadsTheDocumentFromTheCache) {
  const auto session = fresh();
  ask(*session, {document, question});
  const auto second = session->prefill({document, other}, {});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->promptTokens, 187);
  EXPECT_EQ(second->reusedTokens, 150);
  const auto generation = session->generate(kAnswer, {}, {});
  ASSERT_TRUE(generation);
  EXPECT_EQ(answerOf(*generation), ask(*fresh(), {document, other}));
  // And back to the first.
  EXPECT_EQ(ask(*session, {document, question}), ask(*fresh(), {document, question}));
}

TEST_F(SessionReuse, AChatGoesOnBehindItsOwnAnswer) {
  const auto session = fresh();
  const Answer first = ask(*session, {document, question});
  Ids turn = first.ids;
  turn.push_back(2);
  turn.insert(turn.end(), other.begin(), other.end());
  const Parts chat{document, question, turn};
  const auto second = session->prefill(chat, {});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->reusedTokens, 200);
  const auto generation = session->generate(kAnswer, {}, {});
  ASSERT_TRUE(generation);
  EXPECT_EQ(answerOf(*generation), ask(*fresh(), chat));
}

// The same ids in other parts are cut into other chunks: what was read in other chunks is not bit
// for bit what a fresh session would hold.
TEST_F(SessionReuse, PartsCutOtherwiseAreNotTakenForTheSame) {
  Ids joined = document;
  joined.insert(joined.end(), question.begin(), question.end());
  const auto session = fresh();
  ask(*session, {document, question});
  const auto whole = session->prefill({joined}, {});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->reusedTokens, 128);  // up to 150 the chunks are the same, 150 is no border now
  const auto generation = session->generate(kAnswer, {}, {});
  ASSERT_TRUE(generation);
  EXPECT_EQ(answerOf(*generation), ask(*fresh(), {joined}));
  const auto parted = session->prefill({document, question}, {});
  ASSERT_TRUE(parted);
  EXPECT_EQ(parted->reusedTokens, 128);
  const auto back = session->generate(kAnswer, {}, {});
  ASSERT_TRUE(back);
  EXPECT_EQ(answerOf(*back), ask(*fresh(), {document, question}));
}

TEST_F(SessionReuse, AnotherDocumentStartsOver) {
  const auto session = fresh();
  ask(*session, {document, question});
  Ids changed = document;
  changed[40] = changed[40] == 300 ? 301 : 300;
  const auto second = session->prefill({changed, question}, {});
  ASSERT_TRUE(second);
  EXPECT_EQ(second->reusedTokens, 32);  // the chunk before the changed token
  EXPECT_EQ(ask(*session, {changed, question}), ask(*fresh(), {changed, question}));
}

TEST_F(SessionReuse, TheSamePromptAgainReadsItsLastChunkForTheLogits) {
  const auto session = fresh();
  const Answer first = ask(*session, {document});
  const auto again = session->prefill({document}, {});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->reusedTokens, 128);
  EXPECT_EQ(ask(*session, {document}), first);
}

TEST_F(SessionReuse, AScoreLeavesChunksThatAPromptReuses) {
  const auto session = fresh();
  ASSERT_TRUE(session->score(document, {}, {}));
  const auto prefilled = session->prefill({document, question}, {});
  ASSERT_TRUE(prefilled);
  EXPECT_EQ(prefilled->reusedTokens, 150);
  const auto generation = session->generate(kAnswer, {}, {});
  ASSERT_TRUE(generation);
  EXPECT_EQ(answerOf(*generation), ask(*fresh(), {document, question}));
}

TEST_F(SessionReuse, ViewsInBetweenChangeNothing) {
  const Answer wanted = ask(*fresh(), {document, question});
  const auto session = fresh({0, 4});
  int views = 0;
  JobControl job;
  job.betweenSteps = [&] {
    const TokenRange all{0, session->position()};
    for (const int layer : {0, 4}) {
      for (const Reducer reducer : {Reducer::Max, Reducer::Mean}) {
        const auto map = session->attentionMap({.layer = layer,
                                                .head = views % 8,
                                                .queries = all,
                                                .keys = all,
                                                .width = 40,
                                                .height = 40,
                                                .reducer = reducer},
                                               {});
        ASSERT_TRUE(map) << map.error().message;
        ++views;
      }
    }
  };
  EXPECT_EQ(ask(*session, {document, question}, job), wanted);
  EXPECT_EQ(views, 4 * (8 + 24));  // after each of 8 chunks and 24 tokens
}

TEST_F(SessionReuse, AViewServedInBetweenIsTheViewServedAfterwards) {
  const auto session = fresh({2});
  const MapRequest request{.layer = 2, .head = 5, .queries = {10, 64}, .keys = {3, 50}};
  std::vector<float> between;
  JobControl job;
  job.betweenSteps = [&] {
    if (session->position() != 64) return;
    const auto map = session->attentionMap(request, {});
    ASSERT_TRUE(map);
    between = map->values;
  };
  ask(*session, {document, question}, job);
  const auto after = session->attentionMap(request, {});
  ASSERT_TRUE(after);
  ASSERT_EQ(between.size(), after->values.size());
  // Bytes, because masked cells are NaN.
  EXPECT_EQ(0, std::memcmp(between.data(), after->values.data(), between.size() * sizeof(float)));
}

TEST_F(SessionReuse, ProgressEndsAtTheTotal) {
  const auto session = fresh();
  std::vector<std::pair<std::string, std::int64_t>> seen;
  JobControl job;
  job.onProgress = [&](const Progress& p) {
    EXPECT_LE(p.done, p.total);
    seen.emplace_back(p.stage, p.done);
  };
  ask(*session, {document}, job);
  EXPECT_EQ(seen.front(), (std::pair<std::string, std::int64_t>{"prefill", 0}));
  EXPECT_NE(
      std::find(seen.begin(), seen.end(), std::pair<std::string, std::int64_t>{"prefill", 150}),
      seen.end());
  EXPECT_EQ(seen.back(), (std::pair<std::string, std::int64_t>{"decode", 24}));
}

}  // namespace
}  // namespace ropescope
