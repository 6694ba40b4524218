// Two sessions under different methods on one engine give exactly what two fresh programs give.
#include <array>
#include <atomic>
#include <semaphore>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/asking.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

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
