#include "ui/plots/plot_table.h"

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <limits>

#include <gtest/gtest.h>

#include "ui/plots/plot_export.h"
#include "ui/plots/plot_table_view.h"

namespace ropescope::ui {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

PlotTable sample() {
  return {{{.title = QStringLiteral("method"),
            .texts = {QStringLiteral("none"), QStringLiteral("yarn:factor=4,beta_fast=16")}},
           {.title = QStringLiteral("perplexity"), .numbers = {0.1, kNone}}}};
}

TEST(PlotTable, WritesNumbersThatReadBackExactly) {
  const PlotTable table{{{.title = QStringLiteral("x"), .numbers = {1.0 / 3.0}}}};
  EXPECT_EQ(table.cell(0, 0).toDouble(), 1.0 / 3.0);
}

TEST(PlotTable, QuotesCsvCellsThatNeedIt) {
  EXPECT_EQ(toCsv(sample()).toStdString(),
            "method,perplexity\nnone,0.1\n\"yarn:factor=4,beta_fast=16\",\n");
}

TEST(PlotTable, SeparatesTsvCellsByTabs) {
  EXPECT_EQ(toTsv(sample()).toStdString(),
            "method\tperplexity\nnone\t0.1\nyarn:factor=4,beta_fast=16\t\n");
}

TEST(PlotTableModel, KeepsTheRulesOfItemModels) {
  PlotTableModel model;
  const QAbstractItemModelTester tester(&model,
                                        QAbstractItemModelTester::FailureReportingMode::Fatal);
  model.setTable(sample());
  model.setTable({});
  model.setTable(sample());
  EXPECT_EQ(model.rowCount(), 2);
  EXPECT_EQ(model.data(model.index(1, 1), Qt::DisplayRole).toString(), QString());
}

TEST(PlotTableView, CopiesTheSelectionAsTsv) {
  PlotTableView view;
  view.setTable(sample());
  view.selectionModel()->select(view.model()->index(0, 1), QItemSelectionModel::Select);
  QTest::keyClick(&view, Qt::Key_C, Qt::ControlModifier);
  EXPECT_EQ(QApplication::clipboard()->text().toStdString(), "perplexity\n0.1\n");
}

TEST(PlotTableView, HeadersStandOverTheirColumnsAndNoColumnFillsTheView) {
  PlotTable table = sample();
  table.columns[0].texts[1] = QString(400, u'x');
  PlotTableView view;
  view.setTable(table);
  for (const int column : {0, 1}) {
    EXPECT_EQ(view.model()->headerData(column, Qt::Horizontal, Qt::TextAlignmentRole),
              view.model()->index(0, column).data(Qt::TextAlignmentRole));
  }
  EXPECT_EQ(view.model()->headerData(0, Qt::Horizontal, Qt::TextAlignmentRole).toInt(),
            static_cast<int>(Qt::AlignLeft | Qt::AlignVCenter));
  EXPECT_EQ(view.model()->headerData(1, Qt::Horizontal, Qt::TextAlignmentRole).toInt(),
            static_cast<int>(Qt::AlignRight | Qt::AlignVCenter));
  EXPECT_LT(view.columnWidth(0), view.fontMetrics().horizontalAdvance(QString(100, u'x')));
  EXPECT_EQ(view.model()->index(1, 0).data(Qt::ToolTipRole).toString().size(), 400);
}

TEST(PlotExport, WritesEveryFormatItNames) {
  const QTemporaryDir folder;
  QCustomPlot plot;
  plot.resize(300, 200);
  for (const QString& format : pictureFormats()) {
    const QString path = folder.filePath(QStringLiteral("plot.") + format);
    const Status saved = savePicture(&plot, path);
    ASSERT_TRUE(saved) << saved.error().message;
    EXPECT_GT(QFile(path).size(), 100) << format.toStdString();
  }
}

TEST(PlotExport, RefusesAnUnknownEnding) {
  QCustomPlot plot;
  const Status saved = savePicture(&plot, QStringLiteral("plot.bmp"));
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, ErrorCode::Unsupported);
}

TEST(PlotExport, SaysWhereItCouldNotWrite) {
  const Status saved = saveCsv(sample(), QStringLiteral("/nowhere/at/all/table.csv"));
  ASSERT_FALSE(saved);
  EXPECT_NE(saved.error().message.find("/nowhere/at/all/table.csv"), std::string::npos);
}

}  // namespace
}  // namespace ropescope::ui
