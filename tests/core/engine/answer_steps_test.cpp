// Sessions that take turns, chunk by chunk and token by token, give what each gives alone.
#include "core/engine/answer_steps.h"

#include <gtest/gtest.h>

#include "tests/support/asking.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

SessionOptions under(const char* method) {
  return {
      .rope = {.id = method, .values = {}, .factor = 4.0}, .contextTokens = 320, .chunkTokens = 32};
}

TEST(AnswerSteps, TwoSessionsInTurnGiveWhatTwoFreshOnesGive) {
  const EnginePtr engine = loadEngine(storiesPath());
  const Parts parts{storyIds(*engine, 150), randomIds(512, 50, 1)};
  std::vector<Answer> wanted;
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<PromptReading> readings;
  for (const char* method : {"pi", "yarn"}) {
    const auto alone = newSession(engine, under(method));
    wanted.push_back(ask(*alone, parts));
    sessions.push_back(newSession(engine, under(method)));
    auto reading = PromptReading::begin(*sessions.back(), parts);
    ASSERT_TRUE(reading);
    readings.push_back(*std::move(reading));
  }
  ASSERT_NE(wanted[0], wanted[1]) << "the test would not notice an exchange";
  for (bool all = false; !all;) {
    all = true;
    for (PromptReading& reading : readings) {
      if (!reading.isDone()) ASSERT_TRUE(reading.readChunk());
      all = all && reading.isDone();
    }
  }
  std::vector<AnswerDrawing> drawings;
  for (const auto& session : sessions) {
    auto drawing = AnswerDrawing::begin(*session, kAnswer);
    ASSERT_TRUE(drawing);
    drawings.push_back(*std::move(drawing));
  }
  std::vector<Answer> answers(2);
  for (std::int64_t step = 0; step < kAnswer.maxNewTokens; ++step) {
    for (std::size_t i = 0; i < drawings.size(); ++i) {
      const auto token = drawings[i].draw();
      ASSERT_TRUE(token);
      answers[i].ids.push_back(token->id);
      answers[i].logProbabilities.push_back(token->logProbability);
      ASSERT_TRUE(drawings[i].advance());
    }
  }
  EXPECT_FALSE(drawings[0].draw()) << "the length limit";
  EXPECT_EQ(drawings[0].finishReason(), FinishReason::Length);
  EXPECT_EQ(answers[0], wanted[0]);
  EXPECT_EQ(answers[1], wanted[1]);
}

TEST(AnswerSteps, RefusesAsTheWholeCallsDo) {
  const EnginePtr engine = loadEngine(storiesPath());
  const auto session = newSession(engine, under("pi"));
  expectError(PromptReading::begin(*session, {}), ErrorCode::InvalidArgument, {"empty"});
  expectError(PromptReading::begin(*session, {Ids(400, 5)}), ErrorCode::InvalidArgument,
              {"400", "320"});
  expectError(AnswerDrawing::begin(*session, kAnswer), ErrorCode::InvalidArgument,
              {"prompt first"});
}

}  // namespace
}  // namespace ropescope
