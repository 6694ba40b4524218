#include "ui/panels/view_tabs.h"

#include <QTabBar>

namespace ropescope::ui {

ViewTabs::ViewTabs(QWidget* parent) : QTabWidget(parent) {
  setDocumentMode(true);
  setUsesScrollButtons(true);
}

void ViewTabs::addView(const QString& name, const QString& title, const QString& tip,
                       QWidget* view) {
  view->setObjectName(name);
  view->setAccessibleName(title);
  setTabToolTip(addTab(view, title), tip);
}

QStringList ViewTabs::names() const {
  QStringList all;
  for (int i = 0; i < count(); ++i) all << widget(i)->objectName();
  return all;
}

QWidget* ViewTabs::view(const QString& name) const {
  const auto i = names().indexOf(name);
  return i < 0 ? nullptr : widget(static_cast<int>(i));
}

void ViewTabs::showView(const QString& name) {
  if (QWidget* found = view(name)) setCurrentWidget(found);
}

}  // namespace ropescope::ui
