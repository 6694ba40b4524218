// Document, answer and loss linked in the window, on the bundled model and its first sample.
#include <QComboBox>
#include <QLabel>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <algorithm>
#include <memory>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "ui/main_window.h"
#include "ui/panels/answer_view.h"
#include "ui/panels/heat_strip.h"
#include "ui/panels/loss_panel.h"
#include "ui/panels/passage_list.h"
#include "ui/panels/perplexity_panel.h"
#include "ui/panels/reading_panel.h"
#include "ui/plots/perplexity_plot.h"
#include "ui/plots/position_plot.h"

namespace ropescope::ui {
namespace {

struct ReadingWindow : LiveApp {
  Theme theme;
  SettingsStore store{folder.filePath("settings.ini")};
  std::unique_ptr<MainWindow> window;

  ReadingWindow() {
    window = std::make_unique<MainWindow>(WindowParts{runner, app, chat, theme, store, {}});
    window->show();
    EXPECT_TRUE(QTest::qWaitForWindowExposed(window.get()));
  }

  // "What is the pass key?" under YaRN, factor 4: "48213".
  void askForThePassKey() {
    const std::filesystem::path resources = ROPESCOPE_RESOURCES_DIR;
    app.loadModel(resources / "models/bookworm-11m");
    app.openDocument(resources / "samples/01-newgate-escape.txt");
    idle();
    ASSERT_TRUE(app.document()) << qPrintable(errors.join("; "));
    MethodSettings settings = app.method();
    settings.rope = {.id = "yarn", .values = {}, .factor = 4.0};
    app.applyMethod(settings);
    app.setAnswerTokens(16);
    chat.ask("What is the pass key?");
    idle();
    ASSERT_TRUE(lastTurn().answer.contains("48213")) << qPrintable(lastTurn().problem);
  }

  QPlainTextEdit& text() { return *window->findChild<QPlainTextEdit*>("documentText"); }
  AnswerView& answer() { return *window->findChildren<AnswerView*>().constLast(); }
  HeatStrip& strip() { return *window->findChild<HeatStrip*>("heatStrip"); }

  void clickAnswer() {
    QTest::mouseClick(answer().viewport(), Qt::LeftButton, {}, {3, 5});
    ASSERT_TRUE(waitUntil([this] { return window->reading().list().model()->rowCount() > 0; }));
    ASSERT_TRUE(waitUntil([this] { return window->reading().isSettled(); }));
  }

  // The text of the token that is read most, and whether its colour is painted. The last sentences
  // are left out: they stand next to the question and are read by heads that look at neighbours.
  QString strongestText(bool& painted) {
    constexpr std::size_t kNeighbours = 64;  // tokens
    const TextShades& shades = *window->shading().shades();
    std::size_t strongest = 0;
    for (std::size_t i = 1; i + kNeighbours < shades.levels.size(); ++i) {
      const bool more = shades.levels[i] > shades.levels[strongest];
      if (more || std::isnan(shades.levels[strongest])) strongest = i;
    }
    const QColor color =
        amountFill(themeOf(text().palette()), static_cast<double>(shades.levels[strongest]));
    const CharacterRange range{shades.offsets[strongest], shades.offsets[strongest + 1]};
    painted = false;
    for (const auto& mark : text().extraSelections()) {
      painted = painted || (mark.cursor.selectionStart() == range.begin &&
                            mark.format.background().color() == color &&
                            !mark.format.hasProperty(QTextFormat::ForegroundBrush));
    }
    return text().toPlainText().mid(range.begin, range.end - range.begin);
  }
};

TEST(ReadingWindow, AClickedAnswerLightsUpTheSentenceItCameFrom) {
  ReadingWindow live;
  live.askForThePassKey();
  live.clickAnswer();
  EXPECT_EQ(live.window->shading().mode(), ShadeBy::Attention);
  const QModelIndex first = live.window->reading().list().model()->index(0, 2);
  EXPECT_EQ(first.data().toString(), QStringLiteral("The pass key is 48213."));
  // It was brought into view, and the token that is read most is in it, in its colour.
  bool painted = false;
  const QString strongest = live.strongestText(painted).trimmed();
  EXPECT_FALSE(strongest.isEmpty());
  EXPECT_TRUE(QStringLiteral("The pass key is 48213.").contains(strongest))
      << qPrintable(strongest);
  EXPECT_TRUE(painted);
  // The strip has it too.
  const auto& levels = live.strip().levels();
  EXPECT_TRUE(live.strip().isVisible());
  const auto full = std::count(levels.begin(), levels.end(), 1.0F);
  EXPECT_GE(full, 1);
  EXPECT_LE(full, 2);  // a token may lie on the border of two rows
}

// Measured with `ropescope-cli reads`: these three heads give the two sentences that hold the
// number 99 % and more of their weight.
TEST(ReadingWindow, RetrievalHeadsLookNowhereElse) {
  ReadingWindow live;
  live.askForThePassKey();
  auto ranking = std::make_shared<RetrievalRanking>();
  ranking->heads = {{.head = {5, 2}, .score = 1.0},
                    {.head = {5, 1}, .score = 1.0},
                    {.head = {5, 0}, .score = 1.0}};
  live.window->heads().setRanking(ranking);
  live.clickAnswer();
  double share = 0.0;  // of the sentences that hold the number
  const auto* rows = live.window->reading().list().model();
  for (int row = 0; row < rows->rowCount(); ++row) {
    if (!rows->index(row, 2).data().toString().contains(QStringLiteral("48213"))) continue;
    share += QLocale().toDouble(rows->index(row, 0).data().toString().remove(" %"));
  }
  EXPECT_GT(share, 98.0);
}

TEST(ReadingWindow, ASelectedPassageLightsUpTheAnswerThatReadsIt) {
  ReadingWindow live;
  live.askForThePassKey();
  live.window->shading().setMode(ShadeBy::Attention);
  EXPECT_TRUE(live.answer().extraSelections().isEmpty());
  const auto at = live.text().toPlainText().indexOf("The pass key is 48213.");
  ASSERT_GT(at, 0);
  QTextCursor cursor = live.text().textCursor();
  cursor.setPosition(static_cast<int>(at));
  cursor.setPosition(static_cast<int>(at) + 22, QTextCursor::KeepAnchor);
  live.text().setTextCursor(cursor);
  ASSERT_TRUE(waitUntil([&] { return !live.answer().extraSelections().isEmpty(); }));
  EXPECT_GE(live.answer().extraSelections().size(), 3);  // "48213" is five tokens
  EXPECT_GT(live.window->reading().list().model()->rowCount(), 3);
}

TEST(ReadingWindow, APartOfAnAnswerIsSelectedByKeyboard) {
  ReadingWindow live;
  live.askForThePassKey();
  live.answer().setFocus();
  live.answer().moveCursor(QTextCursor::Start);
  for (int i = 0; i < 2; ++i) QTest::keyClick(&live.answer(), Qt::Key_Right, Qt::ShiftModifier);
  ASSERT_TRUE(waitUntil([&] { return live.window->reading().list().model()->rowCount() > 0; }));
  const auto titles = live.window->reading().findChildren<QLabel*>();
  const bool named = std::any_of(titles.begin(), titles.end(), [](const QLabel* label) {
    return label->text().contains(QStringLiteral("“48”")) ||
           label->text().contains(QStringLiteral("“4"));
  });
  EXPECT_TRUE(named);
}

TEST(ReadingWindow, AListedSentenceAndTheStripScrollTheDocument) {
  ReadingWindow live;
  live.askForThePassKey();
  live.clickAnswer();
  PassageList& list = live.window->reading().list();
  live.text().verticalScrollBar()->setValue(0);
  const int top = live.text().verticalScrollBar()->value();
  Q_EMIT list.clicked(list.model()->index(1, 0));
  EXPECT_NE(live.text().verticalScrollBar()->value(), top);
  QTest::mouseClick(&live.strip(), Qt::LeftButton, {}, {5, live.strip().height() - 2});
  EXPECT_GT(live.text().verticalScrollBar()->value(),
            live.text().verticalScrollBar()->maximum() * 3 / 4);
}

TEST(LossWindow, PaintsTheTextAndPointsBothWays) {
  ReadingWindow live;
  live.load();
  live.open(200);
  LossPanel& panel = live.window->loss();
  panel.showExample();
  ASSERT_TRUE(waitUntil([&] { return panel.isSettled(); }));
  live.idle();
  EXPECT_EQ(live.window->shading().mode(), ShadeBy::Loss);
  EXPECT_GT(live.text().extraSelections().size(), 20);
  EXPECT_LT(live.text().extraSelections().size(), live.app.document()->tokens() / 2);
  EXPECT_GT(panel.list().model()->rowCount(), 1);
  const QString method = methodText(*live.app.plan(), live.app.method());
  EXPECT_TRUE(live.window->shading().legend().startsWith(method))
      << qPrintable(live.window->shading().legend());
  // From the plot to the text …
  Q_EMIT panel.positions().pointed(10);
  EXPECT_FALSE(live.window->shading().marked().isEmpty());
  // … and back.
  live.window->shading().pointAt(live.window->shading().marked().begin);
  EXPECT_EQ(panel.positions().markedPosition(), 10);
  live.window->findChild<QComboBox*>("shadeBy")->setCurrentIndex(0);
  Q_EMIT live.window->findChild<QComboBox*>("shadeBy")->activated(0);
  EXPECT_FALSE(live.strip().isVisible());
  EXPECT_LE(live.text().extraSelections().size(), 1);  // the pointed token is underlined
}

TEST(PerplexityWindow, PointsAtTheTextAndTheTextAtTheCurves) {
  ReadingWindow live;
  live.load();
  live.open(400);
  const OpenDocument& document = *live.app.document();
  const bool bos = (*live.app.engine()->tokenizer())->addsBos();
  PerplexityPanel& panel = live.window->perplexity();
  const TextShading& shading = live.window->shading();
  const auto lastOf = [&](std::int64_t tokens) {  // of a text of so many
    return document.plainSpans[static_cast<std::size_t>(tokens - (bos ? 2 : 1))];
  };
  Q_EMIT panel.curvePlot().positionHovered(11);
  EXPECT_EQ(shading.marked().begin, lastOf(11).begin);
  EXPECT_EQ(shading.marked().end, lastOf(12).begin);
  live.text().verticalScrollBar()->setValue(0);
  Q_EMIT panel.curvePlot().positionHovered(2000);
  EXPECT_EQ(shading.marked().begin, lastOf(2000).begin);
  EXPECT_GT(live.text().verticalScrollBar()->value(), 0) << "brought into view";
  for (const qint64 nowhere : {qint64{-1}, qint64{1} << 30}) {
    Q_EMIT panel.curvePlot().positionHovered(nowhere);
    EXPECT_TRUE(shading.marked().isEmpty()) << nowhere;
  }
  live.window->shading().pointAt(static_cast<int>(lastOf(37).begin));
  EXPECT_EQ(panel.curvePlot().cursorText(), QStringLiteral("37 tokens"));
  live.window->focus().setMaximum(1024);
  live.window->focus().setLength(512);
  live.window->shading().pointAt(-1);
  EXPECT_EQ(panel.curvePlot().cursorText(), QStringLiteral("512 tokens")) << "the chosen length";
}

TEST(LossWindow, ClosesAndSwitchesMethodWhileItMeasures) {
  ReadingWindow live;
  live.load();
  live.open(1500);
  live.window->loss().showExample();
  ASSERT_TRUE(waitUntil([&] { return live.runner.isBusy(Lane::Losses); }));
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 4.0};
  live.app.applyMethod(settings);
  EXPECT_TRUE(live.window->close());
  live.window.reset();
  live.idle();
}

}  // namespace
}  // namespace ropescope::ui
