#include "ui/viewmodels/recording_player.h"

#include <QSignalSpy>

#include <gtest/gtest.h>

#include "tests/ui/wait_until.h"

namespace ropescope::ui {
namespace {

using experiment::Experiment;
using experiment::RecordedAnswer;
using Kind = RecordingStep::Kind;

// Two settings; the second question was asked of the second only, its map was not drawn.
std::shared_ptr<const Experiment> lesson() {
  auto made = std::make_shared<Experiment>();
  made->plan.documentText = "text";
  made->plan.settings = {"none", "yarn:factor=4"};
  made->plan.questions = {"Who?", "Where?"};
  made->plan.maps = {{.layer = 1, .head = 2}};
  made->results.resize(2);
  const RecordedAnswer answer{.text = "Lily",
                              .tokens = {{.id = 5, .logProbability = -0.5}, {.id = 6}, {.id = 7}},
                              .finishReason = "eos",
                              .ends = {1, 3, 4},
                              .seconds = 6.0};
  for (auto& result : made->results) {
    result.answers = {answer, {}};
    result.maps.resize(1);
  }
  made->results[0].setting = "none";
  made->results[1].setting = "yarn:factor=4";
  made->results[1].answers[1] = answer;
  AttentionMap& map = made->results[0].maps[0];
  map.request = {.layer = 1, .head = 2, .queries = {0, 8}, .keys = {0, 8}, .width = 4, .height = 4};
  map.values.assign(16, 0.25F);
  made->results[1].perplexity = {{.length = 256}, {.length = 512}};
  return made;
}

TEST(RecordingPlayer, StepsThroughWhatWasRecordedAndNothingElse) {
  std::vector<std::pair<Kind, int>> kinds;
  for (const RecordingStep& step : stepsOf(*lesson())) kinds.emplace_back(step.kind, step.parts);
  EXPECT_EQ(kinds, (std::vector<std::pair<Kind, int>>{{Kind::Document, 1},
                                                      {Kind::Map, 4},
                                                      {Kind::Answer, 3},
                                                      {Kind::Answer, 3},
                                                      {Kind::Answer, 3},
                                                      {Kind::Angles, 1},
                                                      {Kind::Curves, 2}}));
}

TEST(RecordingPlayer, IsOpenedWholeAndPlaysFromTheBeginning) {
  RecordingPlayer player;
  player.setExperiment(lesson());
  EXPECT_EQ(player.current(), player.steps().size() - 1);
  EXPECT_EQ(player.shownParts(), 2);
  player.play();
  EXPECT_TRUE(player.isPlaying());
  EXPECT_EQ(player.current(), 0U);
  EXPECT_EQ(player.shownParts(2), 0) << "the answer has not begun";
  player.pause();
}

TEST(RecordingPlayer, AnAnswerStreamsAtTheSteadyOrTheRecordedPace) {
  RecordingPlayer player;
  player.setExperiment(lesson());
  player.goTo(2);
  EXPECT_EQ(player.shownParts(), 3) << "a step is whole while nothing plays";
  player.play();
  player.previous();
  player.next();  // from its beginning, because it plays
  EXPECT_EQ(player.shownParts(), 0);
  player.advance(1.01 / 12);  // 12 tokens a second
  EXPECT_EQ(player.shownParts(), 1);
  player.advance(1.0 / 12);
  EXPECT_EQ(player.shownParts(), 2);
  player.setRecordedPace(true);
  player.next();
  player.advance(2.01);  // 6 seconds for 3 tokens
  EXPECT_EQ(player.shownParts(), 1);
  player.pause();
}

TEST(RecordingPlayer, PlaysToTheEndAndStops) {
  RecordingPlayer player;
  player.setExperiment(lesson());
  QSignalSpy steps(&player, &RecordingPlayer::stepChanged);
  player.play();
  for (int tick = 0; tick < 10000 && player.isPlaying(); ++tick) player.advance(0.05);
  EXPECT_FALSE(player.isPlaying());
  EXPECT_EQ(player.current(), player.steps().size() - 1);
  EXPECT_EQ(steps.count(), static_cast<int>(player.steps().size()));
}

TEST(RecordingPlayer, TheClockDrivesIt) {
  RecordingPlayer player;
  player.setExperiment(lesson());
  player.goTo(1);
  player.play();
  player.previous();
  player.next();
  EXPECT_TRUE(waitUntil([&] { return player.shownParts() > 0; }));
  player.setExperiment(nullptr);  // another file while it plays
  EXPECT_FALSE(player.isPlaying());
  player.play();
  player.next();
  EXPECT_EQ(player.step(), nullptr);
}

TEST(RecordingPlayer, CutsAnAnswerWhereItsTokensEnd) {
  const RecordedAnswer answer = lesson()->results[0].answers[0];
  EXPECT_EQ(answerText(answer, 0), "");
  EXPECT_EQ(answerText(answer, 1), "L");
  EXPECT_EQ(answerText(answer, 2), "Lil");
  EXPECT_EQ(answerText(answer, 9), "Lily");
  EXPECT_EQ(tokenText(answer, 1), "il");
  RecordedAnswer old = answer;
  old.ends.clear();
  EXPECT_EQ(answerText(old, 2), "Li") << "evenly where the file does not say";
  EXPECT_EQ(tokenText(old, 1), "");
}

}  // namespace
}  // namespace ropescope::ui
