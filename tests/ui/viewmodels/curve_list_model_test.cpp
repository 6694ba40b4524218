#include "ui/viewmodels/curve_list_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

std::filesystem::path bundled() {
  return std::filesystem::path(ROPESCOPE_RESOURCES_DIR) / "calibrations";
}

std::string bookwormHash() {
  return listCalibrations(bundled()).files.at(0).origin->modelHash;
}

TEST(CurveListModel, IsAProperItemModelThroughEveryEdit) {
  CurveListModel curves(bundled());
  QAbstractItemModelTester tester(&curves, QAbstractItemModelTester::FailureReportingMode::Fatal);
  curves.setText(QStringLiteral("none;pi:factor=4;nonsense"));
  EXPECT_EQ(curves.rowCount(), 3);
  curves.append({.rope = {.id = "yarn", .values = {}, .factor = 2.0}});
  curves.replace(0, {.rope = {.id = "ntk", .values = {}, .factor = 2.0}});
  curves.remove(1);
  curves.remove(7);
  EXPECT_EQ(curves.text(), QStringLiteral("ntk:factor=2;nonsense;yarn:factor=2"));
}

TEST(CurveListModel, SaysWhatCannotBeRead) {
  CurveListModel curves;
  curves.setText(QStringLiteral("none;yran:factor=4;pi:factor=4,calibration=/not/there"));
  EXPECT_TRUE(curves.problem(0).isEmpty());
  EXPECT_TRUE(curves.problem(1).contains(QStringLiteral("yran")));
  EXPECT_FALSE(curves.curve(1));
  EXPECT_TRUE(curves.problem(2).contains(QStringLiteral("/not/there")));
  // A sign, not only a colour.
  EXPECT_TRUE(curves.data(curves.index(1), Qt::DisplayRole).toString().startsWith(u'⚠'));
}

TEST(CurveListModel, OffersBundledCalibrationsWhereTheyFit) {
  CurveListModel curves(bundled());
  curves.setModel(bookwormHash(), 4.0);
  const auto variants = curves.variants("yarn");
  ASSERT_GE(variants.size(), 4U);  // alone, lora, psc, wide
  EXPECT_TRUE(variants[0].calibrationFile.empty());
  QStringList titles;
  for (const auto& curve : variants) {
    curves.append(curve);
    titles << curves.title(curves.rowCount() - 1);
  }
  EXPECT_TRUE(titles.contains(QStringLiteral("YaRN × 4")));
  EXPECT_TRUE(titles.contains(QStringLiteral("YaRN × 4 + LoRA (rank 8)")));
  EXPECT_TRUE(titles.contains(QStringLiteral("YaRN × 4 + LoRA + PSC")));
  EXPECT_TRUE(titles.contains(QStringLiteral("YaRN × 4 + LoRA (rank 34)")));
  EXPECT_EQ(titles.removeDuplicates(), 0);
  EXPECT_EQ(curves.variants("ntk").size(), 1U);
  curves.setFactor(3.0);
  EXPECT_EQ(curves.variants("yarn").size(), 1U) << "trained for another factor";
  curves.setModel("another model", 4.0);
  EXPECT_EQ(curves.variants("yarn").size(), 1U);
}

TEST(CurveListModel, TitlesSayWhatActs) {
  CurveListModel curves(bundled());
  const QString file =
      QString::fromStdString((bundled() / "bookworm-11m/pi-4x-psc-seed0.safetensors").string());
  curves.setText(QStringLiteral("pi:factor=4,calibration=%1,psc_strength=0;"
                                "pi:factor=4,calibration=%1,lora=off,psc_strength=0.5;"
                                "pi:factor=auto;none")
                     .arg(file));
  EXPECT_TRUE(curves.title(0).endsWith(QStringLiteral("× 4 + LoRA (rank 8)")));
  EXPECT_TRUE(curves.title(1).endsWith(QStringLiteral("× 4 + PSC 50 %")));
  EXPECT_TRUE(curves.title(2).endsWith(QStringLiteral("× length")));
}

TEST(CurveListModel, AnEmptiedTextAsksForTheDefault) {
  CurveListModel curves;
  curves.setText(QStringLiteral("none"));
  QSignalSpy wanted(&curves, &CurveListModel::defaultWanted);
  QSignalSpy edited(&curves, &CurveListModel::edited);
  curves.editText(QStringLiteral("  "));
  EXPECT_EQ(wanted.count(), 1);
  EXPECT_EQ(edited.count(), 0);
  curves.editText(QStringLiteral("pi"));
  EXPECT_EQ(edited.count(), 1);
}

}  // namespace
}  // namespace ropescope::ui
