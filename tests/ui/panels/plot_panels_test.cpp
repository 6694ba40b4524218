// Map and angle panels on a real engine: what they show is what the core says.
#include <QTemporaryDir>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/attention_panel.h"

namespace ropescope::ui {
namespace {

TEST(AttentionPanel, GrowsWithTheReadingAndShowsTheSessionsOwnNumbers) {
  LiveApp live;
  AttentionPanel panel(live.app, live.runner);
  panel.resize(640, 480);
  panel.show();
  live.load();
  live.open(30);
  EXPECT_EQ(panel.model().tile(), nullptr);
  live.app.readDocument();
  live.idle();
  const std::int64_t tokens = live.app.document()->tokens();
  ASSERT_TRUE(waitUntil([&] {
    const auto tile = panel.model().tile();
    return tile && tile->request.queries.end == tokens;
  })) << panel.model().message().toStdString();

  const AttentionMap shown = *panel.model().tile();
  Result<AttentionMap> asked = Error{};
  live.runner.requestView<AttentionMap>(
      "test", &live.app,
      [request = shown.request](EngineRoom& room, const JobControl& job) {
        return room.session->attentionMap(request, job);
      },
      [&](const Result<AttentionMap>& map) { asked = map; });
  ASSERT_TRUE(waitUntil([&] { return bool(asked); }));
  ASSERT_EQ(asked->values.size(), shown.values.size());
  for (std::size_t i = 0; i < shown.values.size(); ++i) {
    ASSERT_TRUE(asked->values[i] == shown.values[i] ||
                (std::isnan(asked->values[i]) && std::isnan(shown.values[i])));
  }
}

// A tile of a growing map comes a few times a second; between them nothing is asked for.
TEST(AttentionPanel, IsSettledOnlyWithTheLastTokenRead) {
  LiveApp live;
  AttentionPanel panel(live.app, live.runner);
  panel.resize(640, 480);
  panel.show();
  live.load();
  live.open(300);
  live.app.readDocument();
  EXPECT_FALSE(panel.isSettled());
  ASSERT_TRUE(waitUntil([&] { return panel.isSettled(); }));
  ASSERT_NE(panel.model().tile(), nullptr);
  EXPECT_EQ(panel.model().tile()->request.queries.end, live.app.document()->tokens());
}

TEST(AttentionPanel, ANewPlanClearsTheMap) {
  LiveApp live;
  AttentionPanel panel(live.app, live.runner);
  panel.resize(640, 480);
  panel.show();
  live.load();
  live.open(10);
  live.app.readDocument();
  live.idle();
  ASSERT_TRUE(waitUntil([&] { return panel.model().tile() != nullptr; }));
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 2.0};
  live.app.applyMethod(settings);
  EXPECT_EQ(panel.model().tile(), nullptr);
}

TEST(AnglePanel, ShowsThePlanOfTheNextSession) {
  LiveApp live;
  AnglePanel panel(live.app);
  live.load();
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "yarn", .values = {}, .factor = 4.0};
  settings.contextTokens = 2048;
  live.app.applyMethod(settings);
  live.idle();
  panel.model().setPosition(1000);
  const auto table = angleTable(*live.app.plan(), 1000);
  ASSERT_EQ(panel.model().current().rows.size(), table.size());
  for (std::size_t pair = 0; pair < table.size(); ++pair) {
    EXPECT_EQ(panel.model().current().rows[pair].angle, table[pair].angle);
    EXPECT_EQ(panel.model().current().rows[pair].invFreq, table[pair].invFreq);
  }
}

TEST(AnglePanel, ItsExampleLaysTheOtherMethodsOver) {
  LiveApp live;
  AnglePanel panel(live.app);
  live.load();
  EXPECT_TRUE(panel.model().others().empty());
  panel.showExample();
  EXPECT_FALSE(panel.model().others().empty());
}

TEST(PlotPanel, TableAndFileHoldThePlotsNumbers) {
  LiveApp live;
  AnglePanel panel(live.app);
  live.load();
  panel.showTable(true);
  EXPECT_EQ(panel.tableView()->tableModel()->rowCount(), panel.table().rows());
  const QTemporaryDir folder;
  const QString path = folder.filePath("angles.csv");
  ASSERT_TRUE(panel.exportTo(path));
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  EXPECT_EQ(QString::fromUtf8(file.readAll()), toCsv(panel.table()));
}

}  // namespace
}  // namespace ropescope::ui
