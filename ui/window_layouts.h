// Named layouts of a main window's docks, as columns of rows.
#pragma once

#include <QStringList>
#include <vector>

class QDockWidget;
class QMainWindow;

namespace ropescope::ui {

// Docks by object name; those beside each other share the row's height, a name without a dock is
// left out. Shares are per cent of the window.
struct LayoutRow {
  int share = 100;
  QStringList docks;
};
struct LayoutColumn {
  int share = 100;
  std::vector<LayoutRow> rows;
};
struct WindowLayout {
  QString name;  // stable and in English
  std::vector<LayoutColumn> columns;
};

// Read, Compare, Teach.
std::vector<WindowLayout> namedLayouts();

// Shows exactly the docks that the layout names; all others are hidden.
void applyLayout(QMainWindow& window, const std::vector<QDockWidget*>& docks,
                 const WindowLayout& layout);

}  // namespace ropescope::ui
