// The coverage view on a real engine: the answer's attention is the core's.
#include "ui/panels/coverage_panel.h"

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "ui/plots/coverage_plot.h"
#include "ui/viewmodels/compare_model.h"

namespace ropescope::ui {
namespace {

struct CoveragePanelTest : ::testing::Test {
  LiveApp live;
  HeadChoice heads;
  CoveragePanel panel{{live.app, live.runner, live.chat, heads}};

  void SetUp() override {
    panel.resize(430, 420);
    panel.show();
    live.load();
    heads.setModelShape(5, 8);
    live.open(30);
  }

  void readUnder(const char* method) {
    MethodSettings settings = live.app.method();
    settings.rope = {.id = method, .values = {}, .factor = 2.0};
    settings.contextTokens = 1024;
    live.app.applyMethod(settings);
    live.app.readDocument();
    live.idle();
  }

  DistanceMass core(const DistanceMassRequest& request) {
    Result<DistanceMass> found = Error{};
    live.runner.requestView<DistanceMass>(
        "test", &live.app,
        [request](EngineRoom& room, const JobControl& job) {
          return distanceMass(*room.session, request, job);
        },
        [&](const Result<DistanceMass>& mass) { found = mass; });
    EXPECT_TRUE(waitUntil([&] { return bool(found); })) << found.error().message;
    return *found;
  }
};

TEST_F(CoveragePanelTest, ShowsTheAttentionOfTheAnswer) {
  readUnder("yarn");
  live.app.setAnswerTokens(6);
  live.chat.ask("What was her name?");
  ASSERT_TRUE(waitUntil([this] { return !live.chat.isBusy(); }));
  const Answer& answer = live.lastTurn().result;
  ASSERT_FALSE(answer.ids.empty());
  ASSERT_TRUE(waitUntil([this] {
    return panel.isSettled() && panel.model().sentence().contains("the answer's");
  })) << qPrintable(panel.model().sentence() + panel.model().massText());

  const std::int64_t first = answer.prefill.promptTokens - 1;
  const DistanceMass mass =
      core({.queries = {first, first + static_cast<std::int64_t>(answer.ids.size())},
            .heads = HeadSet::meanOfAll(5, 8),
            .ignoredTokens = 4,
            .plan = {}});
  const PlotTable table = panel.table();
  const auto& bins = panel.model().bins();
  for (std::size_t i = 0; i < bins.size(); ++i) {
    double share = 0.0;
    for (auto d = bins[i].begin; d < bins[i].end && d < mass.queries.end; ++d) {
      share += mass.byDistance[static_cast<std::size_t>(d)];
    }
    EXPECT_EQ(table.columns[2].numbers[i], share);
  }
}

TEST_F(CoveragePanelTest, TakesTheRetrievalHeadsOnceTheyAreFound) {
  auto* chooser = panel.findChild<QComboBox*>("heads");
  ASSERT_NE(chooser, nullptr);
  readUnder("yarn");
  EXPECT_LT(chooser->findText("retrieval", Qt::MatchContains), 0);
  std::vector<HeadScore> scores{{.head = {2, 3}, .score = 0.9},
                                {.head = {1, 0}, .score = 0.8},
                                {.head = {4, 7}, .score = 0.7},
                                {.head = {0, 1}, .score = 0.6}};
  heads.setRanking(std::make_shared<const RetrievalRanking>(RetrievalRanking{scores, "here"}));
  const int row = chooser->findText("retrieval", Qt::MatchContains);
  ASSERT_GE(row, 0);
  chooser->setCurrentIndex(row);
  Q_EMIT chooser->activated(row);
  ASSERT_TRUE(waitUntil([this] {
    return panel.isSettled() && panel.model().massText().contains("4 best retrieval heads");
  })) << qPrintable(panel.model().massText());
  const std::int64_t position = live.app.position();
  const DistanceMass mass = core({.queries = {position - 64, position},
                                  .heads = HeadSet::best(scores, 4),
                                  .ignoredTokens = 4,
                                  .plan = {}});
  const auto& bins = panel.model().bins();
  const PlotTable table = panel.table();
  double share = 0.0;
  for (auto d = bins[3].begin; d < bins[3].end; ++d) {
    share += mass.byDistance[static_cast<std::size_t>(d)];
  }
  EXPECT_EQ(table.columns[2].numbers[3], share);
}

TEST_F(CoveragePanelTest, EveryFlipFindsTheAnswerOfItsOwnSession) {
  live.app.setAnswerTokens(6);
  for (const int slot : {0, 1}) {
    live.app.activateSlot(slot);
    live.chat.ask("Who?");
    live.idle();
    ASSERT_EQ(live.lastTurn().state, ChatTurn::State::Finished)
        << qPrintable(live.lastTurn().problem);
  }
  for (const int slot : {0, 1}) {
    live.app.activateSlot(slot);
    live.idle();
    EXPECT_TRUE(waitUntil([this] {
      return panel.isSettled() && panel.model().sentence().contains("the answer's");
    })) << slot
        << ": " << qPrintable(panel.model().massText());
  }
}

TEST_F(CoveragePanelTest, AnAnswerThatTheComparisonReplacedIsNotTakenForTheOneBefore) {
  live.app.setAnswerTokens(6);
  live.app.activateSlot(0);
  live.chat.ask("Who?");
  live.idle();
  live.app.activateSlot(1);
  live.idle();
  CompareModel compare(live.app, live.chat, live.runner);
  compare.ask("What did the little girl see in the big green park with her good friend?");
  live.idle();
  ASSERT_TRUE(compare.hasAnswer(0));
  live.app.activateSlot(0);
  live.idle();
  ASSERT_TRUE(waitUntil([this] { return panel.isSettled() && panel.model().hasMass(); }));
  EXPECT_TRUE(panel.model().massText().contains("no answer yet"))
      << qPrintable(panel.model().massText());
}

TEST_F(CoveragePanelTest, TakesTheLastTokensBeforeThereIsAnAnswer) {
  readUnder("pi");
  ASSERT_TRUE(waitUntil([this] { return panel.model().hasMass(); }));
  EXPECT_TRUE(panel.model().massText().contains("no answer yet"));
  EXPECT_TRUE(panel.model().massText().contains("40 heads"));
}

TEST_F(CoveragePanelTest, FollowsTheChosenHeads) {
  readUnder("pi");
  ASSERT_TRUE(waitUntil([this] { return panel.model().hasMass(); }));
  auto* choice = panel.findChildren<QComboBox*>()[2];
  ASSERT_EQ(choice->count(), 2);
  choice->setCurrentIndex(1);
  Q_EMIT choice->activated(1);
  heads.setHead({3, 1});
  ASSERT_TRUE(waitUntil([this] { return panel.model().massText().contains("layer 3, head 1"); }))
      << qPrintable(panel.model().massText());
}

TEST_F(CoveragePanelTest, ANewPlanForgetsTheAnswer) {
  readUnder("pi");
  ASSERT_TRUE(waitUntil([this] { return panel.model().hasMass(); }));
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "yarn", .values = {}, .factor = 2.0};
  live.app.applyMethod(settings);
  EXPECT_FALSE(panel.model().hasMass());
  live.idle();
}

TEST_F(CoveragePanelTest, AClickInThePlotChoosesTheDistance) {
  readUnder("none");
  auto* plot = panel.findChild<CoveragePlot*>();
  Q_EMIT plot->distancePicked(700);
  EXPECT_EQ(panel.model().distance(), 700);
  panel.showTable(true);
  EXPECT_EQ(panel.tableView()->tableModel()->rowCount(), panel.table().rows());
}

TEST_F(CoveragePanelTest, MayBeClosedWhileItsAnswerIsUnderWay) {
  auto closing =
      std::make_unique<CoveragePanel>(CoverageSources{live.app, live.runner, live.chat, heads});
  closing->show();
  live.app.readDocument();
  ASSERT_TRUE(waitUntil([&] { return !closing->isSettled(); }));
  closing.reset();
  live.idle();
  EXPECT_TRUE(live.errors.isEmpty()) << qPrintable(live.errors.join("; "));
}

}  // namespace
}  // namespace ropescope::ui
