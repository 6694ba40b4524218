#include "ui/panels/color_controls.h"

#include <QHBoxLayout>
#include <utility>

#include "ui/panels/panel_text.h"

namespace ropescope::ui {

void fillScales(QComboBox* chooser) {
  chooser->addItems({ColorControls::tr("logarithmic"), ColorControls::tr("linear")});
}

ColorScale scaleAt(int row) {
  return row == 0 ? ColorScale::Logarithmic : ColorScale::Linear;
}

int rowOf(ColorScale scale) {
  return scale == ColorScale::Logarithmic ? 0 : 1;
}

ColorControls::ColorControls(QWidget* parent)
    : QWidget(parent),
      m_scale(new QComboBox(this)),
      m_ignored(new QSpinBox(this)),
      m_locked(new QCheckBox(tr("Lock colours"), this)) {
  fillScales(m_scale);
  m_scale->setToolTip(tr("Colour scale. Linear shows little else than the strongest tokens."));
  m_ignored->setRange(0, 1024);
  m_ignored->setToolTip(
      tr("The first tokens draw most attention of many heads. They are left out "
         "of the picture and of the colour range."));
  m_locked->setToolTip(
      tr("Keep the colour range while layer, head or view change and the text grows"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  for (const auto& [text, control] :
       {std::pair<QString, QWidget*>{tr("&Colours"), m_scale}, {tr("&Ignore first"), m_ignored}}) {
    row->addWidget(labelFor(text, control));
    row->addWidget(control);
  }
  row->addWidget(m_locked);
}

void ColorControls::display(ColorScale scale, std::int64_t ignored, bool locked) {
  m_scale->setCurrentIndex(rowOf(scale));
  m_ignored->setValue(static_cast<int>(ignored));
  m_ignored->setSuffix(ignored == 1 ? tr(" token") : tr(" tokens"));
  m_locked->setChecked(locked);
}

}  // namespace ropescope::ui
