#include "ui/main_window.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QElapsedTimer>
#include <QLabel>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QStatusBar>
#include <QTimer>
#include <QUrl>
#include <memory>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/coverage_panel.h"
#include "ui/panels/perplexity_panel.h"
#include "ui/panels/score_panel.h"
#include "ui/plots/perplexity_plot.h"

namespace ropescope::ui {
namespace {

struct LiveWindow : LiveApp {
  Theme theme;
  SettingsStore store{folder.filePath("settings.ini")};
  std::unique_ptr<MainWindow> window = make();

  std::unique_ptr<MainWindow> make() {
    auto made = std::make_unique<MainWindow>(WindowParts{runner, app, chat, theme, store, {}});
    made->show();
    EXPECT_TRUE(QTest::qWaitForWindowActive(made.get())) << "shortcuts need an active window";
    return made;
  }

  void type(const QString& question) {
    auto* field = window->findChild<QPlainTextEdit*>("question");
    ASSERT_NE(field, nullptr);
    field->setPlainText(question);
    QTest::keyClick(field, Qt::Key_Return, Qt::ControlModifier);
  }
};

TEST(MainWindow, EveryDockHasANameAndATitle) {
  LiveWindow live;
  EXPECT_EQ(live.window->docks().size(), 7U);
  for (const auto* dock : live.window->docks()) {
    EXPECT_FALSE(dock->objectName().isEmpty());
    EXPECT_FALSE(dock->windowTitle().isEmpty());
    const bool opened = dock->objectName() != "compareDock";  // the others are there at first
    EXPECT_EQ(dock->isVisible(), opened) << qPrintable(dock->objectName());
  }
}

TEST(MainWindow, AsksByKeyboardAndDrawsTheMap) {
  LiveWindow live;
  live.load();
  live.open(60);
  live.app.setAnswerTokens(8);
  live.type("Who?");
  live.idle();
  ASSERT_EQ(live.lastTurn().state, ChatTurn::State::Finished)
      << qPrintable(live.lastTurn().problem);
  EXPECT_TRUE(live.window->findChild<QPlainTextEdit*>("question")->toPlainText().isEmpty());
  EXPECT_TRUE(waitUntil([&] { return live.window->attention().model().tile() != nullptr; }));
}

TEST(MainWindow, ANoticeThatNothingIsReadIsOverWhenItIs) {
  LiveWindow live;
  live.load();
  live.app.activateSlot(1);  // before its factor is known: "YaRN", then "YaRN × 2"
  live.open(60);
  const auto shown = [&] { return live.window->statusBar()->currentMessage(); };
  ASSERT_TRUE(shown().contains("not read yet")) << qPrintable(shown());
  live.app.readDocument();
  live.idle();
  ASSERT_TRUE(waitUntil([&] { return live.app.position() == live.app.document()->tokens(); }));
  EXPECT_FALSE(shown().contains("not read yet")) << qPrintable(shown());
}

TEST(MainWindow, TheContextLengthMovesEveryViewThatHasALength) {
  LiveWindow live;
  live.load();
  live.open(60);
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 4.0};
  settings.contextTokens = 2048;
  live.app.applyMethod(settings);
  live.idle();
  MainWindow& window = *live.window;
  auto* score = window.findChild<ScorePanel*>();
  ASSERT_NE(score, nullptr);
  for (const qint64 tokens : {300, 512, 1500}) {  // within, at and beyond the trained 512
    window.focus().setLength(tokens);
    EXPECT_EQ(window.focus().isBeyondTrained(), tokens > 512);
    EXPECT_EQ(window.angles().model().position(), tokens - 1);
    EXPECT_EQ(window.coverage().model().distance(), tokens - 1);
    EXPECT_EQ(score->model().contextLength(), tokens);
    EXPECT_TRUE(window.perplexity().curvePlot().cursorText().startsWith(QLocale().toString(tokens) +
                                                                        " tokens"));
  }
}

TEST(MainWindow, TheMapGrowsWhileTheDocumentIsReadAndTheAnswerGoesOn) {
  LiveWindow live;
  live.load();
  live.open(500);  // many chunks
  live.app.setAnswerTokens(4);
  int tilesWhileReading = 0;
  QObject::connect(&live.window->attention().model(), &AttentionViewModel::tileChanged, &live.app,
                   [&] {
                     const bool drawn = live.window->attention().model().tile() != nullptr;
                     if (drawn && live.chat.isBusy()) ++tilesWhileReading;
                   });
  live.type("Who?");
  live.idle();
  EXPECT_EQ(live.lastTurn().state, ChatTurn::State::Finished)
      << qPrintable(live.lastTurn().problem);
  EXPECT_GE(tilesWhileReading, 1);
}

// The engine never runs on the GUI thread: timers keep firing while it reads and maps are drawn.
TEST(MainWindow, StaysAliveWhileTheEngineWorks) {
  LiveWindow live;
  live.load();
  live.open(500);
  live.app.setAnswerTokens(40);
  qint64 longestGap = 0;  // ms
  QElapsedTimer sinceTick;
  QTimer tick;
  QObject::connect(&tick, &QTimer::timeout, &tick,
                   [&] { longestGap = std::max(longestGap, sinceTick.restart()); });
  live.type("Who?");
  sinceTick.start();
  tick.start(5);
  live.idle();
  RecordProperty("longest_gap_ms", static_cast<int>(longestGap));
  // Far below the seconds that the job takes, far above what a loaded machine adds.
  EXPECT_LT(longestGap, 700);
}

TEST(MainWindow, EscapeStopsEverything) {
  LiveWindow live;
  live.load();
  live.open(1500);
  live.type("Who?");
  ASSERT_TRUE(waitUntil([&] { return live.app.position() > 0 || !live.chat.isBusy(); }));
  QTest::keyClick(live.window.get(), Qt::Key_Escape);
  live.idle();
  EXPECT_EQ(live.lastTurn().state, ChatTurn::State::Failed) << "stopped before it answered";
}

TEST(MainWindow, ARefusedQuestionStaysInItsField) {
  LiveWindow live;
  live.type("Anyone there?");
  EXPECT_EQ(live.window->findChild<QPlainTextEdit*>("question")->toPlainText(), "Anyone there?");
  EXPECT_EQ(live.lastTurn().state, ChatTurn::State::Failed);
}

TEST(MainWindow, ClosesWhileBusyAndRemembersItsLayout) {
  LiveWindow live;
  live.load();
  live.open(600);
  live.type("Who?");
  live.window->docks().front()->hide();
  EXPECT_TRUE(live.window->close());
  live.window.reset();
  const auto again = live.make();
  EXPECT_FALSE(again->docks().front()->isVisible());
  again->restoreDefaultLayout();
  EXPECT_TRUE(again->docks().front()->isVisible());
}

TEST(MainWindow, TintsOnlyTheVisibleTokens) {
  LiveWindow live;
  live.load();
  live.open(1500);
  auto* text = live.window->findChild<QPlainTextEdit*>("documentText");
  auto* marks = live.window->findChild<QCheckBox*>("showTokens");
  ASSERT_TRUE(text != nullptr && marks != nullptr);
  EXPECT_TRUE(text->extraSelections().isEmpty());
  marks->setChecked(true);
  const auto tinted = text->extraSelections();
  EXPECT_GT(tinted.size(), 10);
  EXPECT_LT(tinted.size(), live.app.document()->tokens() / 4);
  for (const auto& mark : tinted) {
    EXPECT_FALSE(mark.cursor.selectedText().isEmpty());
  }
}

TEST(MainWindow, TakesADroppedDocument) {
  LiveWindow live;
  live.load();
  QMimeData data;
  data.setUrls(
      {QUrl::fromLocalFile(QString::fromStdString(live.write(5, "dropped.txt").string()))});
  QDragEnterEvent enter(QPoint(10, 10), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(live.window.get(), &enter);
  EXPECT_TRUE(enter.isAccepted());
  QDropEvent drop(QPointF(10, 10), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(live.window.get(), &drop);
  live.idle();
  ASSERT_TRUE(live.app.document());
  EXPECT_EQ(live.app.document()->document.path.filename(), "dropped.txt");
}

TEST(MainWindow, TheBannerOffersYarnAndGoesAwayWithIt) {
  LiveWindow live;
  live.load();
  live.open(100);
  auto* action = live.window->findChild<QPushButton*>("adviceAction");
  ASSERT_NE(action, nullptr);
  ASSERT_TRUE(action->isVisible());
  QTest::mouseClick(action, Qt::LeftButton);
  EXPECT_EQ(live.app.plan()->method, "yarn");
  EXPECT_FALSE(action->isVisible());
}

TEST(MainWindow, EveryMethodCanBeChosenAndEditedWithoutAnError) {
  LiveWindow live;
  live.load();
  auto* box = live.window->findChild<QComboBox*>("method");
  ASSERT_NE(box, nullptr);
  for (int row = 0; row < box->count(); ++row) {
    box->setCurrentIndex(row);
    emit box->activated(row);
    QCoreApplication::processEvents();
  }
  EXPECT_TRUE(live.errors.isEmpty());
}

TEST(MainWindow, ThePerplexityCurvesEndWhileAnAnswerWaits) {
  LiveWindow live;
  live.load();
  live.open(150);
  live.app.setAnswerTokens(4);
  auto& perplexity = live.window->perplexity().model();
  perplexity.start();
  live.type("Who?");
  live.idle();
  EXPECT_FALSE(perplexity.curves().empty()) << qPrintable(perplexity.statusText());
  EXPECT_EQ(live.lastTurn().state, ChatTurn::State::Finished)
      << qPrintable(live.lastTurn().problem);
}

// The bundled model, the first sample and its first planted fact: what a new user does.
TEST(MainWindow, AnswersAPlantedFactOfTheFirstSampleUnderYarn) {
  const std::filesystem::path resources = ROPESCOPE_RESOURCES_DIR;
  const auto samples = readSamples(resources / "samples");
  ASSERT_TRUE(samples);
  LiveWindow live;
  live.app.loadModel(resources / "models/bookworm-11m");
  live.app.openDocument(samples->front().file);
  live.idle();
  ASSERT_TRUE(live.app.document()) << qPrintable(live.errors.join("; "));
  EXPECT_EQ(live.app.plannedContext(), 4096);
  QTest::mouseClick(live.window->findChild<QPushButton*>("adviceAction"), Qt::LeftButton);
  ASSERT_EQ(live.app.plan()->method, "yarn");
  live.type(samples->front().questions.front());
  live.idle();
  ASSERT_EQ(live.lastTurn().state, ChatTurn::State::Finished)
      << qPrintable(live.lastTurn().problem);
  EXPECT_TRUE(live.lastTurn().answer.contains("48213")) << qPrintable(live.lastTurn().answer);
}

}  // namespace
}  // namespace ropescope::ui
