#include "ui/panels/angle_panel.h"

#include "ui/panels/position_bar.h"
#include "ui/plots/angle_plot.h"
#include "ui/viewmodels/plan_comparison.h"

namespace ropescope::ui {
AnglePanel::AnglePanel(AppModel& app, QWidget* parent)
    : PlotPanel(QStringLiteral("angles"), parent),
      m_app(app),
      m_quantity(new QComboBox(this)),
      m_compare(new QCheckBox(tr("All methods"), this)),
      m_text(new QLabel(this)) {
  buildControls();
  setPlot(new AnglePlot(m_model, this));
  connect(&m_app, &AppModel::flipped, &m_model, &AngleViewModel::prepareFlip);
  connect(m_quantity, &QComboBox::currentIndexChanged, &m_model, [this] {
    m_model.setQuantity(static_cast<PairQuantity>(m_quantity->currentData().toInt()));
  });
  connect(m_compare, &QCheckBox::toggled, &m_model, &AngleViewModel::setComparing);
  connect(&m_model, &AngleViewModel::positionChanged, this, &AnglePanel::showText);
  connect(&m_model, &AngleViewModel::curvesChanged, this, &AnglePanel::showText);
  connect(&m_model, &AngleViewModel::playingChanged, this, &AnglePanel::refreshTable);
  connect(&m_app, &AppModel::planChanged, this, &AnglePanel::takePlan);
  connect(&m_app, &AppModel::modelChanged, this, &AnglePanel::takePlan);
  takePlan();
}

void AnglePanel::buildControls() {
  for (const auto& [text, quantity] : {std::pair{tr("all"), PairQuantity::All},
                                       {tr("scale"), PairQuantity::Scale},
                                       {tr("frequency"), PairQuantity::Frequency},
                                       {tr("wavelength"), PairQuantity::Wavelength},
                                       {tr("turns"), PairQuantity::Turns},
                                       {tr("angle"), PairQuantity::Angle}}) {
    m_quantity->addItem(text, static_cast<int>(quantity));
  }
  m_quantity->setToolTip(
      tr("What is drawn of every pair. The scale is the one picture in which every method "
         "compares."));
  m_compare->setToolTip(tr("Lay the other methods under the same factor over the curves"));
  firstRow()->addWidget(labelFor(tr("&Show"), m_quantity));
  firstRow()->addWidget(m_quantity);
  firstRow()->addWidget(m_compare);
  addRow()->addWidget(new PositionBar(m_model, this), 1);
  m_text->setWordWrap(true);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  addRow()->addWidget(m_text, 1);
}

void AnglePanel::takePlan() {
  const auto plan = m_app.plan();
  if (m_app.engine() && plan) {
    PlanComparison all = comparePlans(*m_app.engine(), *plan, m_app.slotChoices());
    m_model.setComparison(std::move(all.plans), all.leftOut);
    m_text->setToolTip(all.reasons);
  }
  m_model.setPlan(plan);
}

void AnglePanel::showText() {
  QStringList sentences = {m_model.planText(), m_model.coverageText(), m_model.noteText()};
  sentences.removeAll(QString());
  m_text->setText(sentences.join(QStringLiteral(" · ")));
  if (!m_model.isPlaying()) refreshTable();
}

}  // namespace ropescope::ui
