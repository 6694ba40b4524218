// Presenter mode, named layouts and cards in the whole window.
#include "ui/presenter.h"

#include <QAction>
#include <QDialog>
#include <QDir>
#include <QDockWidget>
#include <QMenuBar>
#include <QSignalSpy>

#include "tests/ui/live_window.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/card_button.h"
#include "ui/plots/plot_style.h"

namespace ropescope::ui {
namespace {

QDockWidget* dockOf(WholeWindow& live, const QString& name) {
  return live.window->findChild<QDockWidget*>(name);
}

int visibleDocks(WholeWindow& live) {
  int count = 0;
  for (const QDockWidget* dock : live.window->docks()) count += dock->isVisible() ? 1 : 0;
  return count;
}

// What a card says under a heading, which begins a paragraph; empty: it lacks that part.
QString partOf(const QString& card, const QString& heading) {
  const QString mark = QStringLiteral("\n\n**%1**").arg(heading);
  const auto found = card.indexOf(mark);
  if (found < 0) return {};
  const auto begin = found + mark.size();
  const auto end = card.indexOf(QStringLiteral("\n\n**"), begin);
  return card.mid(begin, end < 0 ? -1 : end - begin).trimmed();
}

TEST(Presenter, ShowsOneViewLargeAndEscapeRestoresEverything) {
  WholeWindow live;
  live.load();
  live.open(20);
  const double before = plotFont(PlotText::Tick).pointSizeF();
  live.window->attention().setFocus();
  QTest::keyClick(live.window.get(), Qt::Key_F5);
  ASSERT_TRUE(live.window->presenter().isActive());
  EXPECT_EQ(visibleDocks(live), 1);
  EXPECT_TRUE(dockOf(live, "attentionDock")->isVisible()) << "it had the focus";
  EXPECT_FALSE(live.window->menuBar()->isVisible());
  EXPECT_TRUE(live.window->isFullScreen());
  EXPECT_GT(plotFont(PlotText::Tick).pointSizeF(), before * 1.4) << "plots as well";
  const auto* axis = live.window->attention().plot()->xAxis;
  EXPECT_TRUE(waitUntil([&] { return axis->tickLabelFont().pointSizeF() > before * 1.4; }));
  const auto* caption = live.window->findChild<QLabel*>("caption");
  ASSERT_NE(caption, nullptr);
  EXPECT_TRUE(caption->text().contains("stories260K")) << qPrintable(caption->text());
  EXPECT_TRUE(caption->text().contains("story.txt"));
  EXPECT_TRUE(caption->text().contains("tokens planned"));
  QTest::keyClick(live.window.get(), Qt::Key_Escape);
  ASSERT_TRUE(waitUntil([&] { return !live.window->presenter().isActive(); }));
  EXPECT_EQ(visibleDocks(live), static_cast<int>(live.window->docks().size()) - 1)
      << "the comparison waits until it is opened";
  EXPECT_TRUE(live.window->menuBar()->isVisible());
  EXPECT_FALSE(live.window->isFullScreen());
  EXPECT_EQ(plotFont(PlotText::Tick).pointSizeF(), before);
  EXPECT_EQ(live.window->findChild<QLabel*>("caption"), nullptr);
}

TEST(Presenter, StepsThroughEveryViewAndAround) {
  WholeWindow live;
  live.load();
  auto& presenter = live.window->presenter();
  presenter.start();
  const QString first = presenter.caption();
  QStringList seen{first};
  for (int i = 0; i < 100; ++i) {
    QTest::keyClick(live.window.get(), Qt::Key_PageDown);
    const QString before = seen.back();
    ASSERT_TRUE(waitUntil([&] { return presenter.caption() != before; }));
    if (presenter.caption() == first) break;
    seen << presenter.caption();
    EXPECT_EQ(visibleDocks(live), 1);
  }
  EXPECT_GE(seen.size(), 6);
  EXPECT_EQ(presenter.caption(), first) << "around";
  EXPECT_EQ(QSet<QString>(seen.begin(), seen.end()).size(), seen.size());
  QTest::keyClick(live.window.get(), Qt::Key_PageUp);
  ASSERT_TRUE(waitUntil([&] { return presenter.caption() == seen.back(); }));
  presenter.leave();
}

TEST(Presenter, ClosingWhilePresentingRemembersTheLayoutBefore) {
  WholeWindow live;
  live.load();
  dockOf(live, "methodDock")->hide();
  live.window->presenter().start();
  EXPECT_TRUE(live.window->close());
  live.window.reset();
  const auto again = live.make();
  EXPECT_FALSE(again->findChild<QDockWidget*>("methodDock")->isVisible());
  EXPECT_TRUE(again->findChild<QDockWidget*>("chatDock")->isVisible());
  EXPECT_TRUE(again->findChild<QDockWidget*>("anglesDock")->isVisible());
}

TEST(Presenter, ACardGrowsWithTheText) {
  WholeWindow live;
  auto* button = live.window->attention().findChild<CardButton*>();
  ASSERT_NE(button, nullptr);
  const auto widthOfCard = [&] {
    button->showCard();
    auto* card = button->findChild<QDialog*>("card");
    EXPECT_NE(card, nullptr);
    const int width = card->width();
    delete card;
    return width;
  };
  const int usual = widthOfCard();
  live.window->presenter().start();
  EXPECT_GT(widthOfCard(), usual + usual / 4);
  live.window->presenter().leave();
}

TEST(Cards, EachSaysWhatIsDrawnTheFormulaAndThePapersFigure) {
  ASSERT_FALSE(cardText("attention").isEmpty());
  const QStringList files = QDir(QStringLiteral(":/cards")).entryList();
  ASSERT_TRUE(files.contains("attention.md"));
  for (const QString& file : files) {
    const QString card = cardText(QFileInfo(file).completeBaseName());
    for (const char* heading : {"What is drawn.", "Formula.", "The paper's figure."}) {
      EXPECT_FALSE(partOf(card, heading).isEmpty()) << qPrintable(file) << ": " << heading;
    }
    // Either the paper is named or the view is said to have none.
    const QString figure = partOf(card, QStringLiteral("The paper's figure."));
    EXPECT_TRUE(figure.contains("arXiv") || figure.contains("ours")) << qPrintable(file);
  }
}

TEST(Cards, EveryViewHasOne) {
  WholeWindow live;
  const auto buttons = live.window->findChildren<CardButton*>();
  ASSERT_GE(buttons.size(), 15);
  for (const CardButton* button : buttons) {
    EXPECT_FALSE(button->isHidden()) << button->parentWidget()->metaObject()->className();
  }
}

TEST(Layouts, ShowWhatTheyNameAndTheDefaultComesBack) {
  WholeWindow live;
  for (const WindowLayout& layout : namedLayouts()) {
    auto* action = live.window->findChild<QAction*>("layout" + layout.name);
    ASSERT_NE(action, nullptr) << qPrintable(layout.name);
    action->trigger();
    QCoreApplication::processEvents();
    QStringList wanted;
    for (const auto& column : layout.columns) {
      for (const auto& row : column.rows) wanted << row.docks;
    }
    for (const QDockWidget* dock : live.window->docks()) {
      EXPECT_EQ(dock->isVisible(), wanted.contains(dock->objectName()))
          << qPrintable(layout.name) << " " << qPrintable(dock->objectName());
    }
  }
  live.window->restoreDefaultLayout();
  EXPECT_EQ(visibleDocks(live), static_cast<int>(live.window->docks().size()) - 1)
      << "the comparison waits until it is opened";
}

}  // namespace
}  // namespace ropescope::ui
