// What the window offers for showing and teaching: the context length that all views follow,
// presenter mode, named layouts.
#include <QAction>
#include <QDockWidget>
#include <QMenu>
#include <QToolBar>
#include <map>

#include "ui/main_window.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/context_bar.h"
#include "ui/panels/coverage_panel.h"
#include "ui/panels/perplexity_panel.h"
#include "ui/panels/recording_panel.h"
#include "ui/panels/score_panel.h"
#include "ui/plots/perplexity_plot.h"
#include "ui/presenter.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {

void MainWindow::addContextBar() {
  addToolBarBreak();
  auto* bar = addToolBar(tr("Context"));
  bar->setObjectName(QStringLiteral("contextBar"));
  bar->setMovable(false);
  bar->setContextMenuPolicy(Qt::PreventContextMenu);
  bar->addWidget(new ContextBar(m_focus, m_app, m_chat, bar));
}

void MainWindow::followFocus() {
  const auto adopt = [this] {
    if (m_app.engine()) m_focus.setTrained(m_app.engine()->config().trainedLength);
    m_focus.setMaximum(m_app.plannedContext());
  };
  connect(&m_app, &AppModel::modelChanged, this, adopt);
  connect(&m_app, &AppModel::planChanged, this, adopt);
  // The last position of a context of that length.
  connect(&m_focus, &ContextFocus::lengthChanged, this, [this](qint64 tokens) {
    if (!m_focus.isChosen()) return;
    m_angles->model().setPosition(tokens - 1);
    m_coverage->model().setDistance(tokens - 1);
    m_score->model().setContextLength(tokens);
    m_perplexity->curvePlot().setCursor(tokens);
  });
}

void MainWindow::addPresenterActions(QMenu* view) {
  m_presenter = new Presenter(
      *this, [this] { return docks(); },
      [this](const QDockWidget* dock) { return captionFor(dock); });
  auto* present = view->addAction(tr("&Presenter mode"));
  present->setObjectName(QStringLiteral("presenterMode"));
  present->setShortcuts({QKeySequence(Qt::Key_F5), QKeySequence(tr("Ctrl+Shift+P"))});
  present->setCheckable(true);
  present->setStatusTip(
      tr("Full screen, large text, one view at a time: Page Down and Page Up change "
         "the view, Escape leaves"));
  connect(present, &QAction::toggled, m_presenter, &Presenter::setActive);
  connect(m_presenter, &Presenter::activeChanged, present, &QAction::setChecked);
  connect(&m_app, &AppModel::planChanged, m_presenter, &Presenter::updateCaption);
  connect(&m_app, &AppModel::documentChanged, m_presenter, &Presenter::updateCaption);
  connect(&m_focus, &ContextFocus::lengthChanged, m_presenter, &Presenter::updateCaption);
}

QString MainWindow::captionFor(const QDockWidget* dock) const {
  if (dock == m_recordingDock && m_recording != nullptr && m_recording->experiment()) {
    const experiment::Plan& plan = m_recording->experiment()->plan;
    return tr("recorded with %1 on %2")
        .arg(QString::fromStdString(plan.model), QString::fromStdString(plan.documentName));
  }
  if (!m_app.engine() || !m_app.plan()) return {};
  QStringList parts{m_model.name(), methodText(*m_app.plan(), m_app.method())};
  if (m_app.document()) {
    parts << QString::fromStdString(m_app.document()->document.path.filename().string());
  }
  if (m_focus.isChosen()) parts << tr("context %1 tokens").arg(tokensText(m_focus.length()));
  return parts.join(QStringLiteral(" · "));
}

void MainWindow::addLayoutMenu(QMenu* window) {
  const std::map<QString, QString> titles{
      {QStringLiteral("Read"), tr("&Read: document and chat")},
      {QStringLiteral("Compare"), tr("&Compare: answers, curves, maps and angles")},
      {QStringLiteral("Teach"), tr("&Teach: large pictures, the chat below")}};
  auto* menu = window->addMenu(tr("&Layouts"));
  for (const WindowLayout& layout : namedLayouts()) {
    auto* action = menu->addAction(titles.at(layout.name));
    action->setObjectName(QStringLiteral("layout") + layout.name);
    connect(action, &QAction::triggered, this, [this, layout] { useLayout(layout); });
  }
  menu->addSeparator();
  auto* recorded = menu->addAction(tr("As in the recorded &experiment"));
  connect(menu, &QMenu::aboutToShow, recorded, [this, recorded] {
    recorded->setEnabled(m_recording != nullptr && m_recording->experiment() &&
                         !m_recording->experiment()->layout.empty());
  });
  connect(recorded, &QAction::triggered, this, [this] {
    if (m_recording == nullptr || !m_recording->experiment()) return;
    restoreState(
        QByteArray::fromBase64(QByteArray::fromStdString(m_recording->experiment()->layout)),
        kLayoutVersion);
  });
}

void MainWindow::useLayout(const WindowLayout& layout) {
  applyLayout(*this, docks(), layout);
}

}  // namespace ropescope::ui
