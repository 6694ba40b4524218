// A recorded experiment on screen: looked at and played without its model, run again with it.
#pragma once

#include <QWidget>

#include "ui/panels/recording_views.h"
#include "ui/viewmodels/recording_player.h"
#include "ui/viewmodels/run_again.h"

class QComboBox;
class QHBoxLayout;
class QLabel;
class QPushButton;
class QToolButton;

namespace ropescope::ui {

class RecordedAnswersPage;
class RecordedTextPage;
class RunAgainPage;
class ViewTabs;

class RecordingPanel : public QWidget {
  Q_OBJECT

 public:
  RecordingPanel(AppModel& app, EngineRunner& runner, QWidget* parent = nullptr);

  void open(RecordedExperiment recorded, const QString& name);
  const RecordedExperiment& experiment() const { return m_player.experiment(); }
  RecordingPlayer& player() { return m_player; }
  RunAgain& runAgain() { return m_again; }
  ViewTabs* views() const { return m_views; }

 private:
  QHBoxLayout* makeControls();
  void addViews();
  void connectPlayer();
  void showExperiment();
  void showStep();   // brings the view of the step to the front
  void showParts();  // what is shown so far
  void showPlaying();
  void playOrPress();  // Space

  RecordingPlayer m_player;
  RunAgain m_again;
  QString m_name;
  QLabel* m_title;
  QLabel* m_about;
  QLabel* m_position;
  QToolButton* m_previous;
  QToolButton* m_play;
  QToolButton* m_next;
  QComboBox* m_pace;
  ViewTabs* m_views;
  RecordedTextPage* m_document;
  RecordedAnswersPage* m_answers;
  RecordedMapPanel* m_map;
  RecordedAnglesPanel* m_angles;
  RecordedCurvesPanel* m_curves;
  RunAgainPage* m_differences;
};

}  // namespace ropescope::ui
