// Makes the pictures of the documentation: asks the sample's first question under YaRN, waits until
// all plots are complete, saves the window, every dock and every further view as PNG, and ends the
// program. Under a dark theme every name ends with "-dark".
#pragma once

#include <QObject>
#include <QString>
#include <QTemporaryDir>
#include <QTimer>
#include <functional>

#include "ui/main_window.h"

namespace ropescope::ui {

class ViewTabs;

class ScreenshotRun : public QObject {
  Q_OBJECT

 public:
  ScreenshotRun(MainWindow& window, AppModel& app, ChatModel& chat, QString question,
                QString folder, QObject* parent = nullptr);

 signals:
  void finished(int exitCode);  // 0: all pictures are written

 private:
  enum class Step { Load, Answer, Measure, Settle, Record, Views, Scenes, Done };
  void advance();  // asks every 100 ms whether the step is over
  bool answered();
  void measure();
  bool measured();
  void save();
  void collectViews();
  bool answerIsCurrent();  // asks the question again where it is not
  bool viewsSaved();       // brings the next view to the front; true after the last
  void keepExperiment();
  bool recorded();  // opened from its file
  void collectScenes();
  bool scenesSaved();
  bool write(QWidget* widget, const QString& name);
  void fail(const QString& why);

  MainWindow& m_window;
  AppModel& m_app;
  ChatModel& m_chat;
  QString m_question;
  QString m_folder;
  struct View {
    QDockWidget* dock;
    ViewTabs* tabs;  // null: the dock holds one view
    QString name;
    QString picture;
  };
  std::vector<View> m_views;  // still to be drawn, last first
  bool m_inFront = false;     // the last of them
  // The whole window in another state.
  struct Scene {
    QString name;
    std::function<void()> begin;
    std::function<void()> end;
  };
  std::vector<Scene> m_scenes;  // still to be drawn, last first
  QTemporaryDir m_temporary;
  QString m_experiment;
  QTimer m_timer;
  Step m_step = Step::Load;
  int m_ticks = 0;  // in this step
};

}  // namespace ropescope::ui
