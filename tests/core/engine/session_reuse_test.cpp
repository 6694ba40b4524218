// Stopping, asking again, second questions, views in between and two sessions at once: the answer is
// bit for bit that of a fresh session on a fresh engine.
#include <gtest/gtest.h>

#include <mutex>
#include <semaphore>
#include <thread>

#include "core/engine/session.h"
#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;
using Parts = std::vector<Ids>;

constexpr GenerationConfig kAnswer{.maxNewTokens = 24, .stopAtEos = false};

struct Answer {
  Ids ids;
  std::vector<double> logProbabilities;
  bool operator==(const Answer&) const = default;
};

Answer answerOf(const Generation& generation) {
  Answer answer;
  for (const GeneratedToken& token : generation.tokens) {
    answer.ids.push_back(token.id);
    answer.logProbabilities.push_back(token.logProbability);
  }
  return answer;
}

// `job` goes to both steps.
Answer ask(Session& session, const Parts& parts, const JobControl& job = {},
           const GenerationConfig& config = kAnswer) {
  const auto prefilled = session.prefill(parts, job);
  EXPECT_TRUE(prefilled) << prefilled.error().message;
  if (!prefilled) return {};
  const auto generation = session.generate(config, {}, job);
  EXPECT_TRUE(generation) << generation.error().message;
  return generation ? answerOf(*generation) : Answer{};
}

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

// Asks for a stop after `steps` finished chunks or tokens.
struct StopAfter {
  explicit StopAfter(int steps) {
    if (steps == 0) source.request_stop();
    job.stop = source.get_token();
    job.betweenSteps = [this, steps] {
      if (++done == steps) source.request_stop();
    };
  }
  std::stop_source source;
  JobControl job;
  int done = 0;
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
    const auto stopped =
        session->generate(kAnswer, [&](const GeneratedToken&) { ++streamed; }, stop.job);
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
  EXPECT_NE(std::find(seen.begin(), seen.end(), std::pair<std::string, std::int64_t>{"prefill", 150}),
            seen.end());
  EXPECT_EQ(seen.back(), (std::pair<std::string, std::int64_t>{"decode", 24}));
}

// --- two sessions on one engine -----------------------------------------------------------------

struct Case {
  std::filesystem::path model;
  rope::MethodChoice first;
  rope::MethodChoice second;
  Parts parts;
};

std::vector<Case> pairsOfMethods() {
  const auto choice = [](const char* id, std::optional<double> factor) {
    return rope::MethodChoice{.id = id, .values = {}, .factor = factor};
  };
  const Parts text{storyIds(*loadEngine(storiesPath()), 120), randomIds(512, 30, 3)};
  const Parts random{randomIds(128, 120, 4), randomIds(128, 30, 5)};
  rope::MethodChoice longrope = choice("longrope", 4.0);
  longrope.values["long_factor"] = std::vector<double>{1.0, 1.3, 1.9, 2.6, 3.2, 3.6, 4.1, 4.5};
  return {{storiesPath(), choice("yarn", 4.0), choice("none", {}), text},
          {storiesPath(), choice("pi", 2.0), choice("ntk", 8.0), text},
          {tinyPath(), choice("dynamic", {}), longrope, random},
          {tinyPath(), choice("llama3", 4.0), choice("yarn", 4.0), random}};
}

SessionOptions optionsFor(const rope::MethodChoice& rope) {
  return {.rope = rope, .contextTokens = 200, .captureLayers = {1}, .chunkTokens = 16};
}

// Runs two jobs on two threads, of which only the one that holds the baton moves; it is passed on
// after every chunk and token.
class Relay {
 public:
  JobControl runner(int index) {
    JobControl job;
    job.betweenSteps = [this, index] {
      ++m_turns;
      pass(index);
      m_batons[static_cast<std::size_t>(index)].acquire();
    };
    return job;
  }
  void begin(int index) { m_batons[static_cast<std::size_t>(index)].acquire(); }
  // The other one runs alone from now on.
  void end(int index) {
    m_finished[static_cast<std::size_t>(index)] = true;
    pass(index);
  }
  int turns() const { return m_turns; }

 private:
  void pass(int from) {
    const auto other = static_cast<std::size_t>(1 - from);
    m_batons[m_finished[other] ? static_cast<std::size_t>(from) : other].release();
  }
  std::array<std::counting_semaphore<8>, 2> m_batons{std::counting_semaphore<8>(1),
                                                     std::counting_semaphore<8>(0)};
  std::array<std::atomic<bool>, 2> m_finished{false, false};
  std::atomic<int> m_turns{0};
};

TEST(TwoSessions, AdvancedAlternatelyAnswerAsFreshEnginesDo) {
  for (const Case& c : pairsOfMethods()) {
    const Answer wantedFirst = ask(*newSession(loadEngine(c.model), optionsFor(c.first)), c.parts);
    const Answer wantedSecond =
        ask(*newSession(loadEngine(c.model), optionsFor(c.second)), c.parts);
    EXPECT_NE(wantedFirst.logProbabilities, wantedSecond.logProbabilities);
    const auto engine = loadEngine(c.model);
    const auto first = newSession(engine, optionsFor(c.first));
    const auto second = newSession(engine, optionsFor(c.second));
    Relay relay;
    Answer firstAnswer;
    Answer secondAnswer;
    std::thread other([&] {
      relay.begin(1);
      secondAnswer = ask(*second, c.parts, relay.runner(1));
      relay.end(1);
    });
    relay.begin(0);
    firstAnswer = ask(*first, c.parts, relay.runner(0));
    relay.end(0);
    other.join();
    EXPECT_EQ(relay.turns(), 2 * (11 + 24));  // 11 chunks and 24 tokens each
    EXPECT_EQ(firstAnswer, wantedFirst) << c.first.id;
    EXPECT_EQ(secondAnswer, wantedSecond) << c.second.id;
  }
}

// Chunk by chunk on one thread: the second session reads one chunk each time the first one did.
TEST(TwoSessions, OneServedFromWithinTheOther) {
  for (const Case& c : pairsOfMethods()) {
    const auto engine = loadEngine(c.model);
    const auto first = newSession(engine, optionsFor(c.first));
    const auto second = newSession(engine, optionsFor(c.second));
    JobControl job;
    job.betweenSteps = [&] {
      StopAfter one(1);
      const auto prefilled = second->prefill(c.parts, one.job);
      EXPECT_TRUE(prefilled || prefilled.error().code == ErrorCode::Cancelled);
    };
    const Answer firstAnswer = ask(*first, c.parts, job);
    const Answer secondAnswer = ask(*second, c.parts);
    EXPECT_EQ(firstAnswer, ask(*newSession(loadEngine(c.model), optionsFor(c.first)), c.parts));
    EXPECT_EQ(secondAnswer, ask(*newSession(loadEngine(c.model), optionsFor(c.second)), c.parts));
  }
}

TEST(TwoSessions, RunningAtTheSameTimeDoNotDisturbEachOther) {
  const Case c = pairsOfMethods().front();
  const auto engine = loadEngine(c.model);
  const Answer wantedFirst = ask(*newSession(engine, optionsFor(c.first)), c.parts);
  const Answer wantedSecond = ask(*newSession(engine, optionsFor(c.second)), c.parts);
  for (int round = 0; round < 3; ++round) {
    const auto first = newSession(engine, optionsFor(c.first));
    const auto second = newSession(engine, optionsFor(c.second));
    Answer secondAnswer;
    std::thread other([&] { secondAnswer = ask(*second, c.parts); });
    const Answer firstAnswer = ask(*first, c.parts);
    other.join();
    EXPECT_EQ(firstAnswer, wantedFirst);
    EXPECT_EQ(secondAnswer, wantedSecond);
  }
}

}  // namespace
}  // namespace ropescope
