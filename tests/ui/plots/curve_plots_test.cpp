// The two plots made of curves draw their view models' numbers.
#include <QTest>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "ui/plots/angle_plot.h"
#include "ui/plots/axis_ticks.h"
#include "ui/plots/perplexity_plot.h"

namespace ropescope::ui {
namespace {

std::shared_ptr<const rope::RotaryPlan> yarnPlan() {
  const rope::RopeContext context{
      .base = 1e4, .headDim = 64, .originalLength = 1024, .plannedLength = 4096, .factor = 4};
  return std::make_shared<const rope::RotaryPlan>(*rope::findMethod("yarn")->plan(context, {}));
}

// itemCount() counts the empty cells of its grid, too.
int legendEntries(QCustomPlot* plot) {
  int entries = 0;
  for (int i = 0; i < plot->plottableCount(); ++i) {
    entries += plot->legend->hasItemWithPlottable(plot->plottable(i)) ? 1 : 0;
  }
  return entries;
}

TEST(AnglePlot, DrawsTheViewModelsNumbers) {
  AngleViewModel model;
  model.setPlan(yarnPlan());
  AnglePlot plot(model);
  model.setPosition(321);
  ASSERT_EQ(plot.factorCurve()->data()->size(), 32);
  for (int pair = 0; pair < 32; ++pair) {
    EXPECT_EQ(plot.factorCurve()->data()->at(pair)->value, model.current().factors[pair]);
    EXPECT_EQ(plot.angleDots()->data()->at(pair)->value, model.current().wrapped[pair]);
  }
}

TEST(AnglePlot, FollowsComparisonAndSize) {
  AngleViewModel model;
  model.setPlan(yarnPlan());
  AnglePlot plot(model);
  plot.resize(400, 600);
  plot.show();
  rope::RotaryPlan pi = *rope::findMethod("pi")->plan(yarnPlan()->context, {});
  model.setComparison({pi});
  const int before = legendEntries(plot.plot());
  model.setComparing(true);
  EXPECT_EQ(legendEntries(plot.plot()), before + 1);
  plot.resize(1200, 300);  // side by side
  QTest::qWait(50);
  plot.plot()->replot();
  EXPECT_EQ(plot.plot()->axisRects().size(), 3);
  EXPECT_EQ(plot.plot()->axisRects()[0]->top(), plot.plot()->axisRects()[2]->top());
  model.setComparing(false);
  EXPECT_EQ(legendEntries(plot.plot()), before);
}

// However low the three plots are: labels name the quantity, and the position covers no angle.
TEST(AnglePlot, NamesItsQuantitiesAndKeepsThePositionOffTheAngles) {
  AngleViewModel model;
  model.setPlan(yarnPlan());
  AnglePlot plot(model);
  plot.resize(350, 330);
  plot.show();
  model.setPosition(321);
  plot.plot()->replot();
  ASSERT_EQ(plot.plot()->axisRects().size(), 3);
  const auto label = [&](int part) {
    return plot.plot()->axisRect(part)->axis(QCPAxis::atLeft)->label();
  };
  EXPECT_TRUE(label(1).contains(QStringLiteral("wavelength"))) << qPrintable(label(1));
  EXPECT_TRUE(label(2).contains(QStringLiteral("angle"))) << qPrintable(label(2));
  const QCPItemText* position = nullptr;
  for (int i = 0; i < plot.plot()->itemCount(); ++i) {
    const auto* text = qobject_cast<QCPItemText*>(plot.plot()->item(i));
    if (text && text->text() == model.positionText()) position = text;
  }
  ASSERT_NE(position, nullptr);
  const double bottom = position->bottomRight->pixelPosition().y();
  EXPECT_LE(bottom, plot.plot()->axisRect(2)->top() + 1);
  EXPECT_GE(position->topLeft->pixelPosition().y(), plot.plot()->axisRect(1)->bottom());
}

// As in the default window of 1,600 by 1,000 pixels.
TEST(AnglePlot, TickLabelsHaveRoom) {
  AngleViewModel model;
  const auto none = rope::findMethod("none")->plan(yarnPlan()->context, {});
  model.setPlan(std::make_shared<const rope::RotaryPlan>(*none));
  model.prepareFlip();  // the ghost has a line in the legend
  model.setPlan(yarnPlan());
  AnglePlot plot(model);
  plot.resize(390, 326);
  plot.show();
  plot.plot()->replot();
  for (int part = 0; part < 3; ++part) {
    const QCPAxis* axis = plot.plot()->axisRect(part)->axis(QCPAxis::atLeft);
    QVector<double> ticks;
    axis->ticker()->generate(axis->range(), QLocale::c(), u'g', 6, ticks, nullptr, nullptr);
    const double height = QFontMetricsF(axis->tickLabelFont()).ascent();
    for (int i = 1; i < ticks.size(); ++i) {
      if (!axis->range().contains(ticks[i - 1]) || !axis->range().contains(ticks[i])) continue;
      const double apart =
          std::abs(axis->coordToPixel(ticks[i]) - axis->coordToPixel(ticks[i - 1]));
      EXPECT_GE(apart, height) << "part " << part << ", " << ticks[i - 1] << " and " << ticks[i];
    }
  }
}

// As WCAG 2.2 defines it; text needs 4.5.
double luminance(const QColor& color) {
  const auto linear = [](double value) {
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(color.red() / 255.0) + 0.7152 * linear(color.green() / 255.0) +
         0.0722 * linear(color.blue() / 255.0);
}
double contrast(const QColor& one, const QColor& other) {
  const auto [dark, light] = std::minmax({luminance(one), luminance(other)});
  return (light + 0.05) / (dark + 0.05);
}
QColor over(const QColor& paper, const QColor& tint) {
  const auto mixed = [&](int from, int to) {
    return static_cast<int>(std::lround(from + (to - from) * static_cast<double>(tint.alphaF())));
  };
  return {mixed(paper.red(), tint.red()), mixed(paper.green(), tint.green()),
          mixed(paper.blue(), tint.blue())};
}

TEST(PlotStyle, TheInkIsReadableOnEveryColourBehindWordsAndColoursCanBeSeen) {
  for (const PlotTheme theme : {PlotTheme::Light, PlotTheme::Dark}) {
    const PlotColors colors = plotColors(theme);
    for (int step = 0; step <= 20; ++step) {
      const double share = step / 20.0;
      EXPECT_GE(contrast(amountFill(theme, share), colors.ink), 4.5) << share;
      const QColor tint = over(colors.paper, amountTint(theme, share));
      EXPECT_GE(contrast(tint, colors.ink), 4.5) << share;
      EXPECT_TRUE(step < 4 || contrast(tint, colors.paper) >= 1.25) << share;
    }
    EXPECT_GT(contrast(amountFill(theme, 1.0), colors.paper), 2.5);
  }
}

TEST(AnglePlot, ShowsOneQuantityAlone) {
  AngleViewModel model;
  model.setPlan(yarnPlan());
  AnglePlot plot(model);
  plot.resize(400, 400);
  plot.show();
  model.setQuantity(PairQuantity::Turns);
  plot.plot()->replot();
  ASSERT_EQ(plot.plot()->axisRects().size(), 1);
  for (int pair = 0; pair < 32; ++pair) {
    EXPECT_EQ(plot.speedCurve()->data()->at(pair)->value, model.current().turns[pair]);
  }
  EXPECT_TRUE(plot.speedCurve()->realVisibility());
  EXPECT_FALSE(plot.factorCurve()->realVisibility());
  model.setQuantity(PairQuantity::Frequency);
  EXPECT_EQ(plot.speedCurve()->data()->at(31)->value, model.current().frequencies[31]);
  model.setQuantity(PairQuantity::All);
  plot.plot()->replot();
  EXPECT_EQ(plot.plot()->axisRects().size(), 3);
  EXPECT_TRUE(plot.factorCurve()->realVisibility());
}

struct PerplexityPlotTest : ::testing::Test {
  PerplexityViewModel::Sinks engine;
  PerplexityViewModel model;
  PerplexityPlot plot{model};

  PerplexityPlotTest() {
    model.setStarter([this](const PerplexityOrder&,
                            PerplexityViewModel::Sinks sinks) { engine = std::move(sinks); },
                     [] {});
    model.setModel(1024, true);
    model.setDocument(std::vector<std::int32_t>(4096, 1), QStringLiteral("book.txt"));
    model.start();
  }
};

TEST_F(PerplexityPlotTest, DrawsTheViewModelsNumbers) {
  PerplexityCurve curve;
  curve.settings.rope.id = "none";
  curve.points = {{.length = 512, .perplexity = 30.0}, {.length = 4096, .perplexity = 3000.0}};
  engine.onCurve(0, curve);
  ASSERT_EQ(plot.curves(), 1U);
  EXPECT_EQ(plot.curve(0)->data()->at(1)->key, 4096.0);
  EXPECT_EQ(plot.curve(0)->data()->at(1)->value, 3000.0);
  EXPECT_EQ(plot.plot()->yAxis->scaleType(), QCPAxis::stLogarithmic);
  EXPECT_TRUE(plot.plot()->xAxis->range().contains(4096));
}

TEST_F(PerplexityPlotTest, KeepsAZoomWhileCurvesGrow) {
  PerplexityCurve curve;
  curve.settings.rope.id = "none";
  curve.points = {{.length = 512, .perplexity = 30.0}};
  engine.onCurve(0, curve);
  const QCPRange zoomed(500, 600);
  plot.plot()->xAxis->setRange(zoomed);
  curve.points.push_back({.length = 4096, .perplexity = 40.0});
  engine.onCurve(0, curve);
  EXPECT_EQ(plot.plot()->xAxis->range(), zoomed);
  QTest::keyClick(&plot, Qt::Key_0);
  EXPECT_TRUE(plot.plot()->xAxis->range().contains(4096));
  EXPECT_TRUE(plot.plot()->yAxis->range().contains(40));
}

TEST_F(PerplexityPlotTest, TheLegendCoversNoData) {
  PerplexityCurve curve;
  curve.settings.rope.id = "yarn";
  curve.points = {{.length = 512, .perplexity = 30.0}};
  engine.onCurve(0, curve);
  plot.resize(500, 400);
  plot.show();
  plot.plot()->replot();
  EXPECT_FALSE(plot.plot()->legend->outerRect().intersects(plot.plot()->axisRect()->rect()));
}

TEST_F(PerplexityPlotTest, PublishedCurvesLookUnlikeMeasuredOnes) {
  PerplexityCurve curve;
  curve.settings.rope.id = "yarn";
  curve.points = {{.length = 512, .perplexity = 30.0}};
  engine.onCurve(0, curve);
  model.showPublished({{.name = "yarn-llama",
                        .model = {},
                        .dataset = {},
                        .protocol = Protocol::Sliding,
                        .stride = 256,
                        .source = {},
                        .note = {},
                        .points = {{.length = 8192, .perplexity = 3.5}}}});
  ASSERT_EQ(plot.curves(), 1U);
  ASSERT_EQ(plot.publishedCurves(), 1U);
  const QCPGraph* drawn = plot.publishedCurve(0);
  EXPECT_EQ(drawn->data()->at(0)->value, 3.5);
  EXPECT_TRUE(drawn->name().startsWith(QStringLiteral("published: ")));
  EXPECT_NE(drawn->pen().color(), plot.curve(0)->pen().color());
  EXPECT_EQ(drawn->scatterStyle().brush().color(), plotColors(plot.theme()).paper);  // hollow
  EXPECT_TRUE(plot.plot()->xAxis->range().contains(8192));
  model.showPublished({});
  EXPECT_EQ(plot.publishedCurves(), 0U);
  EXPECT_EQ(legendEntries(plot.plot()), 1);
}

TEST_F(PerplexityPlotTest, TheCursorReadsEveryCurve) {
  PerplexityCurve curve;
  curve.settings.rope.id = "none";
  curve.points = {{.length = 512, .perplexity = 32.0}, {.length = 2048, .perplexity = 8.0}};
  engine.onCurve(0, curve);
  plot.setCursor(2048);
  EXPECT_TRUE(plot.cursorText().contains(QStringLiteral(": 8.00")))
      << qPrintable(plot.cursorText());
  plot.setCursor(1024);
  EXPECT_TRUE(plot.cursorText().contains(QStringLiteral("≈ 16.00")))
      << qPrintable(plot.cursorText());
  plot.setCursor(4096);  // the curve ends before
  EXPECT_FALSE(plot.cursorText().contains(u':')) << qPrintable(plot.cursorText());
}

TEST_F(PerplexityPlotTest, NamesLengthErrorAndTokensUnderTheMouse) {
  PerplexityCurve curve;
  curve.settings.rope.id = "none";
  curve.points = {{.length = 512,
                   .perplexity = 30.25,
                   .standardError = 1.5,
                   .scoredTokens = 1022,
                   .documents = 2}};
  engine.onCurve(0, curve);
  plot.resize(500, 400);
  plot.show();
  plot.plot()->replot();
  const QPointF at(plot.plot()->xAxis->coordToPixel(512), plot.plot()->yAxis->coordToPixel(30.25));
  qint64 hovered = 0;
  QObject::connect(&plot, &PerplexityPlot::positionHovered, &plot,
                   [&](qint64 tokens) { hovered = tokens; });
  QTest::mouseMove(plot.plot(), at.toPoint() + QPoint(-4, 0));
  QTest::mouseMove(plot.plot(), at.toPoint());
  EXPECT_NEAR(static_cast<double>(hovered), 512.0, 8.0);  // a pixel is a few tokens
  ASSERT_TRUE(QTest::qWaitFor([] { return QToolTip::isVisible(); }));
  for (const char* part :
       {"512 tokens", "30.2500 ± 1.5000", "scored tokens: 1,022", "documents: 2"}) {
    EXPECT_TRUE(QToolTip::text().contains(QString::fromUtf8(part))) << qPrintable(QToolTip::text());
  }
}

TEST(Log2Ticker, WritesPowersOfTwoShort) {
  EXPECT_EQ(Log2Ticker::label(512), QStringLiteral("512"));
  EXPECT_EQ(Log2Ticker::label(1024), QStringLiteral("1k"));
  EXPECT_EQ(Log2Ticker::label(131072), QStringLiteral("128k"));
}

TEST(LogTicker, WritesSmallNumbersAsPowers) {
  EXPECT_EQ(LogTicker::label(0.01), QStringLiteral("0.01"));
  EXPECT_EQ(LogTicker::label(1e-5), QStringLiteral("10⁻⁵"));
  EXPECT_EQ(LogTicker::label(2e-5), QStringLiteral("2·10⁻⁵"));
}

}  // namespace
}  // namespace ropescope::ui
