// Scale, frequency, wavelength, turns and angle of every rotary pair under the current plan, beside
// plain RoPE and the other methods.
#pragma once

#include <QCheckBox>
#include <QComboBox>
#include <QLabel>

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
  void showExample() override { m_compare->setChecked(true); }

 private:
  void buildControls();
  void takePlan();
  void showText();

  AppModel& m_app;
  AngleViewModel m_model;
  QComboBox* m_quantity;
  QCheckBox* m_compare;
  QLabel* m_text;
};

}  // namespace ropescope::ui
