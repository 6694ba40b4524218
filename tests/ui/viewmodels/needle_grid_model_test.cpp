#include "ui/viewmodels/needle_grid_model.h"

#include <QAbstractItemModelTester>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"

namespace ropescope::ui {
namespace {

TEST(NeedleGridModel, IsAModel) {
  NeedleGridModel model(QStringLiteral("YaRN × 4"));
  const QAbstractItemModelTester tester(&model);
  model.setAxes({512, 1024}, {0.0, 0.5, 1.0});
  const auto cellAt = [](std::int64_t length, double depth, int found, int trials) {
    RetrievalCell cell{.method = "yarn:factor=4", .length = length, .depth = depth, .answers = {}};
    for (int i = 0; i < trials; ++i) {
      cell.answers.push_back(
          {.expected = "48213", .answer = "48213", .judgement = {.found = i < found}});
    }
    return cell;
  };
  for (const double depth : {0.0, 0.5, 1.0}) model.setCell(cellAt(512, depth, 2, 2));
  EXPECT_EQ(model.measuredCells(), 3);
  EXPECT_EQ(model.effectiveContext(1.0), 512);
  model.setCell(cellAt(1024, 0.5, 1, 2));
  EXPECT_EQ(model.data(model.index(1, 1), Qt::DisplayRole).toString(), QStringLiteral("1/2"));
  EXPECT_EQ(model.data(model.index(1, 1), NeedleGridModel::ShareRole).toDouble(), 0.5);
  EXPECT_EQ(model.data(model.index(0, 1), Qt::DisplayRole).toString(), QStringLiteral("–"));
  EXPECT_EQ(model.effectiveContext(1.0), 512);  // not at every depth of 1,024
  model.setAxes({1024}, {0.5});
  EXPECT_EQ(model.measuredCells(), 1);
  model.clear();
  EXPECT_EQ(model.measuredCells(), 0);
  EXPECT_FALSE(model.effectiveContext(1.0).has_value());
}

}  // namespace
}  // namespace ropescope::ui
