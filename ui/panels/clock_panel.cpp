#include "ui/panels/clock_panel.h"

#include "ui/panels/position_bar.h"
#include "ui/plots/clock_plot.h"

namespace ropescope::ui {

ClockPanel::ClockPanel(AngleViewModel& model, QWidget* parent)
    : PlotPanel(QStringLiteral("clocks"), parent),
      m_model(model),
      m_wall(new ClockPlot(model, this)),
      m_text(new QLabel(this)) {
  auto* plain = new QCheckBox(tr("Plain RoPE"), this);
  plain->setChecked(true);
  plain->setToolTip(tr("Show where plain RoPE's hands would stand"));
  connect(plain, &QCheckBox::toggled, m_wall, &ClockPlot::setPlainShown);
  firstRow()->addWidget(plain);
  addRow()->addWidget(new PositionBar(m_model, this), 1);
  m_text->setWordWrap(true);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  addRow()->addWidget(m_text, 1);
  setPlot(m_wall);
  connect(&m_model, &AngleViewModel::positionChanged, this, &ClockPanel::showText);
  connect(&m_model, &AngleViewModel::curvesChanged, this, &ClockPanel::showText);
  connect(&m_model, &AngleViewModel::playingChanged, this, &ClockPanel::refreshTable);
  showText();
}

void ClockPanel::showText() {
  m_text->setText(m_model.clockText());
  if (!m_model.isPlaying()) refreshTable();
}

}  // namespace ropescope::ui
