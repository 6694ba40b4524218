// Runs a recorded experiment once more with the loaded model and says what came out differently.
#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <vector>

#include "core/experiment/experiment_run.h"
#include "ui/plots/plot_table.h"
#include "ui/viewmodels/app_model.h"

namespace ropescope::ui {

class RunAgain : public QObject {
  Q_OBJECT

 public:
  RunAgain(AppModel& app, EngineRunner& runner, QObject* parent = nullptr);
  ~RunAgain() override;

  void setExperiment(std::shared_ptr<const experiment::Experiment> recorded);  // forgets the table
  void start();
  void stop();
  bool isRunning() const { return m_running; }
  bool canStart() const { return m_recorded && !m_running; }

  const std::vector<experiment::Difference>& differences() const { return m_differences; }
  QString text() const { return m_text; }  // progress, result, or why it cannot
  PlotTable table() const;

 Q_SIGNALS:
  void changed();

 private:
  void finish(const Result<experiment::Rerun>& now);
  void say(const QString& text);

  AppModel& m_app;
  EngineRunner& m_runner;
  std::shared_ptr<const experiment::Experiment> m_recorded;
  std::vector<experiment::Difference> m_differences;
  QString m_text;
  bool m_running = false;
};

}  // namespace ropescope::ui
