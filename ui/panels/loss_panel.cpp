#include "ui/panels/loss_panel.h"

#include "ui/panels/panel_text.h"
#include "ui/panels/passage_list.h"
#include "ui/plots/position_plot.h"

namespace ropescope::ui {

LossPanel::LossPanel(LossViewModel& model, TextShading& shading, QWidget* parent)
    : PlotPanel(QStringLiteral("loss"), parent),
      m_model(model),
      m_shading(shading),
      m_measure(new QPushButton(tr("Measure"), this)),
      m_stop(new QPushButton(tr("Stop"), this)),
      m_status(wrappedLabel(this)),
      m_positions(new PositionPlot(this)),
      m_list(new PassageList(model.worst(), tr("Worst sentences"), this)) {
  m_measure->setToolTip(tr("Read the document once under the current method"));
  m_stop->setToolTip(tr("Stop measuring; the losses so far stay"));
  firstRow()->addWidget(m_measure);
  firstRow()->addWidget(m_stop);
  addRow()->addWidget(m_status, 1);
  setPlot(m_positions);
  static_cast<QVBoxLayout*>(layout())->addWidget(m_list, 1);
  connect(m_measure, &QPushButton::clicked, this, &LossPanel::measure);
  connect(m_stop, &QPushButton::clicked, &m_model, &LossViewModel::stop);
  connect(&m_model, &LossViewModel::changed, this, &LossPanel::showLosses);
  connect(m_list, &PassageList::picked, &m_shading, &TextShading::reveal);
  connectPointing();
  showLosses();
}

void LossPanel::measure() {
  m_shading.setMode(ShadeBy::Loss);
  m_model.start();
}

void LossPanel::connectPointing() {
  const auto characters = [this](qint64 position) {
    return charactersOf(m_model.offsets(), {position, position + 1});
  };
  connect(m_positions, &PositionPlot::pointed, this,
          [this, characters](qint64 position) { m_shading.mark(characters(position)); });
  connect(m_positions, &PositionPlot::picked, this,
          [this, characters](qint64 position) { m_shading.reveal(characters(position)); });
  connect(&m_shading, &TextShading::pointed, this, [this](int character) {
    m_positions->markPosition(pieceAt(m_model.offsets(), character));
  });
}

void LossPanel::showLosses() {
  m_measure->setEnabled(m_model.canStart());
  m_stop->setEnabled(m_model.isRunning());
  const bool empty = m_model.scored() == 0;
  m_status->setText(m_model.statusText());
  m_status->setVisible(!m_model.statusText().isEmpty());
  m_positions->setSeries({.values = empty ? std::vector<double>() : m_model.losses(),
                          .valueTitle = tr("loss [nats]"),
                          .caption = m_model.caption(),
                          .hint = empty ? tr("Nothing is measured yet.") : QString()});
  refreshTable();
}

}  // namespace ropescope::ui
