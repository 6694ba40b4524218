#include "ui/panels/position_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QSignalBlocker>
#include <algorithm>
#include <limits>

namespace ropescope::ui {

PositionBar::PositionBar(AngleViewModel& model, QWidget* parent)
    : QWidget(parent),
      m_model(model),
      m_position(new QSpinBox(this)),
      m_play(new QToolButton(this)),
      m_slider(new QSlider(Qt::Horizontal, this)) {
  m_slider->setToolTip(tr("Position in the context whose angles are drawn"));
  m_slider->setAccessibleName(tr("Position"));
  m_slider->setMinimumWidth(60);
  m_position->setToolTip(m_slider->toolTip());
  m_position->setGroupSeparatorShown(true);
  m_play->setText(tr("Play"));
  m_play->setCheckable(true);
  m_play->setToolTip(tr("Walk over all positions in 20 seconds"));
  auto* label = new QLabel(tr("&Position"), this);
  label->setBuddy(m_position);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(6);
  row->addWidget(label);
  row->addWidget(m_position);
  row->addWidget(m_play);
  row->addWidget(m_slider, 1);
  connect(m_slider, &QSlider::valueChanged, &m_model, &AngleViewModel::setPosition);
  connect(m_position, QOverload<int>::of(&QSpinBox::valueChanged), &m_model,
          &AngleViewModel::setPosition);
  connect(m_play, &QToolButton::toggled, &m_model, &AngleViewModel::setPlaying);
  connect(&m_model, &AngleViewModel::positionChanged, this, &PositionBar::showPosition);
  connect(&m_model, &AngleViewModel::curvesChanged, this, &PositionBar::showRange);
  connect(&m_model, &AngleViewModel::playingChanged, this, [this] {
    m_play->setChecked(m_model.isPlaying());
    m_play->setText(m_model.isPlaying() ? tr("Pause") : tr("Play"));
  });
  showRange();
}

void PositionBar::showRange() {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  const int last = static_cast<int>(std::min(kMost, m_model.lastPosition()));
  {
    const QSignalBlocker slider(m_slider);
    const QSignalBlocker box(m_position);
    m_slider->setRange(0, last);
    m_slider->setPageStep(std::max(1, last / 16));
    m_position->setRange(0, last);
  }
  showPosition();
}

void PositionBar::showPosition() {
  const QSignalBlocker slider(m_slider);
  const QSignalBlocker box(m_position);
  m_slider->setValue(static_cast<int>(m_model.position()));
  m_position->setValue(static_cast<int>(m_model.position()));
}

}  // namespace ropescope::ui
