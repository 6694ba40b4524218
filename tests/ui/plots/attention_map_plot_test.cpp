#include "ui/plots/attention_map_plot.h"

#include <QTest>
#include <QWheelEvent>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "ui/panels/attention_panel.h"
#include "ui/plots/weight_strips.h"

namespace ropescope::ui {
namespace {

constexpr int kPatience = 5000;  // ms
constexpr float kNeedle = 0.5F;
constexpr float kHay = 1e-4F;

// What the engine would answer under max for a context where every query attends to one key.
AttentionMap needleMap(const MapRequest& request, std::int64_t needle) {
  AttentionMap map{request, {}};
  for (int row = 0; row < request.height; ++row) {
    const std::int64_t lastQuery = cellBegin(request.queries, request.height, row + 1) - 1;
    for (int column = 0; column < request.width; ++column) {
      const std::int64_t begin = cellBegin(request.keys, request.width, column);
      const std::int64_t end = cellBegin(request.keys, request.width, column + 1);
      const bool isFuture = begin > lastQuery;
      const bool hasNeedle = needle >= begin && needle < end && needle <= lastQuery;
      map.values.push_back(isFuture    ? std::numeric_limits<float>::quiet_NaN()
                           : hasNeedle ? kNeedle
                                       : kHay);
    }
  }
  return map;
}

struct AttentionMapPlotTest : ::testing::Test {
  std::int64_t needle = 0;
  std::vector<MapRequest> asked;
  AttentionViewModel model;
  AttentionMapPlot plot{model};

  AttentionMapPlotTest() {
    model.setSource([this](const MapRequest& request, const AttentionViewModel::Deliver& deliver) {
      asked.push_back(request);
      deliver(needleMap(request, needle));
    });
    model.setModelShape(1, 1);
    model.setIgnoredTokens(0);
    plot.resize(701, 503);
    plot.show();
  }
  void showTokens(std::int64_t tokens) {
    model.startSession(tokens);
    model.advanceTo(tokens);
    ASSERT_TRUE(QTest::qWaitFor(
        [&] { return model.tile() && model.tile()->request.queries.end == tokens; }, kPatience));
    QTest::qWait(60);  // the first layout may change the axes' size once
  }
};

// Whether the bottom rows of the map hold a column of the needle's colour.
bool showsNeedle(AttentionMapPlot& plot, const QColor& needleColor) {
  plot.plot()->replot(QCustomPlot::rpImmediateRefresh);
  const QImage picture = plot.plot()->toPixmap(plot.width(), plot.height(), 1.0).toImage();
  const QRect axes = plot.axisRect()->rect();
  const int row = axes.bottom() - axes.height() / 50;
  for (int x = axes.left() + 1; x < axes.right(); ++x) {
    if (picture.pixelColor(x, row) == needleColor) return true;
  }
  return false;
}

TEST_F(AttentionMapPlotTest, ShowsAOneTokenNeedleAtEveryPosition) {
  constexpr std::int64_t kTokens = 65'536;
  constexpr int kPositions = 60;
  int seen = 0;
  for (int i = 0; i < kPositions; ++i) {
    needle = 1 + i * (kTokens - kTokens / 20) / kPositions;
    showTokens(kTokens);
    ASSERT_LE(asked.back().width, plot.axisRect()->width());
    ASSERT_LE(asked.back().height, plot.axisRect()->height());
    QCPColorGradient ramp = amountGradient(plot.theme());
    const QCPRange range(model.valueRange().lower, model.valueRange().upper);
    const QColor color(ramp.color(kNeedle, range, true));
    const QColor hay(ramp.color(kHay, range, true));
    ASSERT_GT(std::abs(color.lightness() - hay.lightness()), 100);
    const bool isSeen = showsNeedle(plot, color);
    EXPECT_TRUE(isSeen) << "needle at " << needle;
    seen += isSeen ? 1 : 0;
  }
  EXPECT_EQ(seen, kPositions);
}

TEST_F(AttentionMapPlotTest, WheelZoomAsksForAFinerTile) {
  needle = 100;
  showTokens(8192);
  const MapRequest whole = asked.back();
  const QPoint middle = plot.axisRect()->center();
  QWheelEvent wheel(middle, plot.plot()->mapToGlobal(middle), {}, {0, 5 * 120}, Qt::NoButton,
                    Qt::NoModifier, Qt::NoScrollPhase, false);
  QApplication::sendEvent(plot.plot(), &wheel);
  ASSERT_TRUE(QTest::qWaitFor([&] { return asked.back() != whole; }, kPatience));
  const MapRequest& fine = asked.back();
  EXPECT_LT(fine.keys.size(), whole.keys.size());
  EXPECT_LE(fine.width, plot.axisRect()->width());
  EXPECT_LE(fine.height, plot.axisRect()->height());
  EXPECT_LT(static_cast<double>(fine.keys.size()) / fine.width,
            static_cast<double>(whole.keys.size()) / whole.width);
}

TEST_F(AttentionMapPlotTest, ZeroShowsTheWholeMapAgain) {
  showTokens(4096);
  QTest::keyClick(plot.plot(), Qt::Key_Plus);
  EXPECT_NE(model.view(), model.home());
  QTest::keyClick(plot.plot(), Qt::Key_0);
  EXPECT_EQ(model.view(), model.home());
}

TEST_F(AttentionMapPlotTest, DrawsTheTilesOwnValues) {
  needle = 50;
  showTokens(200);
  const AttentionMap& tile = *model.tile();
  ASSERT_EQ(plot.colorMap()->data()->keySize(), tile.request.width);
  for (int row = 0; row < tile.request.height; row += 7) {
    for (int column = 0; column < tile.request.width; column += 3) {
      const double drawn = plot.colorMap()->data()->cell(column, row);
      const auto value = static_cast<double>(
          tile.values[static_cast<std::size_t>(row * tile.request.width + column)]);
      if (std::isnan(value)) {
        EXPECT_TRUE(std::isnan(drawn));
      } else {
        EXPECT_EQ(drawn, value);
      }
    }
  }
}

TEST(AttentionViewModel, SaysWhichSideOfACellIsKeysAndWhatAPixelHolds) {
  AttentionViewModel model;
  model.setSource([](const MapRequest& request, const AttentionViewModel::Deliver& deliver) {
    deliver(needleMap(request, 0));
  });
  model.setModelShape(1, 1);
  model.setIgnoredTokens(0);
  model.setPixels({640, 400});
  model.startSession(3300);
  model.advanceTo(3300);
  ASSERT_TRUE(QTest::qWaitFor(
      [&] { return model.tile() && model.tile()->request.queries.end == 3300; }, kPatience));
  // Whole tokens: 3,300 / 640 = 5.16 and 3,300 / 400 = 8.25, rounded up.
  EXPECT_TRUE(model.resolutionText().startsWith(QStringLiteral("6 keys × 9 queries a cell, max")))
      << qPrintable(model.resolutionText());
  EXPECT_TRUE(model.resolutionText().endsWith(QStringLiteral("5.16 × 8.25 a pixel")))
      << qPrintable(model.resolutionText());
  model.startSession(1280);
  model.setPixels({640, 320});
  model.advanceTo(1280);
  ASSERT_TRUE(QTest::qWaitFor(
      [&] { return model.tile() && model.tile()->request.queries.end == 1280; }, kPatience));
  EXPECT_EQ(model.resolutionText(), QStringLiteral("2 keys × 4 queries a cell, max"));
}

TEST_F(AttentionMapPlotTest, TheStripsAxesNameTheirQuantityAndBothEnds) {
  TokenWeights weights{model};
  AttentionMapPlot striped{model};
  striped.addStrips(weights);
  model.setColorScale(ColorScale::Linear);
  showTokens(200);
  for (const QCPBars* bars : {striped.strips()->row(), striped.strips()->column()}) {
    const QCPAxis* axis = bars->valueAxis();
    EXPECT_EQ(axis->label(), QStringLiteral("weight"));
    const auto ticker = axis->ticker().dynamicCast<QCPAxisTickerText>();
    ASSERT_TRUE(ticker);
    EXPECT_EQ(ticker->ticks().keys(), (QList<double>{0.0, model.valueRange().upper}));
    EXPECT_EQ(ticker->ticks().first(), QStringLiteral("0"));
    EXPECT_EQ(axis->range(), QCPRange(0.0, model.valueRange().upper));
  }
  model.setColorScale(ColorScale::Logarithmic);
  const auto ticker =
      striped.strips()->row()->valueAxis()->ticker().dynamicCast<QCPAxisTickerText>();
  EXPECT_EQ(ticker->ticks().lastKey(), model.valueRange().upper);
  EXPECT_FALSE(ticker->ticks().contains(0.0)) << "a logarithmic axis has no 0";
}

TEST_F(AttentionMapPlotTest, SurvivesASingleToken) {
  showTokens(1);
  plot.plot()->replot();
  EXPECT_EQ(model.tile()->request.width, 1);
}

TEST(AttentionTable, HoldsTheTilesCells) {
  const AttentionMap map{{.queries = {10, 14}, .keys = {0, 6}, .width = 3, .height = 2},
                         {1, 2, 3, 4, 5, 6}};
  const PlotTable table = attentionTable(map);
  ASSERT_EQ(table.rows(), 2);
  ASSERT_EQ(table.columns.size(), 4U);
  EXPECT_EQ(table.cell(1, 0), QStringLiteral("12"));
  EXPECT_EQ(table.columns[2].title, QStringLiteral("key 2"));
  EXPECT_EQ(table.cell(1, 3), QStringLiteral("6"));
}

}  // namespace
}  // namespace ropescope::ui
