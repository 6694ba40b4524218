#include "ui/panels/psc_panel.h"

#include <QSignalBlocker>
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "ui/plots/psc_plot.h"
#include "ui/text/error_text.h"

namespace ropescope::ui {
namespace {

// "PSC for PI × 4 (pi-4x-psc-seed0)"
QString fileTitle(const CalibrationFile& file) {
  const QString stem = QString::fromStdString(file.path.stem().string());
  if (!file.origin) return stem;
  const auto method = rope::findMethod(file.origin->method);
  return PscPanel::tr("PSC for %1 × %2 (%3)")
      .arg(QString::fromStdString(method ? method->info().title : file.origin->method))
      .arg(file.origin->factor)
      .arg(stem);
}

// Those trained for the planned context first, and of these the method in use.
void sortByFit(std::vector<CalibrationFile>& files, const AppModel& app) {
  const double wanted = static_cast<double>(app.plannedContext()) /
                        static_cast<double>(app.engine()->config().trainedLength);
  const std::string method = app.plan() ? app.plan()->method : std::string();
  const auto misfit = [&](const CalibrationFile& file) {
    if (!file.origin) return std::pair{std::numeric_limits<double>::infinity(), true};
    return std::pair{std::abs(std::log(file.origin->factor / wanted)),
                     file.origin->method != method};
  };
  std::stable_sort(files.begin(), files.end(),
                   [&](const auto& a, const auto& b) { return misfit(a) < misfit(b); });
}

}  // namespace

PscPanel::PscPanel(LensParts parts, QWidget* parent)
    : PlotPanel(QStringLiteral("psc"), parent),
      m_model(parts),
      m_controls(new TokenControls(m_model.pair(), this)),
      m_side(new QComboBox(this)),
      m_offer(new QWidget(this)),
      m_files(new QComboBox(m_offer)),
      m_strengthRow(new QWidget(this)),
      m_slider(new QSlider(Qt::Horizontal, m_strengthRow)),
      m_percent(new QLabel(m_strengthRow)),
      m_apply(new QPushButton(tr("Apply to session"), m_strengthRow)),
      m_text(new QLabel(this)) {
  m_controls->addTokens(firstRow());
  QHBoxLayout* row = addRow();
  m_side->addItems({tr("q"), tr("k")});
  m_side->setToolTip(
      tr("Gates of the query side, at the query token, or of the key side, at the key "
         "token"));
  row->addWidget(labelFor(tr("&Gates of"), m_side));
  row->addWidget(m_side);
  m_controls->addHead(row);
  addOffer();
  addSlider();
  m_text->setWordWrap(true);
  m_text->setTextFormat(Qt::PlainText);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  m_text->hide();
  addRow()->addWidget(m_text, 1);
  setPlot(new PscPlot(m_model, this));
  connect(m_side, &QComboBox::activated, &m_model,
          [this](int index) { m_model.setSide(index == 0 ? GateSide::Query : GateSide::Key); });
  connect(&m_model, &PscViewModel::sessionChanged, this, &PscPanel::showSession);
  connect(&m_model, &PscViewModel::changed, this, &PscPanel::showNumbers);
  connect(&parts.app, &AppModel::busyChanged, this, [this] {
    const AppModel& app = m_model.pair().parts().app;
    if (!m_wantsTokens || app.isAnswering() || app.position() == 0) return;
    m_wantsTokens = false;
    m_model.pair().chooseExample();
  });
  showSession();
  showNumbers();
}

void PscPanel::addOffer() {
  auto* row = new QHBoxLayout(m_offer);
  row->setContentsMargins(0, 0, 0, 0);
  m_files->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_files->setAccessibleName(tr("Bundled calibrations"));
  m_files->setToolTip(tr("Calibrations with phase modules that were trained for this model"));
  auto* use = new QPushButton(tr("Use it"), m_offer);
  use->setToolTip(
      tr("Take this calibration and the method that it was trained under: starts a new "
         "session, the document is read again"));
  row->addWidget(m_files, 1);
  row->addWidget(use);
  addRow()->addWidget(m_offer, 1);
  connect(use, &QPushButton::clicked, this, [this] {
    const auto index = static_cast<std::size_t>(std::max(0, m_files->currentIndex()));
    if (index < m_offered.size()) this->use(m_offered[index]);
  });
}

void PscPanel::addSlider() {
  auto* row = new QHBoxLayout(m_strengthRow);
  row->setContentsMargins(0, 0, 0, 0);
  m_slider->setRange(0, 100);
  m_slider->setPageStep(10);
  m_slider->setAccessibleName(tr("Strength in percent"));
  m_slider->setToolTip(
      tr("How much of the learned gate is applied: 0 % identity, 100 % as trained. "
         "Gates, score and weight of this layer follow at once."));
  m_percent->setMinimumWidth(m_percent->fontMetrics().horizontalAdvance(QStringLiteral("100 %")));
  m_percent->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  m_apply->setToolTip(
      tr("Use this strength in every layer: starts a new session, the document is "
         "read again"));
  row->addWidget(labelFor(tr("&Strength"), m_slider));
  row->addWidget(m_slider, 1);
  row->addWidget(m_percent);
  row->addWidget(m_apply);
  addRow()->addWidget(m_strengthRow, 1);
  connect(m_slider, &QSlider::valueChanged, &m_model,
          [this](int percent) { m_model.setStrength(percent / 100.0); });
  connect(m_apply, &QPushButton::clicked, &m_model, &PscViewModel::applyStrength);
}

// Another session: with gates, or with an offer of files that have some.
void PscPanel::showSession() {
  const AppModel& app = m_model.pair().parts().app;
  m_offered.clear();
  m_files->clear();
  if (!m_model.hasGates() && app.engine()) {
    for (const CalibrationFile& file : listCalibrations(app.calibrationsFolder()).files) {
      const bool isOurs = file.origin && file.origin->modelHash == app.engine()->modelHash();
      if (!file.hasPhase || !isOurs) continue;
      m_offered.push_back(file);
    }
    sortByFit(m_offered, app);
    for (const CalibrationFile& file : m_offered) m_files->addItem(fileTitle(file));
  }
  m_offer->setVisible(!m_offered.empty());
  m_strengthRow->setVisible(m_model.hasGates());
  if (m_wantsReading && m_model.hasGates()) {
    m_wantsReading = false;
    m_model.pair().parts().app.readDocument();
  }
}

void PscPanel::use(const CalibrationFile& file) {
  AppModel& app = m_model.pair().parts().app;
  MethodSettings settings = app.method();
  settings.calibrationFile = file.path;
  settings.pscStrength = 1.0;
  auto trained = trainedChoice(file);
  if (!trained) {
    Q_EMIT errorOccurred(errorSentence(trained.error()));
    return;
  }
  settings.rope = *std::move(trained);
  app.applyMethod(settings);
}

void PscPanel::showNumbers() {
  const int percent = static_cast<int>(std::lround(m_model.strength() * 100.0));
  {
    const QSignalBlocker blocker(m_slider);
    m_slider->setValue(percent);
  }
  m_percent->setText(tr("%1 %").arg(percent));
  m_apply->setEnabled(m_model.strength() != m_model.strengthInUse());
  QStringList sentences = {m_model.sentence(), m_model.effectText()};
  sentences.removeAll(QString());
  m_text->setText(sentences.join(u' '));
  m_text->setVisible(!m_text->text().isEmpty());
  refreshTable();
}

// Takes the first bundled calibration, reads the document with it and looks at two tokens.
void PscPanel::showExample() {
  if (!m_model.hasGates() && !m_offered.empty()) {
    m_wantsReading = true;
    m_wantsTokens = true;
    use(m_offered.front());
    return;
  }
  m_model.pair().chooseExample();
}

bool PscPanel::isSettled() const {
  if (m_wantsReading || m_wantsTokens || m_model.pair().parts().app.isAnswering()) return false;
  return !m_model.hasGates() || (m_model.spread() != nullptr && !m_model.isLoading());
}

void PscPanel::showEvent(QShowEvent* event) {
  PlotPanel::showEvent(event);
  m_model.setActive(true);
}

void PscPanel::hideEvent(QHideEvent* event) {
  PlotPanel::hideEvent(event);
  m_model.setActive(false);
}

}  // namespace ropescope::ui
