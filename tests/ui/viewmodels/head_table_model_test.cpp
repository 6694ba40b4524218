#include "ui/viewmodels/head_table_model.h"

#include <QAbstractItemModelTester>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

std::shared_ptr<const RetrievalRanking> ranking() {
  RetrievalRanking found;
  found.heads = {{.head = {1, 0}, .score = 0.6, .standardError = 0.01, .copyRate = 0.7},
                 {.head = {0, 2}, .score = 0.2, .standardError = 0.02, .copyRate = 0.05}};
  return std::make_shared<const RetrievalRanking>(found);
}

struct HeadTableTest : ::testing::Test {
  HeadMosaicViewModel mosaic;
  HeadChoice choice;
  HeadTableModel model{mosaic, choice};
  QAbstractItemModelTester tester{&model, QAbstractItemModelTester::FailureReportingMode::Fatal};
  HeadTableOrder order;
  QAbstractItemModelTester orderTester{&order,
                                       QAbstractItemModelTester::FailureReportingMode::Fatal};

  HeadTableTest() {
    order.setSourceModel(&model);
    mosaic.setModelShape(2, 3);
    choice.setModelShape(2, 3);
  }
  QString shown(int row, HeadTableModel::Column column) const {
    return order.index(row, column).data().toString();
  }
};

TEST_F(HeadTableTest, HasARowForEveryHead) {
  EXPECT_EQ(model.rowCount(), 6);
  EXPECT_EQ(model.headOf(4), (HeadRef{1, 1}));
  EXPECT_EQ(model.rowOf({1, 1}), 4);
  EXPECT_EQ(model.rowOf({2, 0}), -1);
  EXPECT_TRUE(model.index(0, HeadTableModel::Score).data().isNull());
}

TEST_F(HeadTableTest, SortsByRankWithUnrankedHeadsLastEitherWay) {
  choice.setRanking(ranking());
  order.sort(HeadTableModel::Rank, Qt::AscendingOrder);
  EXPECT_EQ(shown(0, HeadTableModel::Rank), QStringLiteral("1"));
  EXPECT_EQ(shown(0, HeadTableModel::Layer), QStringLiteral("1"));
  EXPECT_EQ(shown(1, HeadTableModel::Rank), QStringLiteral("2"));
  EXPECT_TRUE(shown(2, HeadTableModel::Rank).isEmpty());
  order.sort(HeadTableModel::Score, Qt::DescendingOrder);
  EXPECT_EQ(order.index(0, HeadTableModel::Score).data(HeadTableModel::kSortRole).toDouble(), 0.6);
  EXPECT_EQ(order.index(1, HeadTableModel::Score).data(HeadTableModel::kSortRole).toDouble(), 0.2);
  EXPECT_TRUE(shown(5, HeadTableModel::Score).isEmpty());
}

TEST_F(HeadTableTest, FollowsAnotherModelAndALostRanking) {
  choice.setRanking(ranking());
  mosaic.setModelShape(1, 2);
  choice.setModelShape(1, 2);
  EXPECT_EQ(model.rowCount(), 2);
  EXPECT_TRUE(model.index(0, HeadTableModel::Rank).data().isNull());
  mosaic.setModelShape(0, 0);
  EXPECT_EQ(model.rowCount(), 0);
}

TEST_F(HeadTableTest, EveryColumnHasATitleAndATip) {
  for (int column = 0; column < model.columnCount(); ++column) {
    EXPECT_FALSE(model.headerData(column, Qt::Horizontal, Qt::DisplayRole).toString().isEmpty());
    EXPECT_FALSE(model.headerData(column, Qt::Horizontal, Qt::ToolTipRole).toString().isEmpty());
  }
}

}  // namespace
}  // namespace ropescope::ui
