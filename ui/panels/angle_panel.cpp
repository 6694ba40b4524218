#include "ui/panels/angle_panel.h"

#include <QSignalBlocker>
#include <limits>

#include "ui/plots/angle_plot.h"

namespace ropescope::ui {
namespace {

// Every method that has a plan for this context; the others lack factors and are left out.
std::vector<rope::RotaryPlan> allPlans(const Engine& engine, const rope::RotaryPlan& current) {
  std::vector<rope::RotaryPlan> plans;
  for (const auto& method : rope::allMethods()) {
    const rope::MethodInfo info = method->info();
    rope::MethodChoice choice{.id = info.id};
    if (info.takesFactor) choice.factor = current.context.factor;
    if (auto plan = engine.plan(choice, current.context.plannedLength)) {
      plans.push_back(*std::move(plan));
    }
  }
  return plans;
}

}  // namespace

AnglePanel::AnglePanel(AppModel& app, QWidget* parent)
    : PlotPanel(QStringLiteral("angles"), parent),
      m_app(app),
      m_slider(new QSlider(Qt::Horizontal, this)),
      m_position(new QSpinBox(this)),
      m_play(new QToolButton(this)),
      m_compare(new QCheckBox(tr("All methods"), this)),
      m_text(new QLabel(this)) {
  buildControls();
  setPlot(new AnglePlot(m_model, this));
  connectControls();
  connect(&m_app, &AppModel::flipped, &m_model, &AngleViewModel::prepareFlip);
  connect(&m_app, &AppModel::planChanged, this, &AnglePanel::takePlan);
  connect(&m_app, &AppModel::modelChanged, this, &AnglePanel::takePlan);
  takePlan();
}

void AnglePanel::buildControls() {
  m_play->setText(tr("Play"));
  m_play->setCheckable(true);
  m_play->setToolTip(tr("Walk over all positions"));
  m_slider->setToolTip(tr("Position in the context whose angles are drawn"));
  m_slider->setAccessibleName(tr("Position"));
  m_slider->setMinimumWidth(80);
  m_position->setToolTip(m_slider->toolTip());
  m_position->setGroupSeparatorShown(true);
  m_compare->setToolTip(tr("Lay the other methods under the same factor over the curves"));
  firstRow()->addWidget(labelFor(tr("&Position"), m_position));
  firstRow()->addWidget(m_position);
  firstRow()->addWidget(m_play);
  firstRow()->addWidget(m_slider, 4);
  firstRow()->addWidget(m_compare);
  m_text->setWordWrap(true);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  addRow()->addWidget(m_text, 1);
}

void AnglePanel::connectControls() {
  connect(m_slider, &QSlider::valueChanged, &m_model, &AngleViewModel::setPosition);
  connect(m_position, QOverload<int>::of(&QSpinBox::valueChanged), &m_model,
          &AngleViewModel::setPosition);
  connect(m_play, &QToolButton::toggled, &m_model, &AngleViewModel::setPlaying);
  connect(m_compare, &QCheckBox::toggled, &m_model, &AngleViewModel::setComparing);
  connect(&m_model, &AngleViewModel::positionChanged, this, &AnglePanel::showPosition);
  connect(&m_model, &AngleViewModel::curvesChanged, this, &AnglePanel::showPlan);
  connect(&m_model, &AngleViewModel::playingChanged, this, [this] {
    m_play->setChecked(m_model.isPlaying());
    m_play->setText(m_model.isPlaying() ? tr("Pause") : tr("Play"));
    refreshTable();
  });
}

void AnglePanel::takePlan() {
  const auto plan = m_app.plan();
  if (m_app.engine() && plan) m_model.setComparison(allPlans(*m_app.engine(), *plan));
  m_model.setPlan(plan);
}

void AnglePanel::showPlan() {
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
  refreshTable();
}

void AnglePanel::showPosition() {
  const int position = static_cast<int>(m_model.position());
  {
    const QSignalBlocker slider(m_slider);
    const QSignalBlocker box(m_position);
    m_slider->setValue(position);
    m_position->setValue(position);
  }
  QStringList sentences = {m_model.planText(), m_model.coverageText(), m_model.noteText()};
  sentences.removeAll(QString());
  m_text->setText(sentences.join(QStringLiteral(" · ")));
  if (!m_model.isPlaying()) refreshTable();
}

}  // namespace ropescope::ui
