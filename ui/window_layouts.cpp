#include "ui/window_layouts.h"

#include <QDockWidget>
#include <QMainWindow>
#include <algorithm>

namespace ropescope::ui {
namespace {

using Docks = std::vector<QDockWidget*>;

Docks docksOf(const LayoutRow& row, const Docks& docks) {
  Docks found;
  for (const QString& name : row.docks) {
    const auto dock = std::find_if(docks.begin(), docks.end(), [&](const QDockWidget* candidate) {
      return candidate->objectName() == name;
    });
    if (dock != docks.end()) found.push_back(*dock);
  }
  return found;
}

void showIn(QMainWindow& window, QDockWidget* dock, QDockWidget* beside,
            Qt::Orientation direction) {
  if (beside == nullptr) {
    window.addDockWidget(Qt::LeftDockWidgetArea, dock, Qt::Horizontal);
  } else {
    window.splitDockWidget(beside, dock, direction);
  }
  dock->show();
}

// The docks at the beginning of each row, top first; what stands beside them is placed as well.
Docks placeColumn(QMainWindow& window, const LayoutColumn& column, const Docks& docks) {
  Docks heads;
  for (const LayoutRow& row : column.rows) {
    const Docks found = docksOf(row, docks);
    if (found.empty()) continue;
    showIn(window, found.front(), heads.empty() ? nullptr : heads.back(), Qt::Vertical);
    heads.push_back(found.front());
  }
  return heads;
}

void placeBeside(QMainWindow& window, const LayoutColumn& column, const Docks& docks) {
  for (const LayoutRow& row : column.rows) {
    const Docks found = docksOf(row, docks);
    for (std::size_t i = 1; i < found.size(); ++i) {
      showIn(window, found[i], found[i - 1], Qt::Horizontal);
    }
    if (found.size() < 2) continue;
    const int each = window.width() * column.share / 100 / static_cast<int>(found.size());
    window.resizeDocks({found.begin(), found.end()},
                       QList<int>(static_cast<qsizetype>(found.size()), each), Qt::Horizontal);
  }
}

}  // namespace

std::vector<WindowLayout> namedLayouts() {
  return {{.name = QStringLiteral("Read"),
           .columns = {{.share = 58, .rows = {{.docks = {"documentDock"}}}},
                       {.share = 42, .rows = {{.share = 100, .docks = {"chatDock"}}}}}},
          {.name = QStringLiteral("Compare"),
           .columns = {{.share = 58,
                        .rows = {{.share = 50, .docks = {"compareDock", "chatDock"}},
                                 {.share = 50, .docks = {"perplexityDock"}}}},
                       {.share = 42,
                        .rows = {{.share = 50, .docks = {"attentionDock"}},
                                 {.share = 50, .docks = {"anglesDock"}}}}}},
          {.name = QStringLiteral("Teach"),
           .columns = {{.share = 50,
                        .rows = {{.share = 62, .docks = {"anglesDock"}},
                                 {.share = 38, .docks = {"chatDock"}}}},
                       {.share = 50,
                        .rows = {{.share = 55, .docks = {"attentionDock"}},
                                 {.share = 45, .docks = {"perplexityDock"}}}}}}};
}

void applyLayout(QMainWindow& window, const Docks& docks, const WindowLayout& layout) {
  for (QDockWidget* dock : docks) {
    dock->setFloating(false);
    window.removeDockWidget(dock);  // hides it too
  }
  std::vector<Docks> columns;
  for (const LayoutColumn& column : layout.columns) {
    columns.push_back(placeColumn(window, column, docks));
  }
  QList<QDockWidget*> first;
  QList<int> widths;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].empty()) continue;
    placeBeside(window, layout.columns[i], docks);
    first << columns[i].front();
    widths << window.width() * layout.columns[i].share / 100;
  }
  window.resizeDocks(first, widths, Qt::Horizontal);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    QList<QDockWidget*> rows;
    QList<int> heights;
    for (const LayoutRow& row : layout.columns[i].rows) {
      const Docks found = docksOf(row, docks);
      if (found.empty()) continue;
      rows << found.front();
      heights << window.height() * row.share / 100;
    }
    window.resizeDocks(rows, heights, Qt::Vertical);
  }
}

}  // namespace ropescope::ui
