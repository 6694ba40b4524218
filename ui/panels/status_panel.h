// What the engine is doing: stage, tokens done, speed, time left, and a stop.
#pragma once

#include <QElapsedTimer>
#include <QWidget>

#include "core/base/progress.h"
#include "ui/worker/engine_runner.h"

class QLabel;
class QProgressBar;
class QToolButton;

namespace ropescope::ui {

class StatusPanel : public QWidget {
  Q_OBJECT

 public:
  explicit StatusPanel(EngineRunner& runner, QWidget* parent = nullptr);

 private:
  void showProgress(const Progress& progress);
  void showBusy();

  EngineRunner& m_runner;
  QLabel* m_text;
  QProgressBar* m_bar;
  QToolButton* m_stop;
  std::string m_stage;       // of the progress before
  std::int64_t m_firstDone = 0;
  std::int64_t m_lastDone = 0;
  QElapsedTimer m_sinceStage;
};

}  // namespace ropescope::ui
