// The needle panel: cells that are opened and left again, its table, stopping and closing.
#include "ui/panels/needle_panel.h"

#include <QDockWidget>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include <gtest/gtest.h>

#include "core/eval/proportion.h"
#include "tests/ui/live_needles.h"
#include "ui/main_window.h"
#include "ui/panels/attention_panel.h"
#include "ui/plots/needle_plot.h"
#include "ui/viewmodels/loss_view_model.h"

namespace ropescope::ui {
namespace {

// The panel over the same order, measured when it is asked to.
struct NeedleDock : LiveNeedles {
  std::unique_ptr<NeedlePanel> panel;

  void make() {
    panel = std::make_unique<NeedlePanel>(
        app, chat, runner,
        NeedleFolders{.results = folder.filePath("needles").toStdString(), .resources = {}});
    NeedleViewModel& model = panel->model();
    model.editPlan(order().plan);
    model.editLengths("300, 500");
    model.editDepths("25, 100");
    model.curves().editText("none;yarn:factor=4");
    panel->resize(430, 620);
    panel->show();
    idle();
  }
  void show() {
    loadBookworm();
    make();
  }
  bool isIdle() const { return panel->model().state() == NeedleViewModel::State::Idle; }
  void fill() {
    panel->model().start();
    ASSERT_TRUE(waitUntil([this] { return isIdle(); }));
    ASSERT_FALSE(panel->model().hasFailed()) << qPrintable(panel->model().statusText());
    ASSERT_EQ(panel->model().grids()[1]->measuredCells(), 4);
  }
  void click(const NeedlePlot::Place& place) {
    QCustomPlot* plot = panel->plot();
    plot->replot(QCustomPlot::rpImmediateRefresh);  // lays it out
    const std::size_t before = chat.turns().size();
    QTest::mouseClick(plot, Qt::LeftButton, Qt::NoModifier,
                      panel->needlePlot().centreOf(place).toPoint());
    ASSERT_TRUE(waitUntil([&] { return chat.turns().size() > before || !errors.empty(); }));
    idle();
    ASSERT_EQ(lastTurn().state, ChatTurn::State::Finished) << qPrintable(lastTurn().problem);
  }
  QPushButton* back() const { return panel->findChild<QPushButton*>("needleBack"); }
};

constexpr NeedlePlot::Place kYarnAtTheEnd{.grid = 1, .row = 1, .column = 1};  // 500 tokens, 100 %

TEST(NeedlePanel, AClickOnACellAsksItsPromptAndShowsWhereTheKeyIsRead) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  ASSERT_NO_FATAL_FAILURE(live.fill());
  const RetrievalCell cell = *live.panel->model().grids()[1]->cell(1, 1);
  const auto missed =
      std::find_if(cell.answers.begin(), cell.answers.end(),
                   [](const RetrievalAnswer& each) { return !each.judgement.found; });
  const RetrievalAnswer& wanted = missed == cell.answers.end() ? cell.answers.front() : *missed;
  const QSignalSpy read(live.panel.get(), &NeedlePanel::needleRead);
  ASSERT_NO_FATAL_FAILURE(live.click(kYarnAtTheEnd));

  const ChatTurn& turn = live.lastTurn();
  EXPECT_EQ(turn.question, "What is the pass key?");
  EXPECT_TRUE(turn.note.contains(QString::fromStdString(wanted.expected)));
  EXPECT_EQ(turn.answer.trimmed(), QString::fromStdString(wanted.answer).trimmed())
      << "the cell's own answer";
  EXPECT_EQ(live.app.method().rope.id, "yarn");
  const auto tokenizer = *live.app.engine()->tokenizer();
  EXPECT_EQ(tokenizer->continuation({}, turn.questionIds).find(wanted.expected), std::string::npos)
      << "the model reads the key in the document alone";

  ASSERT_EQ(read.count(), 1);
  const qint64 query = read.front().at(0).toLongLong();
  const qint64 key = read.front().at(1).toLongLong();
  EXPECT_EQ(query, cell.length - 1) << "the prompt's last token";
  const PromptPart& part = live.app.document()->part;
  const auto digits = static_cast<std::int64_t>(part.text.find(wanted.expected));
  EXPECT_LE(part.spans[static_cast<std::size_t>(key)].begin, digits);
  EXPECT_GT(part.spans[static_cast<std::size_t>(key)].end, digits);
}

TEST(NeedlePanel, TheLossViewScoresAnOpenedPrompt) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  LossViewModel loss(live.app, live.runner);
  ASSERT_NO_FATAL_FAILURE(live.fill());
  ASSERT_NO_FATAL_FAILURE(live.click(kYarnAtTheEnd));
  loss.start();
  live.idle();
  const auto tokens = static_cast<std::int64_t>(live.app.document()->plainIds.size());
  const bool bos = (*live.app.engine()->tokenizer())->addsBos();
  EXPECT_EQ(loss.scored(), bos ? tokens : tokens - 1) << qPrintable(loss.statusText());
  ASSERT_TRUE(loss.shades());
  EXPECT_EQ(loss.shades()->offsets.size(), loss.losses().size() + 1);
  const QString text = QString::fromStdString(live.app.document()->document.text);
  EXPECT_EQ(loss.shades()->offsets.back(), text.size());
  EXPECT_FALSE(loss.worst().rows().empty());
}

TEST(NeedlePanel, GoesBackToWhatWasBeforeTheFirstCell) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  const auto document = live.app.document();
  const MethodSettings method = live.app.method();
  live.app.setAnswerTokens(77);
  EXPECT_FALSE(live.back()->isVisible());
  ASSERT_NO_FATAL_FAILURE(live.click(kYarnAtTheEnd));
  ASSERT_NO_FATAL_FAILURE(live.click({.grid = 0, .row = 0, .column = 0}));
  ASSERT_NE(live.app.document(), document);
  EXPECT_NE(live.app.answerTokens(), 77);
  EXPECT_TRUE(live.back()->isVisible());
  live.back()->click();
  live.idle();
  EXPECT_EQ(live.app.document(), document);
  EXPECT_TRUE(live.app.method() == method);
  EXPECT_EQ(live.app.plannedContext(), live.app.automaticContext());
  EXPECT_EQ(live.app.answerTokens(), 77);
  EXPECT_FALSE(live.back()->isVisible());
  EXPECT_TRUE(live.app.refusal(20).isEmpty()) << qPrintable(live.app.refusal(20));
}

// What a cell fixed must not refuse a longer text.
TEST(NeedlePanel, AnotherDocumentIsNotHeldToTheCellsContext) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  live.app.setAnswerTokens(77);
  ASSERT_NO_FATAL_FAILURE(live.click(kYarnAtTheEnd));
  ASSERT_GT(live.app.method().contextTokens, 0);
  live.app.openDocument(live.write(200));
  live.idle();
  ASSERT_TRUE(waitUntil([&] { return live.app.method().contextTokens == 0; }));
  EXPECT_EQ(live.app.answerTokens(), 77);
  EXPECT_EQ(live.app.method().rope.id, "yarn") << "the method stays, as for any other document";
  EXPECT_GT(live.app.document()->tokens(), 500);
  EXPECT_TRUE(live.app.refusal(20).isEmpty()) << qPrintable(live.app.refusal(20));
  EXPECT_FALSE(live.back()->isVisible());
}

// Another model reads the text before, not the prompt as if it were a file.
TEST(NeedlePanel, AnotherModelReadsTheDocumentThatWasOpenBefore) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  live.app.setAnswerTokens(77);
  const auto path = live.app.document()->document.path;
  ASSERT_NO_FATAL_FAILURE(live.click(kYarnAtTheEnd));
  ASSERT_NE(live.app.document()->document.path, path);
  live.load();
  ASSERT_TRUE(waitUntil([&] { return live.app.answerTokens() == 77; }));
  ASSERT_TRUE(live.app.document());
  EXPECT_EQ(live.app.document()->document.path, path);
  EXPECT_EQ(live.app.method().contextTokens, 0);
  EXPECT_FALSE(live.back()->isVisible());
}

TEST(NeedlePanel, ItsTableHoldsTheCells) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  ASSERT_NO_FATAL_FAILURE(live.measure());  // the job alone
  ASSERT_NO_FATAL_FAILURE(live.fill());     // finds them on the disk
  const PlotTable table = live.panel->table();
  ASSERT_EQ(table.columns.size(), 8U);
  ASSERT_EQ(table.columns[1].numbers.size(), live.cells.size());
  for (std::size_t row = 0; row < live.cells.size(); ++row) {
    const auto it = std::find_if(live.cells.begin(), live.cells.end(), [&](const NeedleCell& each) {
      return each.cell.method == table.columns[0].texts[static_cast<int>(row)].toStdString() &&
             static_cast<double>(each.cell.length) == table.columns[1].numbers[row] &&
             each.cell.depth == table.columns[2].numbers[row];
    });
    ASSERT_NE(it, live.cells.end()) << "row " << row;
    const RetrievalCell& cell = it->cell;
    EXPECT_EQ(table.columns[3].numbers[row], static_cast<double>(cell.found()));
    EXPECT_EQ(table.columns[4].numbers[row], static_cast<double>(cell.contained()));
    EXPECT_EQ(table.columns[5].numbers[row], 2.0) << "trials";
    const ShareInterval interval = wilsonInterval(cell.found(), cell.trials());
    EXPECT_EQ(table.columns[6].numbers[row], interval.low);
    EXPECT_EQ(table.columns[7].numbers[row], interval.high);
  }
}

TEST(NeedlePanel, StopsAndMayBeClosedWhileTheGridFills) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  const auto measured = [&] {
    const auto& grids = live.panel->model().grids();
    return grids[0]->measuredCells() + grids[1]->measuredCells();
  };
  live.panel->model().start();
  ASSERT_TRUE(waitUntil([&] { return measured() > 0 || live.isIdle(); }));
  live.panel->model().stop();
  ASSERT_TRUE(waitUntil([&] { return live.isIdle(); }));
  EXPECT_FALSE(live.panel->model().hasFailed()) << qPrintable(live.panel->model().statusText());
  live.idle();
  const int kept = measured();
  EXPECT_GT(kept, 0);
  live.make();  // another panel over the same folder
  EXPECT_TRUE(waitUntil([&] { return measured() >= kept; }));
  live.panel->model().start();
  live.panel.reset();
  live.idle();  // the job ends without anyone to tell
}

TEST(NeedlePanel, TheWholeWindowPointsAtTheKeyAndMayBeClosedWhileTheGridFills) {
  NeedleDock live;
  Theme theme;
  const SettingsStore store(live.folder.filePath("settings.ini"));
  auto window =
      std::make_unique<MainWindow>(WindowParts{live.runner,
                                               live.app,
                                               live.chat,
                                               theme,
                                               store,
                                               {},
                                               {},
                                               live.folder.filePath("needles").toStdString()});
  window->dontRemember();
  window->show();
  ASSERT_NO_FATAL_FAILURE(live.loadBookworm());
  auto* panel = window->findChild<NeedlePanel*>();
  ASSERT_NE(panel, nullptr);
  NeedleViewModel& model = panel->model();
  model.editPlan(live.order().plan);
  model.editLengths("300, 500");
  model.editDepths("25, 100");
  model.curves().editText("none;yarn:factor=4");
  for (QDockWidget* dock : window->docks()) dock->hide();
  const QSignalSpy read(panel, &NeedlePanel::needleRead);
  panel->openCell(1, 1, 1);  // not measured: its first trial
  ASSERT_TRUE(waitUntil([&] { return read.count() > 0 || !live.errors.empty(); }));
  live.idle();
  ASSERT_EQ(read.count(), 1) << qPrintable(live.errors.join("; "));
  const qint64 query = read.front().at(0).toLongLong();
  const qint64 key = read.front().at(1).toLongLong();
  EXPECT_TRUE(window->attention().isVisible()) << "the map is in front";
  EXPECT_EQ(window->tokens().query(), query);
  EXPECT_EQ(window->tokens().key(), key);
  EXPECT_TRUE(window->attention().weights().isPinned());
  EXPECT_EQ(window->attention().weights().query(), query);
  EXPECT_EQ(window->attention().weights().key(), key);
  model.start();
  ASSERT_TRUE(waitUntil([&] { return model.grids()[0]->measuredCells() > 0; }));
  window->close();
  window.reset();
  live.idle();
}

}  // namespace
}  // namespace ropescope::ui
