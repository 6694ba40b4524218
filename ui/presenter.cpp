#include "ui/presenter.h"

#include <QAction>
#include <QApplication>
#include <QDockWidget>
#include <QLabel>
#include <QMainWindow>
#include <QMenuBar>
#include <QToolBar>
#include <algorithm>

#include "ui/panels/view_tabs.h"

namespace ropescope::ui {
namespace {

// It has the slider that a lecture turns on.
constexpr const char* kKeptBar = "contextBar";

ViewTabs* tabsOf(const QDockWidget* dock) {
  return dock->findChild<ViewTabs*>();
}

void showTitle(QDockWidget* dock, bool shown) {
  QWidget* before = dock->titleBarWidget();
  if (shown == (before == nullptr)) return;
  dock->setTitleBarWidget(shown ? nullptr : new QWidget(dock));
  delete before;
}

bool isInUse(const QDockWidget* dock) {
  return dock->toggleViewAction()->isChecked();
}

}  // namespace

Presenter::Presenter(QMainWindow& window, Docks docks, Settings settings)
    : QObject(&window),
      m_window(window),
      m_docks(std::move(docks)),
      m_settings(std::move(settings)) {}

void Presenter::collectViews() {
  m_views.clear();
  for (QDockWidget* dock : m_docks()) {
    if (!isInUse(dock)) continue;
    const ViewTabs* tabs = tabsOf(dock);
    if (tabs == nullptr) {
      m_views.push_back({dock, {}});
      continue;
    }
    for (const QString& name : tabs->names()) {
      if (tabs->isTabEnabled(tabs->indexOf(tabs->view(name)))) m_views.push_back({dock, name});
    }
  }
}

void Presenter::start() {
  if (m_active) return;
  collectViews();
  if (m_views.empty()) return;
  m_active = true;
  m_state = m_window.saveState();
  m_geometry = m_window.saveGeometry();
  m_font = QApplication::font();
  const QWidget* focus = QApplication::focusWidget();
  m_current = 0;
  for (std::size_t i = 0; i < m_views.size(); ++i) {
    const ViewTabs* tabs = tabsOf(m_views[i].dock);
    const bool shown = tabs == nullptr || tabs->currentWidget() == tabs->view(m_views[i].name);
    if (focus != nullptr && shown && m_views[i].dock->isAncestorOf(focus)) m_current = i;
  }
  addActions();
  hideBars();
  QFont large = m_font;
  large.setPointSizeF(m_font.pointSizeF() * kLarger);
  QApplication::setFont(large);
  for (QDockWidget* dock : m_docks()) dock->hide();
  m_window.setWindowState(m_window.windowState() | Qt::WindowFullScreen);
  show(m_current);
  Q_EMIT activeChanged(true);
}

void Presenter::leave() {
  if (!m_active) return;
  m_active = false;
  for (const auto& action : m_actions) {
    if (action) m_window.removeAction(action);
  }
  m_actions.clear();
  qDeleteAll(m_keys);
  m_keys.clear();
  delete m_captionBar;
  m_captionBar = nullptr;
  m_caption = nullptr;
  for (const auto& bar : m_hidden) {
    if (bar) bar->show();
  }
  for (QDockWidget* dock : m_docks()) showTitle(dock, true);
  m_hidden.clear();
  QApplication::setFont(m_font);
  m_window.setWindowState(m_window.windowState() & ~Qt::WindowFullScreen);
  m_window.restoreGeometry(m_geometry);
  m_window.restoreState(m_state);
  Q_EMIT activeChanged(false);
}

// Keys of a hidden menu bar are dead: the window itself holds them meanwhile. Escape is ours.
void Presenter::addActions() {
  for (QAction* action : m_window.findChildren<QAction*>()) {
    if (action->shortcuts().isEmpty() || action->shortcut() == QKeySequence(Qt::Key_Escape)) {
      continue;
    }
    if (m_window.actions().contains(action)) continue;
    m_window.addAction(action);
    m_actions.emplace_back(action);
  }
  m_keys = {addKeys({Qt::Key_Escape}, [this] { leave(); }),
            // What the buttons of a presenter's remote send.
            addKeys({Qt::Key_PageDown, QKeySequence(tr("Ctrl+Right"))}, [this] { next(); }),
            addKeys({Qt::Key_PageUp, QKeySequence(tr("Ctrl+Left"))}, [this] { previous(); })};
}

QAction* Presenter::addKeys(const QList<QKeySequence>& keys, std::function<void()> act) {
  auto* action = new QAction(&m_window);
  action->setShortcuts(keys);
  connect(action, &QAction::triggered, this, std::move(act), Qt::QueuedConnection);
  m_window.addAction(action);
  return action;
}

void Presenter::hideBars() {
  std::vector<QWidget*> bars{m_window.menuBar()};
  for (auto* bar : m_window.findChildren<QToolBar*>(QString(), Qt::FindDirectChildrenOnly)) {
    if (bar->objectName() != QLatin1String(kKeptBar)) bars.push_back(bar);
  }
  for (QWidget* bar : bars) {
    if (bar->isHidden()) continue;
    bar->hide();
    m_hidden.emplace_back(bar);
  }
  m_captionBar = new QToolBar(tr("Caption"), &m_window);
  m_captionBar->setObjectName(QStringLiteral("captionBar"));
  m_captionBar->setMovable(false);
  m_captionBar->setContextMenuPolicy(Qt::PreventContextMenu);
  m_caption = new QLabel(m_captionBar);
  m_caption->setObjectName(QStringLiteral("caption"));
  m_caption->setAccessibleName(tr("Caption"));
  m_caption->setWordWrap(true);
  m_caption->setContentsMargins(8, 2, 8, 2);
  m_caption->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  m_captionBar->addWidget(m_caption);
  m_window.addToolBar(Qt::BottomToolBarArea, m_captionBar);
}

void Presenter::step(int by) {
  if (!m_active || m_views.empty()) return;
  const auto count = static_cast<int>(m_views.size());
  show(static_cast<std::size_t>((static_cast<int>(m_current) + by + count) % count));
}

// Docks that were opened beside it stay.
void Presenter::show(std::size_t view) {
  QDockWidget* before = m_views[m_current].dock;
  QDockWidget* dock = m_views[view].dock;
  m_current = view;
  if (dock == nullptr) return;
  if (before != nullptr && before != dock) {
    before->hide();
    showTitle(before, true);
  }
  showTitle(dock, false);  // the caption says it
  dock->show();
  dock->raise();
  if (ViewTabs* tabs = tabsOf(dock); tabs != nullptr && !m_views[view].name.isEmpty()) {
    tabs->showView(m_views[view].name);
    tabs->currentWidget()->setFocus();
  } else if (dock->widget() != nullptr) {
    dock->widget()->setFocus();
  }
  updateCaption();
}

QString Presenter::caption() const {
  if (!m_active || m_views[m_current].dock == nullptr) return {};
  const View& view = m_views[m_current];
  QString title = view.dock->windowTitle();
  if (const ViewTabs* tabs = tabsOf(view.dock); tabs != nullptr && !view.name.isEmpty()) {
    title += QStringLiteral(": ") + tabs->tabText(tabs->indexOf(tabs->view(view.name)));
  }
  const QString settings = m_settings(view.dock);
  return settings.isEmpty() ? title : title + QStringLiteral(" — ") + settings;
}

void Presenter::updateCaption() {
  if (m_caption != nullptr) m_caption->setText(caption());
}

}  // namespace ropescope::ui
