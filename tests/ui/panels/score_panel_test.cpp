// Score against distance in the window: the core's curve of the chosen contents, under every
// method.
#include "ui/panels/score_panel.h"

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "ui/plots/score_plot.h"

namespace ropescope::ui {
namespace {

constexpr double kScore = 1e-5;  // the curve at the tokens' own distance is their score

struct ScoreWindow {
  LiveApp live;
  HeadChoice heads;
  TokenChoice tokens;
  ScorePanel panel{{live.app, live.runner, heads, tokens}};

  ScoreWindow() {
    panel.resize(430, 420);
    panel.show();
    live.load();
    live.open(20);
    MethodSettings settings = live.app.method();
    settings.rope = {.id = "pi", .values = {}, .factor = 4.0};
    settings.contextTokens = 2048;
    live.app.applyMethod(settings);
    live.idle();
    const ModelConfig& config = live.app.engine()->config();
    heads.setModelShape(config.layers, config.heads);
    heads.setHead({1, 2});
    live.app.readDocument();
    live.idle();
    tokens.choose(120, 40);
  }
  ScoreViewModel& model() { return panel.model(); }
  bool settle() {
    return waitUntil([this] { return !model().lines().empty() && !model().isLoading(); });
  }
};

TEST(ScorePanel, DrawsTheCoresCurveOfTheTwoTokens) {
  ScoreWindow window;
  ASSERT_TRUE(window.settle()) << window.model().message().toStdString();
  const PairReading& reading = *window.model().pair().reading();
  const auto& distances = window.model().distances();
  EXPECT_EQ(window.model().step(), 1);  // 2,047 / 1,024
  EXPECT_EQ(distances.first(), 0);
  EXPECT_EQ(distances.last(), 2047);
  const std::vector<std::int64_t> asked(distances.begin(), distances.end());
  ASSERT_GE(window.model().lines().size(), 2U);
  EXPECT_TRUE(window.model().lines()[0].isInUse);
  EXPECT_TRUE(window.model().lines()[1].isPlain);
  const auto inUse = scoreCurve(pairShares(reading.pair.contents), reading.plan, asked);
  for (std::size_t i = 0; i < inUse.size(); ++i) {
    EXPECT_EQ(window.model().lines()[0].scores[static_cast<qsizetype>(i)], inUse[i]);
  }
  EXPECT_EQ(window.model().ownDistance(), 80);
  EXPECT_NEAR(inUse[80], reading.pair.used.score, kScore);
  EXPECT_EQ(window.panel.table().columns.at(1).numbers, inUse);
  EXPECT_EQ(window.model().trainedLength(), 512);
}

TEST(ScorePanel, ZoomScoresTheVisibleDistances) {
  ScoreWindow window;
  ASSERT_TRUE(window.settle());
  window.panel.plot()->xAxis->setRange(100.4, 110.6);
  EXPECT_EQ(window.model().distances().first(), 100);
  EXPECT_EQ(window.model().distances().last(), 111);
  EXPECT_EQ(window.model().distances().size(), 12);
}

TEST(ScorePanel, MarksTheLastDistanceOfAContextWithItsExactScore) {
  ScoreWindow window;
  ASSERT_TRUE(window.settle());
  auto* plot = static_cast<ScorePlot*>(window.panel.plot()->parentWidget());
  EXPECT_FALSE(window.model().contextScore());
  window.panel.plot()->xAxis->setRange(0, 2046);  // one distance in 1: every one is there
  window.model().setContextLength(700);
  const auto& pair = window.model().pair().reading()->pair;
  const std::vector<std::int64_t> last{699};
  const auto wanted = scoreCurve(pairShares(pair.contents), *window.live.app.plan(), last);
  ASSERT_TRUE(window.model().contextScore());
  EXPECT_EQ(*window.model().contextScore(), wanted.front());
  EXPECT_EQ(
      plot->cursorText(),
      QStringLiteral("context 700: score %1").arg(QLocale().toString(wanted.front(), 'f', 3)));
  window.panel.plot()->xAxis->setRange(0, 600);
  EXPECT_FALSE(window.model().contextScore());  // out of view
}

TEST(ScorePanel, AnotherMethodKeepsTheAxesAndLeavesAGhost) {
  ScoreWindow window;
  ASSERT_TRUE(window.settle());
  auto* plot = static_cast<ScorePlot*>(window.panel.plot()->parentWidget());
  window.panel.plot()->xAxis->setRange(20, 900);
  const QVector<double> before = window.model().lines()[0].scores;
  const QCPRange x = plot->plot()->xAxis->range();
  const QCPRange y = plot->plot()->yAxis->range();
  EXPECT_TRUE(window.model().ghost().scores.isEmpty());
  MethodSettings settings = window.live.app.method();
  settings.rope = {.id = "yarn", .values = {}, .factor = 4.0};
  window.live.app.applyMethod(settings);
  window.live.idle();
  window.live.app.readDocument();
  window.live.idle();
  ASSERT_TRUE(window.settle()) << window.model().message().toStdString();
  EXPECT_EQ(window.model().ghost().scores, before);
  EXPECT_TRUE(window.model().ghost().title.startsWith(QStringLiteral("before: ")));
  EXPECT_NE(window.model().lines()[0].scores, before);
  EXPECT_EQ(plot->plot()->xAxis->range(), x);
  EXPECT_LE(plot->plot()->yAxis->range().lower, y.lower);
  EXPECT_GE(plot->plot()->yAxis->range().upper, y.upper);
  EXPECT_EQ(plot->ghost()->dataCount(), before.size());
  window.tokens.choose(110, 40);  // another pair: nothing before it
  ASSERT_TRUE(waitUntil([&] { return window.model().ghost().scores.isEmpty(); }));
  ASSERT_TRUE(window.settle());
  EXPECT_EQ(plot->plot()->xAxis->range().upper, 2047);
}

TEST(ScorePanel, ShowsEveryMethodAndTheMeanOverTheHead) {
  ScoreWindow window;
  ASSERT_TRUE(window.settle());
  window.model().setShown(ScoreViewModel::Lines::AllMethods);
  EXPECT_GT(window.model().lines().size(), 3U);
  const auto two = window.model().lines()[0].scores;
  window.model().setContents(ScoreViewModel::Contents::HeadMean);
  ASSERT_TRUE(window.settle()) << window.model().message().toStdString();
  EXPECT_LT(window.model().ownDistance(), 0);
  Result<HeadMean> asked = Error{};
  window.live.runner.requestView<HeadMean>(
      QStringLiteral("test"), &window.live.app,
      [](EngineRoom& room, const JobControl& job) {
        return headMean(*room.session, 1, 2, 1024, job);
      },
      [&](const Result<HeadMean>& mean) { asked = mean; });
  ASSERT_TRUE(waitUntil([&] { return bool(asked); }));
  const auto& distances = window.model().distances();
  const std::vector<std::int64_t> at(distances.begin(), distances.end());
  const auto wanted = scoreCurve(pairShares(asked->contents), *window.live.app.plan(), at);
  ASSERT_EQ(window.model().lines()[0].scores.size(), static_cast<qsizetype>(wanted.size()));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(window.model().lines()[0].scores[static_cast<qsizetype>(i)], wanted[i]);
  }
  EXPECT_NE(window.model().lines()[0].scores, two);
  EXPECT_TRUE(window.model().sentence().contains(QString::number(asked->tokens)));
}

}  // namespace
}  // namespace ropescope::ui
