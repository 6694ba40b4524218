// The main window's menus and what they start.
#include <QActionGroup>
#include <QApplication>
#include <QDesktopServices>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QShortcut>
#include <QStatusBar>

#include "ui/main_window.h"
#include "ui/panels/chat_panel.h"
#include "ui/text/error_text.h"
#include "ui/viewmodels/transcript.h"

namespace ropescope::ui {
namespace {

constexpr int kSmallestText = 6;  // points
constexpr int kLargestText = 32;

QAction* add(QMenu* menu, const QString& text, const QKeySequence& keys, const QString& tip) {
  auto* action = menu->addAction(text);
  action->setShortcut(keys);
  action->setStatusTip(tip);
  action->setToolTip(tip);
  return action;
}

}  // namespace

void MainWindow::addFileMenu() {
  auto* file = menuBar()->addMenu(tr("&File"));
  connect(add(file, tr("&Open document …"), QKeySequence::Open, tr("Open a text file")),
          &QAction::triggered, this, &MainWindow::openDocument);
  connect(add(file, tr("Open &model folder …"), tr("Ctrl+Shift+O"),
              tr("Load a model in the Hugging Face layout")),
          &QAction::triggered, this, &MainWindow::openModel);
  addSamplesMenu(file);
  auto* documents = file->addMenu(tr("&Recent documents"));
  connect(documents, &QMenu::aboutToShow, this,
          [this, documents] { fillRecent(documents, m_settings.recentDocuments); });
  auto* models = file->addMenu(tr("Recent mo&dels"));
  connect(models, &QMenu::aboutToShow, this,
          [this, models] { fillRecent(models, m_settings.recentModels); });
  file->addSeparator();
  connect(add(file, tr("&Export transcript …"), tr("Ctrl+Shift+E"),
              tr("Save questions and answers as Markdown, or with everything as JSON")),
          &QAction::triggered, this, &MainWindow::exportTranscript);
  addExperimentActions(file);
  file->addSeparator();
  connect(add(file, tr("&Quit"), QKeySequence::Quit, tr("Stop everything and leave")),
          &QAction::triggered, this, &QWidget::close);
}

void MainWindow::addSamplesMenu(QMenu* file) {
  auto* menu = file->addMenu(tr("&Samples"));
  menu->setEnabled(!m_samples.empty());
  for (const Sample& sample : m_samples) {
    const QString path = QString::fromStdString(sample.file.string());
    connect(menu->addAction(sample.title), &QAction::triggered, this,
            [this, path] { openPath(path); });
  }
}

void MainWindow::fillRecent(QMenu* menu, const QStringList& paths) {
  menu->clear();
  for (const QString& path : paths) {
    auto* action = menu->addAction(QFileInfo(path).fileName());
    action->setStatusTip(path);
    action->setEnabled(QFileInfo::exists(path));
    connect(action, &QAction::triggered, this, [this, path] { openPath(path); });
  }
  if (paths.isEmpty()) menu->addAction(tr("none yet"))->setEnabled(false);
}

void MainWindow::addRunMenu() {
  auto* run = menuBar()->addMenu(tr("&Run"));
  auto* ask = add(run, tr("&Ask"), tr("Ctrl+Return"), tr("Ask the question in the chat"));
  ask->setShortcuts({QKeySequence(tr("Ctrl+Return")), QKeySequence(tr("Ctrl+Enter"))});
  connect(ask, &QAction::triggered, m_chatPanel, &ChatPanel::askWrittenQuestion);
  connect(add(run, tr("&Stop"), Qt::Key_Escape,
              tr("Stop reading, answering or measuring; what is done stays")),
          &QAction::triggered, &m_runner, &EngineRunner::stopAll);
  run->addSeparator();
  connect(add(run, tr("&Read document"), tr("Ctrl+R"), tr("Fill the cache with the document")),
          &QAction::triggered, &m_app, &AppModel::readDocument);
  connect(add(run, tr("&Clear chat"), {}, tr("Remove all questions and answers")),
          &QAction::triggered, &m_chat, &ChatModel::clear);
}

void MainWindow::addSlotMenu() {
  auto* menu = menuBar()->addMenu(tr("&Settings"));
  for (int i = 0; i < AppModel::kSlots; ++i) {
    auto* action = add(menu, {}, tr("Ctrl+%1").arg(i + 1),
                       tr("Put the whole window under these settings; what was read stays"));
    action->setCheckable(true);
    m_slotActions[static_cast<std::size_t>(i)] = action;
    connect(action, &QAction::triggered, this, [this, i] {
      m_app.activateSlot(i);
      showSlots();  // a click has toggled the mark
    });
  }
  menu->addSeparator();
  for (int i = 0; i < AppModel::kSlots; ++i) {
    connect(add(menu, tr("Keep the settings in use as %1").arg(i + 1),
                tr("Ctrl+Shift+%1").arg(i + 1),
                tr("The slot takes the settings of the method panel that are applied now")),
            &QAction::triggered, this, [this, i] { m_app.setSlot(i, m_app.method()); });
  }
  showSlots();
}

void MainWindow::showSlots() {
  for (int i = 0; i < AppModel::kSlots; ++i) {
    QAction* action = m_slotActions[static_cast<std::size_t>(i)];
    const MethodSlot& slot = m_app.slot(i);
    action->setText(m_app.engine() ? tr("&%1: %2").arg(i + 1).arg(settingsTitle(slot.session))
                                   : tr("Settings &%1").arg(i + 1));
    action->setEnabled(m_app.engine() != nullptr);
    action->setChecked(i == m_app.activeSlot());
    const QString tip = slot.problem.isEmpty()
                            ? tr("Put the whole window under these settings; what was read stays")
                            : slot.problem;
    action->setToolTip(tip);
    action->setStatusTip(tip);
  }
  if (m_slotText == nullptr || !m_app.engine()) return;
  m_slotText->setText(m_app.activeSlot() < 0
                          ? m_app.title()
                          : tr("%1: %2").arg(m_app.activeSlot() + 1).arg(m_app.title()));
}

void MainWindow::addViewMenu() {
  auto* view = menuBar()->addMenu(tr("&View"));
  addThemeMenu(view);
  view->addSeparator();
  connect(add(view, tr("&Larger text"), QKeySequence::ZoomIn, tr("Larger text everywhere")),
          &QAction::triggered, this, [this] { changeTextSize(+1); });
  connect(add(view, tr("&Smaller text"), QKeySequence::ZoomOut, tr("Smaller text everywhere")),
          &QAction::triggered, this, [this] { changeTextSize(-1); });
  connect(add(view, tr("&Usual text size"), tr("Ctrl+0"), tr("Text as at the start")),
          &QAction::triggered, this, [this] { changeTextSize(0); });
  view->addSeparator();
  auto* full = add(view, tr("&Full screen"), Qt::Key_F11, tr("The whole screen"));
  full->setCheckable(true);
  connect(full, &QAction::toggled, this, &MainWindow::toggleFullScreen);
  addPresenterActions(view);
}

void MainWindow::addThemeMenu(QMenu* view) {
  auto* menu = view->addMenu(tr("&Theme"));
  auto* group = new QActionGroup(menu);
  for (const auto& [choice, title] : {std::pair{ThemeChoice::System, tr("As the &system")},
                                      std::pair{ThemeChoice::Light, tr("&Light")},
                                      std::pair{ThemeChoice::Dark, tr("&Dark")}}) {
    auto* action = menu->addAction(title);
    action->setCheckable(true);
    group->addAction(action);
    connect(menu, &QMenu::aboutToShow, action, [this, action, choice = choice] {
      action->setChecked(choice == m_settings.theme);
    });
    connect(action, &QAction::triggered, this, [this, choice = choice] { setTheme(choice); });
  }
}

void MainWindow::addWindowMenu() {
  auto* window = menuBar()->addMenu(tr("&Window"));
  int number = 1;
  for (auto* dock : m_docks) {
    auto* action = dock->toggleViewAction();
    action->setShortcut(QKeySequence(tr("Alt+%1").arg(number++)));
    window->addAction(action);
    connect(action, &QAction::triggered, dock, [dock](bool shown) {
      if (shown) dock->raise();  // it may share its place with others
    });
  }
  window->addSeparator();
  connect(add(window, tr("&Restore default layout"), {}, tr("All docks at their first places")),
          &QAction::triggered, this, &MainWindow::restoreDefaultLayout);
  addLayoutMenu(window);
}

void MainWindow::addHelpMenu() {
  auto* help = menuBar()->addMenu(tr("&Help"));
  connect(add(help, tr("&Keys"), QKeySequence::HelpContents, tr("All keys of this window")),
          &QAction::triggered, this, &MainWindow::showShortcuts);
  connect(add(help, tr("&About RopeScope"), {}, tr("Version and licence")), &QAction::triggered,
          this, &MainWindow::showAbout);
}

void MainWindow::openDocument() {
  const QString path = QFileDialog::getOpenFileName(
      this, tr("Open a document"), {},
      tr("Text (*.txt *.md *.rst *.html *.csv *.json *.cpp *.h *.py);;All files (*)"));
  if (!path.isEmpty()) openPath(path);
}

void MainWindow::openModel() {
  const QString path = QFileDialog::getExistingDirectory(this, tr("Open a model's folder"));
  if (!path.isEmpty()) openPath(path);
}

void MainWindow::exportTranscript() {
  const QString path = QFileDialog::getSaveFileName(this, tr("Export the transcript"),
                                                    QStringLiteral("transcript.md"),
                                                    tr("Markdown (*.md);;JSON (*.json)"));
  if (path.isEmpty()) return;
  const Status written = ui::exportTranscript(path.toStdString(), m_app, m_chat);
  if (!written) return showError(errorSentence(written.error()));
  showNotice(tr("Written: %1").arg(path));
}

void MainWindow::changeTextSize(int steps) {
  static const int kUsual = QApplication::font().pointSize();
  QFont font = QApplication::font();
  font.setPointSize(
      std::clamp(steps == 0 ? kUsual : font.pointSize() + steps, kSmallestText, kLargestText));
  QApplication::setFont(font);
}

void MainWindow::toggleFullScreen(bool full) {
  setWindowState(full ? windowState() | Qt::WindowFullScreen
                      : windowState() & ~Qt::WindowFullScreen);
}

void MainWindow::showShortcuts() {
  QString rows;
  for (const auto* action : findChildren<QAction*>()) {
    if (action->shortcut().isEmpty() || action->text().isEmpty()) continue;
    QString text = action->text();
    text.remove(QLatin1Char('&'));
    rows += QStringLiteral("<tr><td>%1&nbsp;&nbsp;</td><td>%2</td></tr>")
                .arg(action->shortcut().toString(QKeySequence::NativeText).toHtmlEscaped(),
                     text.toHtmlEscaped());
  }
  rows += QStringLiteral("<tr><td>+ − 0 &nbsp;</td><td>%1</td></tr>")
              .arg(tr("Zoom in, out, whole picture (with a plot in focus)").toHtmlEscaped());
  QMessageBox box(QMessageBox::NoIcon, tr("Keys"), QStringLiteral("<table>%1</table>").arg(rows),
                  QMessageBox::Close, this);
  box.exec();
}

void MainWindow::showAbout() {
  QMessageBox::about(
      this, tr("About RopeScope"),
      tr("<b>RopeScope %1</b><p>Reads documents far longer than a model was trained for, and shows "
         "why that works or breaks.</p><p>Licence: GPL-3.0-or-later.</p>")
          .arg(QApplication::applicationVersion().toHtmlEscaped()));
}

}  // namespace ropescope::ui
