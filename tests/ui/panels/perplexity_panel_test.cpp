// The perplexity panel on a real engine: what it shows is what core and the command line say.
#include "ui/panels/perplexity_panel.h"

#include <QComboBox>
#include <QDialog>
#include <QListView>
#include <QListWidget>
#include <QPushButton>

#include <gtest/gtest.h>

#include "core/eval/wide_csv.h"
#include "tests/ui/cli_call.h"
#include "tests/ui/live_app.h"
#include "ui/panels/curve_list_editor.h"
#include "ui/panels/perplexity_setup.h"
#include "ui/plots/perplexity_plot.h"

namespace ropescope::ui {
namespace {

std::filesystem::path resources() {
  return ROPESCOPE_RESOURCES_DIR;
}

// Long enough for a slow machine, with the panel's own words when it fails.
void measure(PerplexityPanel& panel) {
  panel.model().start();
  ASSERT_TRUE(waitUntil([&] { return panel.isSettled(); }));
  ASSERT_FALSE(panel.model().hasFailed()) << panel.model().statusText().toStdString();
}

TEST(PerplexityPanel, EndsAtTheMeasuredValuesAndUpdatesOnTheWay) {
  LiveApp live;
  PerplexityPanel panel(live.app, live.runner, {});
  live.load();
  live.open(60);
  panel.model().editCurves("none;pi:factor=2");
  panel.model().editLengths("128, 256, 512");
  panel.model().start();
  ASSERT_TRUE(waitUntil([&] { return panel.model().state() == PerplexityViewModel::State::Idle; }));
  ASSERT_FALSE(panel.model().hasFailed()) << panel.model().statusText().toStdString();
  ASSERT_EQ(panel.model().curves().size(), 2U);

  for (const PerplexityCurve& curve : panel.model().curves()) {
    const auto again =
        measureCurve(*live.app.engine(), curve.settings, {live.app.document()->plainIds},
                     {.lengths = {128, 256, 512}}, {}, {});
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(again->points.size(), curve.points.size());
    for (std::size_t i = 0; i < curve.points.size(); ++i) {
      EXPECT_EQ(again->points[i].perplexity, curve.points[i].perplexity);
    }
  }
}

TEST(PerplexityPanel, StopsAndCanStartAgain) {
  LiveApp live;
  PerplexityPanel panel(live.app, live.runner, {});
  live.load();
  live.open(300);
  panel.model().editCurves("none;pi:factor=8;yarn:factor=8");
  panel.model().start();
  panel.model().stop();
  ASSERT_TRUE(waitUntil([&] { return panel.model().state() == PerplexityViewModel::State::Idle; }));
  EXPECT_FALSE(panel.model().hasFailed()) << panel.model().statusText().toStdString();
  EXPECT_TRUE(panel.model().canStart());
}

TEST(PerplexityPanel, NamesAMethodThatDoesNotExist) {
  LiveApp live;
  PerplexityPanel panel(live.app, live.runner, {});
  live.load();
  live.open(60);
  panel.model().editCurves("none;yran");
  panel.model().start();
  ASSERT_TRUE(waitUntil([&] { return panel.model().state() == PerplexityViewModel::State::Idle; }));
  EXPECT_TRUE(panel.model().hasFailed());
  EXPECT_TRUE(panel.model().statusText().contains("yran"));
}

TEST(PerplexityPanel, ItsTableIsWhatTheCommandLineSays) {
  LiveApp live;
  PerplexityPanel panel(live.app, live.runner, {});
  live.load();
  live.open(60);
  const auto second = live.write(90, QStringLiteral("second.txt"));
  panel.addBooks({QString::fromStdString(second.string())});
  ASSERT_TRUE(waitUntil([&] { return panel.model().inputs().books().size() == 1; }));
  panel.model().inputs().setProtocol(Protocol::Sliding);
  panel.model().editCurves("none;yarn:factor=2");
  panel.model().editLengths("128, 256, 512");
  measure(panel);
  const auto json = cliResult({"perplexity", "--model", QString::fromStdString(storiesModel()),
                               "--document", live.folder.filePath("story.txt"), "--document",
                               QString::fromStdString(second.string()), "--protocol", "sliding",
                               "--methods", "none;yarn:factor=2", "--lengths", "128,256,512",
                               "--threads", QString::number(live.app.engine()->threads())});
  const PlotTable table = panel.table();
  ASSERT_EQ(table.rows(), 6);
  int row = 0;
  for (const auto& curve : json.at("curves")) {
    for (const auto& point : curve.at("points")) {
      EXPECT_EQ(table.columns[0].texts[row].toStdString(), curve.at("method"));
      const auto at = static_cast<std::size_t>(row++);
      EXPECT_EQ(table.columns[1].numbers[at], point.at("length"));
      EXPECT_EQ(table.columns[2].numbers[at], point.at("perplexity"));
      EXPECT_EQ(table.columns[3].numbers[at], point.at("standard_error"));
      EXPECT_EQ(table.columns[6].numbers[at], point.at("scored_tokens"));
      EXPECT_EQ(table.columns[7].numbers[at], 2);
    }
  }
  EXPECT_TRUE(panel.model().protocolText().contains(
      QString::fromStdString(json.at("protocol_text").get<std::string>())));
}

TEST(PerplexityPanel, BooksAreReadAgainForAnotherModel) {
  LiveApp live;
  PerplexityPanel panel(live.app, live.runner, {});
  live.load();
  const auto book = live.write(40, QStringLiteral("book.txt"));
  panel.addBooks({QString::fromStdString(book.string()), QStringLiteral("/not/there.txt")});
  ASSERT_TRUE(waitUntil([&] { return panel.model().inputs().books().size() == 1; }));
  const auto tokens = panel.model().inputs().books()[0].ids;
  live.load();
  ASSERT_TRUE(waitUntil([&] { return panel.model().inputs().books().size() == 1; }));
  EXPECT_EQ(panel.model().inputs().books()[0].ids, tokens);
}

TEST(PerplexityPanel, WideCsvComesBackAsItWasWritten) {
  LiveApp live;
  PerplexityPanel panel(live.app, live.runner, resources());
  live.load();
  live.open(60);
  panel.model().editCurves("none;pi:factor=2");
  panel.model().editLengths("128, 256, 512");
  measure(panel);
  const QString path = live.folder.filePath("wide.csv");
  ASSERT_TRUE(panel.exportWideCsv(path));
  ASSERT_TRUE(panel.setup().importWideCsv(path));
  const auto& measured = panel.model().curves();
  const auto& imported = panel.model().published();
  ASSERT_EQ(imported.size(), measured.size());
  for (std::size_t i = 0; i < measured.size(); ++i) {
    EXPECT_EQ(imported[i].name, measured[i].settings.label);
    ASSERT_EQ(imported[i].points.size(), measured[i].points.size());
    for (std::size_t k = 0; k < measured[i].points.size(); ++k) {
      EXPECT_EQ(imported[i].points[k].perplexity, measured[i].points[k].perplexity);
    }
  }
  EXPECT_FALSE(panel.setup().importWideCsv(live.folder.filePath("none.csv")));
}

TEST(PerplexityPanel, StopsWhenTheModelChangesWhileItMeasures) {
  LiveApp live;
  PerplexityPanel panel(live.app, live.runner, {});
  live.load();
  live.open(300);
  panel.model().editCurves("none;pi:factor=8;yarn:factor=8");
  panel.model().start();
  ASSERT_TRUE(waitUntil([&] { return !panel.model().curves().empty() || panel.isSettled(); }));
  live.load();
  ASSERT_TRUE(waitUntil([&] { return panel.isSettled(); }));
  EXPECT_FALSE(panel.model().hasFailed()) << panel.model().statusText().toStdString();
  EXPECT_TRUE(panel.model().curves().empty()) << "they belong to the other model";
}

TEST(PerplexityPanel, ClosesAndSwitchesMethodsWhileItMeasures) {
  LiveApp live;
  auto panel = std::make_unique<PerplexityPanel>(live.app, live.runner, std::filesystem::path());
  live.load();
  live.open(300);
  panel->model().editCurves("none;pi:factor=8;yarn:factor=8");
  panel->model().start();
  ASSERT_TRUE(waitUntil([&] { return !panel->model().curves().empty() || panel->isSettled(); }));
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 2.0};
  live.app.applyMethod(settings);  // a measurement has sessions of its own
  EXPECT_FALSE(panel->isSettled());
  panel.reset();
  live.runner.stopAll();
  live.idle();
}

TEST(PerplexitySetup, EditsWhatIsMeasured) {
  LiveApp live;
  PerplexityPanel panel(live.app, live.runner, resources());
  live.load();
  live.open(60);
  panel.model().editCurves("none;pi:factor=2");
  auto* editor = panel.setup().findChild<CurveListEditor*>();
  ASSERT_NE(editor, nullptr);
  editor->choose(1);
  auto* method = editor->findChild<QComboBox*>("curveMethod");
  EXPECT_EQ(method->currentData().toString(), QStringLiteral("pi"));
  method->setCurrentIndex(method->findData(QStringLiteral("yarn")));
  Q_EMIT method->activated(method->currentIndex());
  EXPECT_EQ(panel.model().curvesText(), QStringLiteral("none;yarn:factor=2"));
  auto* mode = editor->findChild<QComboBox*>("curveFactorMode");
  mode->setCurrentIndex(1);
  Q_EMIT mode->activated(1);
  EXPECT_EQ(panel.model().curvesText(), QStringLiteral("none;yarn:factor=auto"));
  auto* protocol = panel.setup().findChild<QComboBox*>("protocol");
  protocol->setCurrentIndex(protocol->findData(static_cast<int>(Protocol::Truncate)));
  Q_EMIT protocol->activated(protocol->currentIndex());
  EXPECT_EQ(panel.model().inputs().protocol(), Protocol::Truncate);
  panel.setup().showPublished(QStringLiteral("pi-llama-7b-none-pg19"), true);
  ASSERT_EQ(panel.model().published().size(), 1U);
  EXPECT_EQ(panel.curvePlot().publishedCurves(), 1U);
  panel.setup().showPublished(QStringLiteral("pi-llama-7b-none-pg19"), false);
  EXPECT_TRUE(panel.model().published().empty());
}

}  // namespace
}  // namespace ropescope::ui
