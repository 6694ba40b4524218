// Presenting: the whole screen, large text everywhere, one view at a time, and a caption that says
// under which settings it was made.
#pragma once

#include <QByteArray>
#include <QFont>
#include <QObject>
#include <QPointer>
#include <QString>
#include <functional>
#include <vector>

class QAction;
class QDockWidget;
class QLabel;
class QMainWindow;
class QToolBar;

namespace ropescope::ui {

class Presenter : public QObject {
  Q_OBJECT

 public:
  // How much larger text is; readable from the back of a room on a full screen.
  static constexpr double kLarger = 1.6;

  using Docks = std::function<std::vector<QDockWidget*>()>;
  using Settings = std::function<QString(const QDockWidget*)>;  // for the caption, by view
  Presenter(QMainWindow& window, Docks docks, Settings settings);

  bool isActive() const { return m_active; }
  void start();  // with the view that has the focus
  void leave();  // everything as it was
  void setActive(bool active) { active ? start() : leave(); }
  void next() { step(+1); }
  void previous() { step(-1); }
  QString caption() const;
  void updateCaption();

 Q_SIGNALS:
  void activeChanged(bool active);

 private:
  // A tab of a dock, or the whole dock.
  struct View {
    QPointer<QDockWidget> dock;
    QString name;  // of the tab; empty: the dock has none
  };
  void collectViews();
  void step(int by);
  void show(std::size_t view);
  void addActions();
  QAction* addKeys(const QList<QKeySequence>& keys, std::function<void()> act);
  void hideBars();

  QMainWindow& m_window;
  Docks m_docks;
  Settings m_settings;
  bool m_active = false;
  std::vector<View> m_views;
  std::size_t m_current = 0;
  QToolBar* m_captionBar = nullptr;
  QLabel* m_caption = nullptr;
  std::vector<QPointer<QAction>> m_actions;  // of the menus, that keep their keys meanwhile
  std::vector<QAction*> m_keys;              // of presenting
  // As it was before.
  QByteArray m_state;
  QByteArray m_geometry;
  QFont m_font;
  std::vector<QPointer<QWidget>> m_hidden;
};

}  // namespace ropescope::ui
