// The factor editor on a real engine: its three levels give the core's numbers.
#include "ui/panels/factor_editor_panel.h"

#include <QTest>

#include <gtest/gtest.h>

#include "core/eval/perplexity.h"
#include "tests/ui/live_app.h"
#include "ui/plots/factor_editor_plot.h"

namespace ropescope::ui {
namespace {

struct FactorEditorPanelTest : ::testing::Test {
  LiveApp live;
  FactorEditorPanel panel{live.app, live.runner, live.chat};

  void SetUp() override {
    panel.resize(430, 420);
    panel.show();
    live.load();
    live.open(60);
    MethodSettings settings = live.app.method();
    settings.rope = {.id = "yarn", .values = {}, .factor = 2.0};
    settings.contextTokens = 1024;
    live.app.applyMethod(settings);
    live.idle();
  }
};

TEST_F(FactorEditorPanelTest, PatchesTheScoresOfTheSession) {
  EXPECT_TRUE(waitUntil([this] { return panel.model().patchText().contains("ask a question"); }));
  live.app.readDocument();
  live.idle();
  panel.model().usePreset(1);
  ASSERT_TRUE(waitUntil([this] { return panel.isSettled() && panel.model().patch() != nullptr; }))
      << qPrintable(panel.model().patchText());
  const ScorePatch patch = *panel.model().patch();
  EXPECT_GT(patch.moved(), 0.0);
  Result<DistanceMass> asked = Error{};
  DistanceMassRequest request{
      .queries = patch.before.queries,
      .heads = HeadSet::meanOfAll(5, 8),
      .ignoredTokens = 4,
      .plan = std::make_shared<const rope::RotaryPlan>(*panel.model().plan())};
  live.runner.requestView<DistanceMass>(
      "test", &live.app,
      [request](EngineRoom& room, const JobControl& job) {
        return distanceMass(*room.session, request, job);
      },
      [&](const Result<DistanceMass>& mass) { asked = mass; });
  ASSERT_TRUE(waitUntil([&] { return bool(asked); })) << asked.error().message;
  EXPECT_EQ(asked->byDistance, patch.after.byDistance);
}

TEST_F(FactorEditorPanelTest, ReRunsASliceInSessionsOfItsOwn) {
  live.app.readDocument();
  live.idle();
  const std::int64_t position = live.app.position();
  panel.model().usePreset(1);
  panel.findChild<QSpinBox*>("slice")->setValue(600);
  panel.rerun();
  ASSERT_TRUE(waitUntil([this] { return panel.isSettled(); }));
  const QString text = panel.model().rerunText();
  for (const rope::MethodChoice& choice :
       {rope::MethodChoice{.id = "yarn", .values = {}, .factor = 2.0},
        rope::MethodChoice{.id = "none"}}) {
    CurveSettings settings;
    settings.rope = choice;
    const auto curve = measureCurve(*live.app.engine(), settings, {live.app.document()->plainIds},
                                    {.lengths = {600}}, {}, {});
    ASSERT_TRUE(curve) << curve.error().message;
    EXPECT_TRUE(text.contains(QLocale().toString(curve->points[0].perplexity, 'f', 2)))
        << qPrintable(text) << ", wanted " << curve->points[0].perplexity;
  }
  EXPECT_EQ(live.app.position(), position);  // the window's session is as it was
}

TEST_F(FactorEditorPanelTest, AReRunCanBeStopped) {
  panel.rerun();
  panel.stopRerun();
  ASSERT_TRUE(waitUntil([this] { return panel.isSettled(); }));
  EXPECT_TRUE(live.errors.isEmpty());
}

TEST_F(FactorEditorPanelTest, MayBeClosedWhileItReRuns) {
  auto closing = std::make_unique<FactorEditorPanel>(live.app, live.runner, live.chat);
  closing->rerun();
  closing.reset();
  live.idle();
  EXPECT_TRUE(live.errors.isEmpty());
}

TEST_F(FactorEditorPanelTest, AppliesTheDraftAsTheSessionsMethod) {
  panel.model().drag(3, 1.75);
  const auto edited = panel.model().plan();
  ASSERT_TRUE(edited);
  panel.applyToSession();
  live.idle();
  EXPECT_TRUE(live.app.plan()->sameRotation(*edited));
  EXPECT_FALSE(panel.model().isEdited());
  panel.model().undoStack().undo();  // the history is still there
  EXPECT_TRUE(panel.model().isEdited());
}

TEST_F(FactorEditorPanelTest, SavesFilesThatTheMethodLoads) {
  panel.model().drag(3, 1.75);
  const QString path = live.folder.filePath("edited.json");
  ASSERT_TRUE(panel.saveFactors(path));
  const auto loaded = live.app.engine()->plan(
      {.id = "longrope", .values = {{"factors", path.toStdString()}}, .factor = 2.0}, 1024);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_TRUE(loaded->sameRotation(*panel.model().plan()));
  EXPECT_FALSE(panel.saveFactors("/nowhere/at/all.json"));
}

TEST_F(FactorEditorPanelTest, BarsAreDraggedWithTheMouseAndChangedWithKeys) {
  auto* plot = panel.findChild<FactorEditorPlot*>();
  QTest::qWait(50);
  const auto pixelOf = [&](int pair, double factor) {
    const QCPAxisRect* rect = plot->factorRect();
    return QPoint(qRound(rect->axis(QCPAxis::atBottom)->coordToPixel(pair)),
                  qRound(rect->axis(QCPAxis::atLeft)->coordToPixel(factor)));
  };
  QTest::mousePress(plot->plot(), Qt::LeftButton, {}, pixelOf(1, 1.5));
  QTest::mouseMove(plot->plot(), pixelOf(1, 3.0));
  QTest::mouseRelease(plot->plot(), Qt::LeftButton, {}, pixelOf(1, 3.0));
  constexpr double kPixel = 0.1;  // of a factor: the plot is about 100 pixels high
  EXPECT_NEAR(panel.model().draft().factors[1], 3.0, 3.0 * kPixel);
  EXPECT_EQ(panel.model().undoStack().count(), 1);
  EXPECT_EQ(plot->chosenPair(), 1);
  for (const QCPBarsData& bar : *plot->bars()->data()) {
    const double top = plot->bars()->baseValue() + bar.value;
    EXPECT_DOUBLE_EQ(top, panel.model().draft().factors[static_cast<std::size_t>(bar.key)]);
  }
  const double before = panel.model().draft().factors[2];
  QTest::keyClick(plot->plot(), Qt::Key_Right);
  QTest::keyClick(plot->plot(), Qt::Key_Up);
  EXPECT_GT(panel.model().draft().factors[2], before);
  EXPECT_EQ(panel.model().undoStack().count(), 2);
}

}  // namespace
}  // namespace ropescope::ui
