// Several views of one subject in one dock.
#pragma once

#include <QStringList>
#include <QTabWidget>

namespace ropescope::ui {

class ViewTabs : public QTabWidget {
  Q_OBJECT

 public:
  explicit ViewTabs(QWidget* parent = nullptr);
  // `name` is stable and in English: settings and pictures use it. Takes the view.
  void addView(const QString& name, const QString& title, const QString& tip, QWidget* view);
  QStringList names() const;
  QWidget* view(const QString& name) const;  // null: there is none
  void showView(const QString& name);
};

}  // namespace ropescope::ui
