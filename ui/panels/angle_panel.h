// Factor, wavelength and angle of every rotary pair under the current plan.
#pragma once

#include <QCheckBox>
#include <QLabel>
#include <QSlider>
#include <QSpinBox>
#include <QToolButton>

#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/angle_view_model.h"
#include "ui/viewmodels/app_model.h"

namespace ropescope::ui {

class AnglePanel : public PlotPanel {
  Q_OBJECT

 public:
  explicit AnglePanel(AppModel& app, QWidget* parent = nullptr);

  AngleViewModel& model() { return m_model; }
  PlotTable table() const override { return m_model.table(); }

 private:
  void buildControls();
  void connectControls();
  void takePlan();
  void showPosition();
  void showPlan();

  AppModel& m_app;
  AngleViewModel m_model;
  QSlider* m_slider;
  QSpinBox* m_position;
  QToolButton* m_play;
  QCheckBox* m_compare;
  QLabel* m_text;
};

}  // namespace ropescope::ui
