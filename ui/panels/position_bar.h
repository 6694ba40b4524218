// The position whose angles are shown: a number, a slider and a play button. Views that share an
// AngleViewModel share the position.
#pragma once

#include <QSlider>
#include <QSpinBox>
#include <QToolButton>
#include <QWidget>

#include "ui/viewmodels/angle_view_model.h"

namespace ropescope::ui {

class PositionBar : public QWidget {
  Q_OBJECT

 public:
  explicit PositionBar(AngleViewModel& model, QWidget* parent = nullptr);

 private:
  void showRange();
  void showPosition();

  AngleViewModel& m_model;
  QSpinBox* m_position;
  QToolButton* m_play;
  QSlider* m_slider;
};

}  // namespace ropescope::ui
