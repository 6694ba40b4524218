#include "ui/panels/score_panel.h"

#include "ui/plots/score_plot.h"

namespace ropescope::ui {

ScorePanel::ScorePanel(LensParts parts, QWidget* parent)
    : PlotPanel(QStringLiteral("score"), parent),
      m_model(parts),
      m_controls(new TokenControls(m_model.pair(), this)),
      m_contents(new QComboBox(this)),
      m_shown(new QComboBox(this)),
      m_text(new QLabel(this)) {
  buildControls();
  setPlot(new ScorePlot(m_model, this));
  connect(m_contents, &QComboBox::activated, &m_model,
          [this](int index) { m_model.setContents(static_cast<ScoreViewModel::Contents>(index)); });
  connect(m_shown, &QComboBox::activated, &m_model,
          [this](int index) { m_model.setShown(static_cast<ScoreViewModel::Lines>(index)); });
  connect(&m_model, &ScoreViewModel::linesChanged, this, [this] {
    m_text->setText(m_model.sentence());
    m_text->setVisible(!m_text->text().isEmpty());
    refreshTable();
  });
}

void ScorePanel::buildControls() {
  m_controls->addTokens(firstRow());
  m_controls->addHead(addRow());
  m_contents->addItems({tr("these two tokens"), tr("mean over the head")});
  m_contents->setToolTip(
      tr("Whose q and k are moved apart: those of the two tokens, or the mean "
         "over up to 1,024 tokens of this head"));
  m_shown->addItems({tr("in use, plain"), tr("all methods")});
  m_shown->setToolTip(tr("Which methods are drawn"));
  for (QComboBox* box : {m_contents, m_shown}) {
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  }
  QHBoxLayout* row = addRow();
  row->addWidget(labelFor(tr("&Contents"), m_contents));
  row->addWidget(m_contents, 3);
  row->addWidget(labelFor(tr("&Methods"), m_shown));
  row->addWidget(m_shown, 2);
  m_text->setWordWrap(true);
  m_text->setTextFormat(Qt::PlainText);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  m_text->hide();
  addRow()->addWidget(m_text, 1);
}

void ScorePanel::showExample() {
  m_model.pair().chooseExample();
}

bool ScorePanel::isSettled() const {
  return m_model.pair().parts().app.position() == 0 ||
         (!m_model.lines().empty() && !m_model.isLoading());
}

void ScorePanel::showEvent(QShowEvent* event) {
  PlotPanel::showEvent(event);
  m_model.setActive(true);
}

void ScorePanel::hideEvent(QHideEvent* event) {
  PlotPanel::hideEvent(event);
  m_model.setActive(false);
}

}  // namespace ropescope::ui
