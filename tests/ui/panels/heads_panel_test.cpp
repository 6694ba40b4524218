// The mosaic of all heads on a real engine: its numbers are the core's, and it works while busy.
#include "ui/panels/heads_panel.h"

#include <QAbstractItemModelTester>
#include <QPushButton>
#include <QScrollBar>
#include <QTest>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "ui/main_window.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/view_tabs.h"

namespace ropescope::ui {
namespace {

struct LiveHeads : LiveApp {
  HeadChoice choice;
  HeadsPanel panel{app, runner, choice};

  LiveHeads() {
    QObject::connect(&app, &AppModel::modelChanged, &choice, [this] {
      choice.setModelShape(app.engine()->config().layers, app.engine()->config().heads);
    });
    panel.resize(700, 560);
    panel.show();
  }
  bool complete() {
    return waitUntil([this] { return panel.model().tokens() > 0 && panel.model().isComplete(); });
  }
  template <class Value>
  Value ask(std::function<Result<Value>(EngineRoom&, const JobControl&)> work) {
    std::optional<Value> answer;
    runner.requestView<Value>("test", &app, std::move(work), [&](const Result<Value>& result) {
      if (result) answer = *result;
    });
    EXPECT_TRUE(waitUntil([&] { return answer.has_value(); }));
    return *answer;
  }
};

// Band cells are computed in other blocks than a whole map: float32 roundings of scores.
constexpr float kOtherBlocks = 2e-5F;

TEST(HeadsPanel, GrowsWithTheReadingAndShowsTheMapsOwnNumbers) {
  LiveHeads live;
  live.load();
  live.open(120);
  live.panel.model().setIgnoredTokens(0);
  live.app.readDocument();
  live.idle();
  ASSERT_TRUE(live.complete()) << live.panel.model().message().toStdString();
  const MosaicGrid grid = live.panel.model().grid();
  const auto whole = static_cast<int>(live.app.position() / grid.tokensPerCell);
  ASSERT_GT(whole, 4);
  const std::int64_t end = whole * grid.tokensPerCell;
  for (const HeadRef head : {HeadRef{0, 0}, HeadRef{2, 5}, HeadRef{4, 7}}) {
    const MapRequest wanted{.layer = head.layer,
                            .head = head.head,
                            .queries = {0, end},
                            .keys = {0, end},
                            .width = whole,
                            .height = whole,
                            .reducer = Reducer::Max};
    const auto map = live.ask<AttentionMap>([wanted](EngineRoom& room, const JobControl& job) {
      return room.session->attentionMap(wanted, job);
    });
    const auto picture = live.panel.model().picture(head);
    for (int row = 0; row < whole; ++row) {
      for (int column = 0; column <= row; ++column) {
        ASSERT_NEAR(picture[static_cast<std::size_t>(row * grid.cells + column)],
                    map.values[static_cast<std::size_t>(row * whole + column)], kOtherBlocks)
            << head.layer << "." << head.head << " row " << row << " column " << column;
      }
    }
  }
}

TEST(HeadsPanel, TheTableHoldsTheMosaicsCells) {
  LiveHeads live;
  live.load();
  live.open(60);
  live.app.readDocument();
  live.idle();
  ASSERT_TRUE(live.complete());
  const PlotTable table = live.panel.table();
  const int cells = live.panel.model().grid().cells;
  ASSERT_EQ(table.columns.size(), static_cast<std::size_t>(cells) + 3);
  const int rows = table.rows();
  ASSERT_GT(rows, 0);
  for (const int row : {0, rows / 2, rows - 1}) {
    const auto at = static_cast<std::size_t>(row);
    const HeadRef head{static_cast<int>(table.columns[0].numbers[at]),
                       static_cast<int>(table.columns[1].numbers[at])};
    const auto cellRow = static_cast<int>(table.columns[2].numbers[at]) /
                         static_cast<int>(live.panel.model().grid().tokensPerCell);
    for (int column = 0; column <= cellRow; ++column) {
      const double shown = table.columns[static_cast<std::size_t>(3 + column)].numbers[at];
      const float drawn =
          live.panel.model().picture(head)[static_cast<std::size_t>(cellRow * cells + column)];
      EXPECT_TRUE(shown == static_cast<double>(drawn) || (std::isnan(shown) && std::isnan(drawn)));
    }
  }
}

TEST(HeadsPanel, FindsTheRetrievalHeadsThatTheCoreFinds) {
  LiveHeads live;
  live.load();
  const QAbstractItemModelTester tester(live.panel.list().model());
  live.panel.findRetrievalHeads();
  EXPECT_TRUE(live.panel.isSearching());
  ASSERT_TRUE(waitUntil([&] { return live.choice.ranking() != nullptr; }));
  EXPECT_FALSE(live.panel.isSearching());
  const auto core = findRetrievalHeads(*live.app.engine(), live.app.recipe().options, {}, {});
  ASSERT_TRUE(core) << core.error().message;
  ASSERT_EQ(live.choice.ranking()->heads.size(), core->heads.size());
  for (std::size_t i = 0; i < core->heads.size(); ++i) {
    EXPECT_EQ(live.choice.ranking()->heads[i].head, core->heads[i].head);
    EXPECT_EQ(live.choice.ranking()->heads[i].score, core->heads[i].score);
  }
  EXPECT_TRUE(live.choice.ranking()->conditions.contains(QStringLiteral("5 prompts")));
  // The list begins with the best head; a row chooses its head.
  const QModelIndex best = live.panel.list().model()->index(0, HeadTableModel::Rank);
  EXPECT_EQ(best.data().toInt(), 1);
  live.panel.list().setCurrentIndex(live.panel.list().model()->index(2, 0));
  EXPECT_EQ(live.choice.head(), core->heads[2].head);
  EXPECT_EQ(live.app.position(), 0);  // the document was not read for it
}

TEST(HeadsPanel, TheListBeginsWithTheBestThoughTheWorstIsChosenAndAllThatRetrieveAreFramed) {
  LiveHeads live;
  live.load();
  const auto core = findRetrievalHeads(*live.app.engine(), live.app.recipe().options, {}, {});
  ASSERT_TRUE(core) << core.error().message;
  live.choice.setHead(core->heads.back().head);
  live.panel.findRetrievalHeads();
  ASSERT_TRUE(waitUntil([&] { return live.choice.ranking() && live.panel.list().isVisible(); }));
  const QScrollBar* bar = live.panel.list().verticalScrollBar();
  ASSERT_TRUE(waitUntil([&] { return bar->maximum() > 0; })) << "the list is longer than the view";
  EXPECT_EQ(bar->value(), 0);
  const auto retrieve =
      std::count_if(core->heads.begin(), core->heads.end(),
                    [](const HeadScore& score) { return score.copyRate > kRetrievalCopyRate; });
  bool framed = retrieve == 0;  // then the number stays as it was
  for (const auto* box : live.panel.findChildren<QSpinBox*>()) {
    framed = framed || (box->maximum() == 64 && box->value() == retrieve);
  }
  EXPECT_TRUE(framed) << retrieve;
}

TEST(HeadsPanel, TheSearchStopsAndCanStartAgain) {
  LiveHeads live;
  live.load();
  live.panel.findRetrievalHeads();
  live.panel.stopSearch();
  ASSERT_TRUE(waitUntil([&] { return !live.panel.isSearching(); }));
  EXPECT_TRUE(live.errors.isEmpty()) << qPrintable(live.errors.join("; "));
  live.panel.findRetrievalHeads();
  EXPECT_TRUE(waitUntil([&] { return live.choice.ranking() != nullptr; }));
}

TEST(HeadsPanel, ClosesWhileTheSearchAndTheMosaicAreBusy) {
  auto live = std::make_unique<LiveHeads>();
  live->load();
  live->open(400);
  live->app.readDocument();
  live->panel.findRetrievalHeads();
  ASSERT_TRUE(waitUntil([&] { return live->app.position() > 0; }));
  live.reset();
}

TEST(HeadsPanel, AHiddenViewAsksForNothingAndCatchesUp) {
  LiveHeads live;
  live.panel.hide();
  live.load();
  live.open(60);
  live.app.readDocument();
  live.idle();
  QTest::qWait(500);
  EXPECT_EQ(live.panel.model().drawnTokens(0), 0);
  live.panel.show();
  EXPECT_TRUE(live.complete());
}

TEST(HeadsPanel, AMethodSwitchWhileItGrowsStartsOver) {
  LiveHeads live;
  live.load();
  live.open(200);
  live.app.readDocument();
  ASSERT_TRUE(waitUntil([&] { return live.app.position() > 0; }));
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 8.0};
  live.app.applyMethod(settings);
  EXPECT_EQ(live.panel.model().tokens(), 0);
  live.idle();
  live.app.readDocument();
  live.idle();
  EXPECT_TRUE(live.complete());
}

TEST(HeadsPanel, HoverShowsAHeadAndAClickChoosesIt) {
  LiveHeads live;
  live.load();
  live.open(60);
  live.app.readDocument();
  live.idle();
  ASSERT_TRUE(live.complete());
  QTest::qWait(300);  // layouts
  HeadMosaicPlot& mosaic = live.panel.mosaic();
  const QPoint middle = mosaic.pixelsOf({3, 6}).center().toPoint();
  EXPECT_EQ(mosaic.headAt(middle), (HeadRef{3, 6}));
  QTest::mouseMove(mosaic.plot(), middle);
  ASSERT_TRUE(waitUntil([&] { return mosaic.preview()->isVisible(); }));
  EXPECT_TRUE(mosaic.preview()->text().contains(QStringLiteral("layer 3, head 6")));
  EXPECT_TRUE(mosaic.rect().contains(mosaic.preview()->geometry()));
  QTest::mouseClick(mosaic.plot(), Qt::LeftButton, {}, middle);
  EXPECT_EQ(live.choice.head(), (HeadRef{3, 6}));
  QTest::keyClick(mosaic.plot(), Qt::Key_Left);
  EXPECT_EQ(live.choice.head(), (HeadRef{3, 5}));
}

// One strong weight in one head is a visible dot, wherever it lies: the colour map is never scaled
// down.
TEST(HeadMosaicPlot, ShowsANeedleInAnyHeadAtAnyPlace) {
  HeadMosaicViewModel model;
  HeadChoice choice;
  HeadMosaicPlot plot(model, choice);
  plot.resize(640, 480);
  plot.show();
  model.setModelShape(4, 6);
  choice.setModelShape(4, 6);
  HeadRef needle;
  int place = 0;  // row of the needle; its column is half of it
  model.setSource([&](const MosaicRequest& r, const HeadMosaicViewModel::Deliver& deliver) {
    MosaicBand band{.request = r,
                    .heads = 6,
                    .endQuery = r.endRow * r.tokensPerCell,
                    .tokens = {},
                    .values = {}};
    band.values.assign(static_cast<std::size_t>(6 * (r.endRow - r.firstRow) * r.endRow), 1e-5F);
    if (r.layer == needle.layer && place >= r.firstRow && place < r.endRow) {
      const int row = needle.head * (r.endRow - r.firstRow) + place - r.firstRow;
      band.values[static_cast<std::size_t>(row * r.endRow + place / 2)] = 1.0F;
    }
    deliver(band);
  });
  model.setShown(true);
  QTest::qWait(200);  // the plot tells its size
  for (int i = 0; i < 24; ++i) {
    needle = {i / 6, i % 6};
    model.startSession(3200, {0, 1, 2, 3});
    ASSERT_GT(model.grid().cells, 20);
    place = 1 + i * (model.grid().cells - 2) / 24;
    model.advanceTo(3200);
    ASSERT_TRUE(waitUntil([&] { return model.isComplete(); }));
    const QColor bright = plot.colorMap()->gradient().color(1.0, {0.0, 1.0});
    const QImage image = plot.plot()->toPixmap(640, 480).toImage();
    const QRectF area = plot.pixelsOf(needle);
    const auto near = [&](QRgb color) {
      return std::abs(qRed(color) - bright.red()) + std::abs(qGreen(color) - bright.green()) +
                 std::abs(qBlue(color) - bright.blue()) <
             24;
    };
    int found = 0;
    for (int y = static_cast<int>(area.top()) + 2; y < area.bottom() - 2; ++y) {
      for (int x = static_cast<int>(area.left()) + 2; x < area.right() - 2; ++x) {
        if (near(image.pixel(x, y))) ++found;
      }
    }
    EXPECT_GE(found, 1) << "head " << needle.layer << "." << needle.head << ", row " << place;
  }
}

TEST(MainWindow, AClickInTheMosaicChoosesTheMapsHead) {
  LiveApp live;
  Theme theme;
  SettingsStore store{live.folder.filePath("settings.ini")};
  MainWindow window(WindowParts{live.runner, live.app, live.chat, theme, store, {}});
  window.show();
  live.load();
  auto* heads = window.findChild<HeadsPanel*>();
  ASSERT_NE(heads, nullptr);
  window.heads().setHead({2, 7});
  EXPECT_EQ(window.attention().model().layer(), 2);
  EXPECT_EQ(window.attention().model().head(), 7);
  window.attention().model().setHead(4);
  EXPECT_EQ(window.heads().head(), (HeadRef{2, 4}));
}

}  // namespace
}  // namespace ropescope::ui
