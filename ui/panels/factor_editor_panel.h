// Draw a factor curve by hand and see what it does: by the formula, on the captured queries and
// keys, and in a run of its own; save it, or use it as the session's method.
#pragma once

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <QTimer>

#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/answer_rows.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/factor_editor_model.h"

namespace ropescope::ui {

class FactorEditorPanel : public PlotPanel {
  Q_OBJECT

 public:
  FactorEditorPanel(AppModel& app, EngineRunner& runner, ChatModel& chat,
                    QWidget* parent = nullptr);
  ~FactorEditorPanel() override;

  FactorEditorModel& model() { return m_model; }
  PlotTable table() const override { return m_model.table(); }
  void showExample() override;
  bool isSettled() const override { return !m_waiting && !m_ask.isActive() && !m_rerunning; }

  void applyToSession();  // a new session under the edited factors, without a calibration
  void rerun();           // reads the slice twice, in sessions of its own
  void stopRerun();
  // By the ending: .json a "rope_parameters" block, anything else the factors as a column.
  Status saveFactors(const QString& path) const;

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void buildControls();
  void addUseMenu(QHBoxLayout* row);
  void connectModel();
  void takePlan();
  void askSoon();
  void ask();
  void showPresets();
  void showDraft();
  void showText();
  void showSlice();
  void showRerun();
  void askAndSave(const QString& ending);

  AppModel& m_app;
  EngineRunner& m_runner;
  AnswerRows m_rows;
  FactorEditorModel m_model;
  QComboBox* m_preset;
  QComboBox* m_tool;
  QDoubleSpinBox* m_attention;
  QSpinBox* m_slice;
  int m_sliceWanted;  // tokens that the reader asked for; the document may have fewer
  QPushButton* m_run;
  QLabel* m_text;
  QTimer m_ask;
  bool m_waiting = false;
  bool m_canRerun = false;
  bool m_rerunning = false;
};

}  // namespace ropescope::ui
