// A single attended token stays visible under max: at every position, width and pixel ratio the
// picture has a pixel of the needle's colour where the needle is.
#include <QTest>
#include <cmath>
#include <limits>
#include <tuple>

#include <gtest/gtest.h>

#include "core/probe/tile_pooling.h"
#include "ui/plots/attention_map_plot.h"

namespace ropescope::ui {
namespace {

constexpr std::int64_t kTokens = 65'536;
constexpr int kPositions = 60;
constexpr int kHeight = 160;  // pixels; what is looked for is a column
constexpr int kPatienceMs = 5000;
constexpr float kNeedle = 0.5F;
constexpr float kHay = 1e-4F;

// The last rows of a context in which every query reads one token, pooled by the engine's own code.
// A picture row stands for one query: what lies between them is alike.
AttentionMap needleMap(const MapRequest& wanted, std::int64_t needle) {
  AttentionMap map{wanted, {}};
  map.values.resize(static_cast<std::size_t>(wanted.width) *
                    static_cast<std::size_t>(wanted.height));
  const auto keys = static_cast<std::size_t>(wanted.keys.size());
  std::vector<float> logWeights(keys, std::log(kHay));
  if (needle >= wanted.keys.begin && needle < wanted.keys.end) {
    logWeights[static_cast<std::size_t>(needle - wanted.keys.begin)] = std::log(kNeedle);
  }
  for (int row = 0; row < wanted.height; ++row) {
    PooledRows pooled(wanted, row, row);
    pooled.add({.values = logWeights.data(),
                .rows = 1,
                .columns = wanted.keys.size(),
                .firstQuery = cellBegin(wanted.queries, wanted.height, row + 1) - 1,
                .firstKey = wanted.keys.begin});
    pooled.write(map.values);
  }
  return map;
}

using Screen = std::tuple<int, double>;  // width of the plot in pixels, pixel ratio

class NeedleInPixels : public testing::TestWithParam<Screen> {
 protected:
  NeedleInPixels() {
    m_model.setSource([this](const MapRequest& request, const AttentionViewModel::Deliver& done) {
      m_asked = request;
      done(needleMap(request, m_needle));
    });
    m_model.setModelShape(kPositions, 1);  // a layer per needle: another layer asks for a new tile
    m_model.setIgnoredTokens(0);
    // Not shown: a shown widget takes its screen's pixel ratio.
    plot().setBufferDevicePixelRatio(ratio());
    plot().setViewport(QRect(0, 0, width(), kHeight));
    plot().replot(QCustomPlot::rpImmediateRefresh);
    m_model.startSession(kTokens);
    m_model.advanceTo(kTokens);
  }

  static int width() { return std::get<0>(GetParam()); }
  static double ratio() { return std::get<1>(GetParam()); }
  QCustomPlot& plot() { return *m_plot.plot(); }

  void drawNeedle(int index, std::int64_t token) {
    m_needle = token;
    m_model.setLayer(index);
    ASSERT_TRUE(QTest::qWaitFor(
        [&] {
          return m_model.tile() && m_model.tile()->request.layer == index && !m_model.isLoading();
        },
        kPatienceMs));
    ASSERT_LE(m_asked.width, m_plot.axisRect()->width() * ratio());
    ASSERT_LE(m_asked.height, m_plot.axisRect()->height() * ratio());
  }

  // How far a pixel of the needle's colour is from the needle's own column, in pixels; infinite
  // when there is none in the lower rows of the map, which all see the needle.
  double distanceToNeedle() {
    const QCPRange range(m_model.valueRange().lower, m_model.valueRange().upper);
    QCPColorGradient ramp = amountGradient(m_plot.theme());
    const QColor color(ramp.color(static_cast<double>(kNeedle), range, true));
    const QImage picture = plot().toPixmap(width(), kHeight, ratio()).toImage();
    const QRect axes = m_plot.axisRect()->rect();
    const int row = static_cast<int>((axes.bottom() - 3) * ratio());
    const double wanted = plot().xAxis->coordToPixel(static_cast<double>(m_needle) + 0.5) * ratio();
    double best = std::numeric_limits<double>::infinity();
    for (int x = 0; x < picture.width(); ++x) {
      if (picture.pixelColor(x, row) == color) {
        best = std::min(best, std::abs(static_cast<double>(x) + 0.5 - wanted));
      }
    }
    return best;
  }

  std::int64_t m_needle = 0;
  MapRequest m_asked;
  AttentionViewModel m_model;
  AttentionMapPlot m_plot{m_model};
};

INSTANTIATE_TEST_SUITE_P(Screens, NeedleInPixels,
                         testing::Combine(testing::Values(200, 433, 900, 1400),
                                          testing::Values(1.0, 2.0)));

TEST_P(NeedleInPixels, IsSeenAtEveryPosition) {
  // The needle's cell is drawn at most one cell wide around it; half a cell and rounding.
  const double allowed = 2.0 * ratio() + 1.0;
  for (int i = 0; i < kPositions; ++i) {
    const std::int64_t token = 1 + i * (kTokens - kTokens / 20) / kPositions;
    ASSERT_NO_FATAL_FAILURE(drawNeedle(i, token));
    EXPECT_LE(distanceToNeedle(), allowed) << "needle at token " << token;
  }
}

}  // namespace
}  // namespace ropescope::ui
