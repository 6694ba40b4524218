// The clock wall: every pair fits, hands stand where the numbers say, and it is quick enough to play.
#include "ui/plots/clock_plot.h"

#include <QElapsedTimer>
#include <QTest>
#include <cmath>

#include <gtest/gtest.h>

#include "core/rope/rope_math.h"

namespace ropescope::ui {
namespace {

std::shared_ptr<const rope::RotaryPlan> planOf(const char* method, int headDim) {
  const rope::RopeContext context{.base = 1e4,
                                  .headDim = headDim,
                                  .originalLength = 1024,
                                  .plannedLength = 4096,
                                  .factor = 4};
  return std::make_shared<const rope::RotaryPlan>(*rope::findMethod(method)->plan(context, {}));
}

TEST(ClockGrid, FitsAllPairsOfUsualHeadsIntoASmallDock) {
  constexpr double kLegible = 40;  // px
  for (const int pairs : {32, 64}) {
    const QRectF area(8, 26, 430 - 16, 300 - 34);
    const ClockGrid grid = ClockGrid::fit(area, pairs);
    EXPECT_GE(grid.columns * grid.rows, pairs);
    EXPECT_GE(grid.cell, pairs == 64 ? 36 : kLegible);
    for (int clock = 0; clock < pairs; ++clock) {
      EXPECT_TRUE(area.adjusted(-1e-6, -1e-6, 1e-6, 1e-6).contains(grid.cellOf(clock)));
      EXPECT_EQ(grid.clockAt(grid.cellOf(clock).center(), pairs), clock);
    }
    EXPECT_EQ(grid.clockAt({0, 0}, pairs), -1);
  }
}

// The hand of the slowest pair at position 0 points up, a quarter turn later to the right.
TEST(ClockPlot, HandsPointWhereTheAngleSays) {
  AngleViewModel model;
  rope::RotaryPlan plan = *planOf("none", 64);
  const double quarter = 1.5707963267948966;
  plan.invFreq.back() = quarter / 1000;  // 90 degrees at 1,000
  model.setPlan(std::make_shared<const rope::RotaryPlan>(plan));
  ClockPlot wall(model);
  wall.resize(430, 300);
  wall.setPlainShown(false);
  wall.show();
  const QRectF cell = wall.grid().cellOf(31);
  const auto inkAt = [&](double dx, double dy) {
    wall.plot()->replot();
    const QImage image = wall.plot()->toPixmap(430, 300).toImage();
    const QPointF at = cell.center() + QPointF(dx, dy) * cell.width() * 0.25;
    const QColor found = image.pixelColor(static_cast<int>(at.x()), static_cast<int>(at.y()));
    const QColor hand = curvePen(wall.theme(), 0).color();
    const QColor far = plotColors(wall.theme()).unseen;
    const auto near = [&](const QColor& color) {
      return std::abs(found.red() - color.red()) + std::abs(found.green() - color.green()) +
                 std::abs(found.blue() - color.blue()) <
             120;
    };
    return near(hand) || near(far);
  };
  model.setPosition(0);
  EXPECT_TRUE(inkAt(0, -1));
  EXPECT_FALSE(inkAt(1, 0));
  model.setPosition(1000);
  EXPECT_TRUE(inkAt(1, 0));
  EXPECT_FALSE(inkAt(0, -1));
}

TEST(ClockPlot, LeavesAHiddenWallAlone) {
  AngleViewModel model;
  model.setPlan(planOf("none", 128));
  ClockPlot wall(model);
  wall.resize(430, 300);
  QTest::qWait(30);  // what construction queued
  int replots = 0;
  QObject::connect(wall.plot(), &QCustomPlot::afterReplot, [&replots] { ++replots; });
  for (int position = 0; position < 100; ++position) model.setPosition(position);
  QTest::qWait(30);
  EXPECT_EQ(replots, 0);
  wall.show();
  QTest::qWait(30);
  EXPECT_GT(replots, 0);
}

// A frame of 60 a second is 16.7 ms; a loaded machine may need ten times what a quiet one does, so
// that this catches a wall that is drawn as a whole for every step.
TEST(ClockPlot, MovesAllHandsOfALargeHeadWithinAFrame) {
  AngleViewModel model;
  model.setPlan(planOf("none", 128));
  ClockPlot wall(model);
  wall.resize(430, 300);
  wall.show();
  QTest::qWait(30);
  constexpr int kFrames = 60;
  QElapsedTimer clock;
  clock.start();
  for (int frame = 0; frame < kFrames; ++frame) {
    model.setPosition(frame * 60);
    wall.plot()->repaint();
  }
  const double perFrame = static_cast<double>(clock.nsecsElapsed()) / 1e6 / kFrames;
  std::printf("[ measured ] %.2f ms a frame of 64 clocks\n", perFrame);
  EXPECT_LT(perFrame, 100.0);
}

}  // namespace
}  // namespace ropescope::ui
