#include "ui/panels/perplexity_panel.h"

#include <QFormLayout>

#include <algorithm>

#include "core/tokenizer/tokenizer.h"
#include "ui/plots/perplexity_plot.h"
#include "ui/worker/perplexity_job.h"

namespace ropescope::ui {
namespace {

// The tooltip says what the field is for and holds the whole text, which may be wider than it.
void explain(QLineEdit* field, const QString& help) {
  field->setToolTip(help);
  QObject::connect(field, &QLineEdit::textChanged, field, [field, help](const QString& text) {
    field->setToolTip(QStringLiteral("<p>%1</p><p>%2</p>").arg(text.toHtmlEscaped(), help));
  });
}

}  // namespace

PerplexityPanel::PerplexityPanel(AppModel& app, EngineRunner& runner, QWidget* parent)
    : PlotPanel(QStringLiteral("perplexity"), parent),
      m_app(app),
      m_runner(runner),
      m_curves(new QLineEdit(this)),
      m_lengths(new QLineEdit(this)),
      m_measure(new QPushButton(tr("Measure"), this)),
      m_stop(new QPushButton(tr("Stop"), this)),
      m_status(new QLabel(this)) {
  buildControls();
  setPlot(new PerplexityPlot(m_model, this));
  m_model.setStarter(
      [this](const PerplexityOrder& order, const PerplexityViewModel::Sinks& sinks) {
        startPerplexity(m_runner, this, order, sinks);
      },
      [this] { m_runner.stop(Lane::Sweep); });
  connectControls();
  connectApp();
  takePlan();
  takeDocument();
  showInputs();
  showState();
}

void PerplexityPanel::buildControls() {
  explain(m_curves, tr("One curve per method, separated by semicolons; settings after a colon: "
                       "none;pi:factor=4;yarn:factor=4,beta_fast=16. Empty it for the default."));
  explain(m_lengths, tr("Context lengths in tokens. Empty it for the default."));
  m_measure->setToolTip(tr("Measure every curve on the open document"));
  m_stop->setToolTip(tr("Stop measuring; the points so far stay"));
  m_curves->setMinimumWidth(100);
  m_lengths->setMinimumWidth(80);
  firstRow()->addWidget(m_measure);
  firstRow()->addWidget(m_stop);
  auto* form = new QFormLayout;
  form->addRow(tr("&Curves"), m_curves);
  form->addRow(tr("L&engths"), m_lengths);
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  addRow()->addLayout(form, 1);
  m_status->setWordWrap(true);
  m_status->setTextInteractionFlags(Qt::TextSelectableByMouse);
  addRow()->addWidget(m_status, 1);
}

void PerplexityPanel::connectControls() {
  connect(m_curves, &QLineEdit::editingFinished, &m_model,
          [this] { m_model.editCurves(m_curves->text()); });
  connect(m_lengths, &QLineEdit::editingFinished, &m_model,
          [this] { m_model.editLengths(m_lengths->text()); });
  connect(m_measure, &QPushButton::clicked, &m_model, &PerplexityViewModel::start);
  connect(m_stop, &QPushButton::clicked, &m_model, &PerplexityViewModel::stop);
  connect(&m_model, &PerplexityViewModel::inputsChanged, this, &PerplexityPanel::showInputs);
  connect(&m_model, &PerplexityViewModel::stateChanged, this, &PerplexityPanel::showState);
  connect(&m_model, &PerplexityViewModel::curvesChanged, this, &PerplexityPanel::refreshTable);
}

void PerplexityPanel::connectApp() {
  connect(&m_app, &AppModel::documentChanged, this, &PerplexityPanel::takeDocument);
  connect(&m_app, &AppModel::planChanged, this, &PerplexityPanel::takePlan);
  connect(&m_app, &AppModel::modelChanged, this, [this] {
    m_model.stop();
    m_model.clearCurves();  // they belong to the other model
    takePlan();
  });
  connect(&m_runner, &EngineRunner::progressed, &m_model,
          [this](Lane lane, const Progress& progress) {
            if (lane == Lane::Sweep) m_model.setProgress(progress);
          });
}

void PerplexityPanel::takeDocument() {
  const auto document = m_app.document();
  if (!document) {
    m_model.setDocument({}, {});
    return;
  }
  m_model.setDocument(document->plainIds,
                      QString::fromStdString(document->document.path.filename().string()));
}

void PerplexityPanel::takePlan() {
  if (!m_app.engine()) return;
  const auto tokenizer = m_app.engine()->tokenizer();
  m_model.setModel(m_app.engine()->config().trainedLength, tokenizer && (*tokenizer)->addsBos());
  if (!m_app.plan()) return;
  // Plain RoPE has no factor: then the one that the planned context would need.
  const rope::RopeContext& context = m_app.plan()->context;
  const double needed = static_cast<double>(context.plannedLength) /
                        static_cast<double>(std::max<std::int64_t>(1, context.originalLength));
  m_model.setPlannedFactor(context.factor > 1.0 ? context.factor : std::max(1.0, needed));
}

void PerplexityPanel::showInputs() {
  m_curves->setText(m_model.curvesText());
  m_lengths->setText(m_model.lengthsText());
  m_lengths->setCursorPosition(0);
  m_curves->setCursorPosition(0);
}

void PerplexityPanel::showState() {
  m_measure->setEnabled(m_model.canStart());
  m_stop->setEnabled(m_model.state() == PerplexityViewModel::State::Running);
  m_status->setText(m_model.statusText());
  m_status->setVisible(!m_model.statusText().isEmpty());
  QFont font = m_status->font();
  font.setBold(m_model.hasFailed());
  m_status->setFont(font);
}

}  // namespace ropescope::ui
