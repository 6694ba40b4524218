// Two settings, one head: both maps are their sessions' own, for the same cells.
#include "ui/viewmodels/attention_compare_model.h"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "tests/ui/same_values.h"
#include "ui/panels/attention_compare_panel.h"
#include "ui/plots/attention_compare_plot.h"

namespace ropescope::ui {
namespace {

constexpr int kPi = 0;
constexpr int kYarn = 1;

TEST(MapPair, IsTheDifferenceCellByCell) {
  const MapRequest request{.queries = {0, 2}, .keys = {0, 2}, .width = 2, .height = 2};
  const float none = std::nanf("");
  const MapPair pair =
      makePair({request, {0.5F, none, 0.25F, 0.75F}}, {request, {1.0F, none, 0.0F, 0.75F}});
  EXPECT_EQ(pair.difference[0], 0.5F);
  EXPECT_TRUE(std::isnan(pair.difference[1]));
  EXPECT_EQ(pair.difference[2], -0.25F);
  EXPECT_EQ(pair.difference[3], 0.0F);
}

TEST(AttentionCompareModel, AsksOnceForBothAndCentresTheDifferenceAtZero) {
  AttentionCompareModel model;
  std::vector<MapRequest> asked;
  model.setSource([&](const MapRequest& request, const AttentionCompareModel::Deliver& deliver) {
    asked.push_back(request);
    const auto cells = static_cast<std::size_t>(request.width * request.height);
    deliver(makePair({request, std::vector<float>(cells, 0.5F)},
                     {request, std::vector<float>(cells, 0.1F)}));
  });
  model.setTitles("one", "two");
  model.view().setModelShape(2, 2);
  model.view().setPixels({40, 40});
  model.startSessions(AttentionCompareModel::Text::Other, 32, 32);
  ASSERT_TRUE(waitUntil([&] { return model.pair() != nullptr; }));
  EXPECT_EQ(asked.size(), 1U);
  EXPECT_EQ(model.pair()->left.request, model.pair()->right.request);
  EXPECT_NEAR(model.differenceBound(), 0.4, 1e-6);  // float32 of 0.1 and 0.5
  const QString text = model.describe(10.5, 20.5);
  EXPECT_TRUE(text.contains("one: weight 0.5")) << qPrintable(text);
  EXPECT_TRUE(text.contains("two: weight 0.1")) << qPrintable(text);
  EXPECT_TRUE(text.contains("difference -0.4") || text.contains("difference −0.4"))
      << qPrintable(text);
  EXPECT_TRUE(model.describe(100, 100).isEmpty());
}

// Heads whose weights differ: 0.5 and 0.1 in head 0, a tenth of it in head 1.
struct TwoHeads {
  AttentionCompareModel model;

  TwoHeads() {
    model.setSource([](const MapRequest& request, const AttentionCompareModel::Deliver& deliver) {
      const auto cells = static_cast<std::size_t>(request.width * request.height);
      const float share = request.head == 0 ? 1.0F : 0.1F;
      AttentionMap left{request, std::vector<float>(cells, 0.5F * share)};
      AttentionMap right{request, std::vector<float>(cells, 0.1F * share)};
      right.values[0] = 0.0F;  // one difference is larger than the others
      deliver(makePair(std::move(left), std::move(right)));
    });
    model.view().setModelShape(1, 2);
    model.view().setPixels({40, 40});
    model.startSessions(AttentionCompareModel::Text::Other, 400, 400);
  }
  bool shows(int head) {
    return waitUntil([&] { return model.pair() && model.pair()->left.request.head == head; });
  }
};

TEST(AttentionCompareModel, LockedColoursStayWhileTheHeadChanges) {
  TwoHeads two;
  ASSERT_TRUE(two.shows(0));
  const ValueRange weights = two.model.weightRange();
  const double bound = two.model.differenceBound();
  two.model.view().setRangeLocked(true);
  two.model.view().setHead(1);
  ASSERT_TRUE(two.shows(1));
  EXPECT_EQ(two.model.weightRange(), weights);
  EXPECT_EQ(two.model.differenceBound(), bound);
  two.model.view().setRangeLocked(false);
  EXPECT_NEAR(two.model.weightRange().upper, 0.05, 1e-6);
  EXPECT_LT(two.model.differenceBound(), bound / 5);
}

TEST(AttentionCompareModel, ALogarithmicDifferenceReachesTheLargestOne) {
  TwoHeads two;
  ASSERT_TRUE(two.shows(0));
  EXPECT_NEAR(two.model.differenceBound(), 0.4, 1e-6) << "linear: the strongest saturate";
  two.model.setDifferenceScale(ColorScale::Logarithmic);
  EXPECT_NEAR(two.model.differenceBound(), 0.5, 1e-6);
  EXPECT_LT(two.model.differenceKnee(), two.model.differenceBound());
}

TEST(AttentionCompareModel, TheFooterSaysWhatACellHoldsAndWhichKeysAreLeftOut) {
  TwoHeads two;
  ASSERT_TRUE(two.shows(0));
  EXPECT_TRUE(two.model.footerText().startsWith(two.model.view().resolutionText()));
  EXPECT_TRUE(two.model.footerText().contains("10 queries a cell, max"));  // 400 / 40
  EXPECT_TRUE(two.model.footerText().endsWith("first 4 keys left out"));
  two.model.view().setIgnoredTokens(0);
  EXPECT_FALSE(two.model.footerText().contains("left out"));
}

// Symmetric: the same difference with the other sign is the same step from 0; ticks name weights.
TEST(AttentionComparePlot, DrawsDifferencesInDecadesToBothSidesOfZero) {
  TwoHeads two;
  AttentionComparePlot plot(two.model);
  plot.resize(900, 420);
  plot.show();
  ASSERT_TRUE(two.shows(0));
  auto* cells = plot.colorMap(AttentionComparePlot::Difference)->data();
  EXPECT_NEAR(cells->cell(5, 5), -0.4, 1e-6);
  two.model.setDifferenceScale(ColorScale::Logarithmic);
  const double knee = two.model.differenceKnee();
  EXPECT_NEAR(cells->cell(5, 5), -std::log10(1 + 0.4 / knee), 1e-5);
  const auto* scale = plot.colorMap(AttentionComparePlot::Difference)->colorScale();
  EXPECT_EQ(scale->dataRange().lower, -scale->dataRange().upper);
  EXPECT_NEAR(scale->dataRange().upper, std::log10(1 + 0.5 / knee), 1e-9);
  const auto ticker = scale->axis()->ticker().dynamicCast<QCPAxisTickerText>();
  ASSERT_TRUE(ticker);
  EXPECT_EQ(ticker->ticks().value(0.0), QStringLiteral("0"));
  EXPECT_EQ(ticker->ticks().last(), QStringLiteral("0.1"));
  EXPECT_EQ(ticker->ticks().first(), QStringLiteral("−0.1"));
}

struct LivePanel : LiveApp {
  HeadChoice heads;
  AttentionComparePanel panel{app, runner, heads};

  void start(int sentences) {
    panel.resize(860, 460);
    panel.show();
    load();
    heads.setModelShape(app.engine()->config().layers, app.engine()->config().heads);
    open(sentences);
  }
  QPushButton* readButton() const {
    for (auto* button : panel.findChildren<QPushButton*>()) {
      if (button->text().startsWith("Read under")) return button;
    }
    return nullptr;
  }
  bool complete() {
    return waitUntil([this] {
      return panel.model().pair() &&
             panel.model().pair()->left.request.queries.end == app.document()->tokens();
    });
  }
};

// What a session that nobody else uses captures.
AttentionMap freshMap(const LivePanel& live, int slot, const MapRequest& request) {
  auto session =
      live.app.engine()->newSession({.rope = live.app.slot(slot).settings().rope,
                                     .contextTokens = live.app.slot(slot).session.plannedContext,
                                     .captureLayers = {request.layer}});
  EXPECT_TRUE((*session)->prefill({live.app.document()->part.ids}, {}));
  const auto map = (*session)->attentionMap(request, {});
  EXPECT_TRUE(map);
  return *map;
}

TEST(AttentionComparePanel, ReadsUnderBothAndShowsEachSessionsOwnWeights) {
  LivePanel live;
  live.start(60);
  ASSERT_NE(live.readButton(), nullptr);
  live.readButton()->click();
  live.idle();
  live.readButton()->click();
  live.idle();
  ASSERT_TRUE(live.complete()) << qPrintable(live.errors.join("; "));
  EXPECT_FALSE(live.readButton()->isVisible()) << "both have read";
  EXPECT_EQ(live.app.activeSlot(), -1) << "the window stays where it was";
  live.heads.setHead({3, 2});
  ASSERT_TRUE(waitUntil([&] {
    const auto pair = live.panel.model().pair();
    return pair && pair->left.request.layer == 3 && pair->left.request.head == 2;
  }));
  const auto pair = live.panel.model().pair();
  expectSame(pair->left.values, freshMap(live, kPi, pair->left.request).values);
  expectSame(pair->right.values, freshMap(live, kYarn, pair->left.request).values);
  EXPECT_NE(pair->left.values, pair->right.values);
}

TEST(AttentionComparePanel, ZoomsAllThreeTogetherAndTheOtherOrderIsTheNegative) {
  LivePanel live;
  live.start(60);
  live.panel.showExample();
  ASSERT_TRUE(waitUntil([&] { return live.panel.isSettled(); }));
  ASSERT_TRUE(live.complete()) << qPrintable(live.errors.join("; "));
  auto* plot = live.panel.findChild<AttentionComparePlot*>();
  plot->axisRect(AttentionComparePlot::Right)->axis(QCPAxis::atBottom)->setRange(20, 120);
  for (const auto part : {AttentionComparePlot::Left, AttentionComparePlot::Difference}) {
    EXPECT_EQ(plot->axisRect(part)->axis(QCPAxis::atBottom)->range(), QCPRange(20, 120));
  }
  // A colour scale's labels may take room from the maps, which then ask for fewer cells.
  ASSERT_TRUE(waitUntil([&] {
    return live.panel.isSettled() && live.panel.model().pair()->left.request.keys.begin == 20;
  }));
  const auto before = live.panel.model().pair();
  live.panel.chooseSlots(kYarn, kPi);
  ASSERT_TRUE(waitUntil([&] {
    const auto pair = live.panel.model().pair();
    return pair != nullptr && pair != before && live.panel.isSettled();
  }));
  const auto after = live.panel.model().pair();
  ASSERT_TRUE(after);
  ASSERT_EQ(after->left.request, before->left.request) << "the view stays";
  for (std::size_t i = 0; i < before->difference.size(); ++i) {
    if (std::isnan(before->difference[i])) continue;
    ASSERT_EQ(after->difference[i], -before->difference[i]) << i;
  }
}

// The growing map pauses between two pictures: the last of those is what counts as settled.
TEST(AttentionComparePanel, IsSettledOnlyWhenBothReachTheLastToken) {
  LivePanel live;
  live.start(300);
  EXPECT_TRUE(live.panel.isSettled()) << "nothing was read: nothing is on its way";
  live.panel.showExample();
  EXPECT_FALSE(live.panel.isSettled());
  ASSERT_TRUE(waitUntil([&] { return live.panel.isSettled(); }));
  ASSERT_NE(live.panel.model().pair(), nullptr);
  EXPECT_EQ(live.panel.model().pair()->left.request.queries.end, live.app.document()->tokens());
  EXPECT_EQ(live.panel.model().pair()->right.request.queries.end, live.app.document()->tokens());
  live.heads.setHead({3, 2});
  EXPECT_FALSE(live.panel.isSettled()) << "another head is asked for soon";
}

TEST(AttentionComparePanel, TakesTheWindowsHeadAndLeavesItAlone) {
  LivePanel live;
  live.load();
  live.heads.setModelShape(live.app.engine()->config().layers, live.app.engine()->config().heads);
  live.heads.setHead({2, 1});
  live.panel.show();
  EXPECT_EQ(live.panel.model().view().layer(), 2);
  EXPECT_EQ(live.panel.model().view().head(), 1);
  EXPECT_EQ(live.heads.head().layer, 2);
  live.panel.model().view().stepHead(1);
  EXPECT_EQ(live.heads.head().head, 2) << "and the window follows the view";
}

TEST(AttentionComparePanel, TheTableHoldsTheCells) {
  LivePanel live;
  live.start(20);
  live.panel.showExample();
  ASSERT_TRUE(waitUntil([&] { return live.panel.isSettled(); }));
  ASSERT_TRUE(live.complete());
  const auto pair = live.panel.model().pair();
  const auto drawn = std::count_if(pair->difference.begin(), pair->difference.end(),
                                   [](float value) { return !std::isnan(value); });
  EXPECT_EQ(live.panel.table().rows(), static_cast<int>(drawn));
}

TEST(AttentionComparePanel, ClosingAndStoppingWhileReadingIsHarmless) {
  LivePanel live;
  live.start(600);
  live.panel.showExample();
  ASSERT_TRUE(waitUntil([&] { return live.app.slot(kPi).session.position() > 0; }));
  live.runner.stopAll();
  live.panel.close();
  live.idle();
  EXPECT_TRUE(live.errors.isEmpty()) << qPrintable(live.errors.join("; "));
}

}  // namespace
}  // namespace ropescope::ui
