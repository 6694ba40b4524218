#include "ui/panels/contribution_panel.h"

#include <QSignalBlocker>

#include "ui/plots/contribution_plot.h"

namespace ropescope::ui {

ContributionPanel::ContributionPanel(LensParts parts, QWidget* parent)
    : PlotPanel(QStringLiteral("contributions"), parent),
      m_model(parts),
      m_controls(new TokenControls(m_model.pair(), this)),
      m_compare(new QComboBox(this)),
      m_text(new QLabel(this)) {
  m_controls->addTokens(firstRow());
  m_controls->addHead(addRow());
  m_compare->setToolTip(
      tr("Draw another method's bars as outlines: those of the session before, or "
         "these tokens' q and k rotated anew"));
  m_compare->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  QHBoxLayout* row = addRow();
  row->addWidget(labelFor(tr("&Compare with"), m_compare));
  row->addWidget(m_compare, 1);
  m_text->setWordWrap(true);
  m_text->setTextFormat(Qt::PlainText);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  addRow()->addWidget(m_text, 1);
  setPlot(new ContributionPlot(m_model, this));
  connect(m_compare, &QComboBox::activated, &m_model, &ContributionViewModel::setComparison);
  connect(&m_model, &ContributionViewModel::comparisonsChanged, this,
          &ContributionPanel::showComparisons);
  connect(&m_model, &ContributionViewModel::barsChanged, this, &ContributionPanel::showText);
  showComparisons();
  showText();
}

void ContributionPanel::showComparisons() {
  const QSignalBlocker blocker(m_compare);
  m_compare->clear();
  m_compare->addItems(m_model.comparisons());
  m_compare->setCurrentIndex(m_model.comparison());
}

void ContributionPanel::showText() {
  m_compare->setCurrentIndex(m_model.comparison());
  QStringList sentences = {m_model.sentence(), m_model.levelText()};
  sentences.removeAll(QString());
  m_text->setText(sentences.join(u' '));
  refreshTable();
}

void ContributionPanel::showExample() {
  m_model.pair().chooseExample();
  m_model.compareWithPlain();
}

bool ContributionPanel::isSettled() const {
  return m_model.pair().parts().app.position() == 0 ||
         (!m_model.bars().isEmpty() && !m_model.pair().isLoading());
}

void ContributionPanel::showEvent(QShowEvent* event) {
  PlotPanel::showEvent(event);
  m_model.pair().setActive(true);
}

void ContributionPanel::hideEvent(QHideEvent* event) {
  PlotPanel::hideEvent(event);
  m_model.pair().setActive(false);
}

}  // namespace ropescope::ui
