// What the window offers for showing and teaching: the context length that all views follow.
#include <QToolBar>

#include "ui/main_window.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/context_bar.h"
#include "ui/panels/perplexity_panel.h"
#include "ui/plots/perplexity_plot.h"

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
    m_perplexity->curvePlot().setCursor(tokens);
  });
}

}  // namespace ropescope::ui
