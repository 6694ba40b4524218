// How a picture of attention weights is coloured: scale, first tokens that are left out, a range
// that is held. For every model that has these three.
#pragma once

#include <QCheckBox>
#include <QComboBox>
#include <QSpinBox>
#include <QWidget>

#include "ui/viewmodels/map_tile.h"

namespace ropescope::ui {

// A chooser of colour scales.
void fillScales(QComboBox* chooser);
ColorScale scaleAt(int row);
int rowOf(ColorScale scale);

class ColorControls : public QWidget {
  Q_OBJECT

 public:
  explicit ColorControls(QWidget* parent = nullptr);

  template <class Model>
  void edit(Model& model) {
    connect(m_scale, &QComboBox::activated, &model,
            [&model](int row) { model.setColorScale(scaleAt(row)); });
    connect(m_ignored, &QSpinBox::valueChanged, &model, &Model::setIgnoredTokens);
    connect(m_locked, &QCheckBox::toggled, &model, &Model::setRangeLocked);
  }
  template <class Model>
  void display(const Model& model) {
    display(model.colorScale(), model.ignoredTokens(), model.isRangeLocked());
  }

 private:
  void display(ColorScale scale, std::int64_t ignored, bool locked);

  QComboBox* m_scale;
  QSpinBox* m_ignored;
  QCheckBox* m_locked;
};

}  // namespace ropescope::ui
