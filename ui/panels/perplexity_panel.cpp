#include "ui/panels/perplexity_panel.h"

#include <QDialog>
#include <QFileDialog>
#include <QMenu>
#include <QVBoxLayout>
#include <algorithm>

#include "core/base/file_io.h"
#include "core/document/document.h"
#include "core/tokenizer/tokenizer.h"
#include "ui/panels/perplexity_setup.h"
#include "ui/plots/perplexity_plot.h"
#include "ui/text/error_text.h"
#include "ui/worker/perplexity_job.h"

namespace ropescope::ui {
namespace {

constexpr QSize kSetupSize(660, 480);  // pixels

// Runs on the engine thread. Without BOS, which the measurement adds itself.
Result<MeasuredDocument> readMeasured(const EngineRoom& room, const QString& path) {
  if (!room.engine) return Error{ErrorCode::InvalidArgument, "no model is loaded"};
  const auto tokenizer = room.engine->tokenizer();
  if (!tokenizer) return tokenizer.error();
  const auto document = readDocument(path.toStdString());
  if (!document) return document.error();
  return MeasuredDocument{.name = QString::fromStdString(document->path.filename().string()),
                          .path = path,
                          .ids = (*tokenizer)->encode(document->text).ids};
}

}  // namespace

PerplexityPanel::PerplexityPanel(AppModel& app, EngineRunner& runner,
                                 std::filesystem::path resources, QWidget* parent)
    : PlotPanel(QStringLiteral("perplexity"), parent),
      m_app(app),
      m_runner(runner),
      m_model(resources.empty() ? resources : resources / "calibrations"),
      m_curvePlot(new PerplexityPlot(m_model, this)),
      m_setup(new PerplexitySetup(m_model, resources / "published")),
      m_measure(new QPushButton(tr("Measure"), this)),
      m_stop(new QPushButton(tr("Stop"), this)),
      m_setupButton(new QPushButton(tr("Set up …"), this)),
      m_status(new QLabel(this)) {
  buildControls();
  setPlot(m_curvePlot);
  m_model.setStarter(
      [this](const PerplexityOrder& order, const PerplexityViewModel::Sinks& sinks) {
        startPerplexity(m_runner, this, order, sinks);
      },
      [this] { m_runner.stop(Lane::Sweep); });
  connectControls();
  connectApp();
  takeModel();
  takePlan();
  takeDocument();
  showState();
}

void PerplexityPanel::buildControls() {
  m_measure->setToolTip(tr("Measure every curve"));
  m_stop->setToolTip(tr("Stop measuring; the points so far stay"));
  m_setupButton->setToolTip(
      tr("Choose curves, documents, lengths and protocol, and published "
         "curves to compare with"));
  firstRow()->addWidget(m_measure);
  firstRow()->addWidget(m_stop);
  firstRow()->addWidget(m_setupButton);
  m_status->setWordWrap(true);
  m_status->setTextInteractionFlags(Qt::TextSelectableByMouse);
  addRow()->addWidget(m_status, 1);
  auto* dialog = new QDialog(this);  // not modal: curves grow beside it
  dialog->setObjectName(QStringLiteral("perplexitySetup"));
  dialog->setWindowTitle(tr("Perplexity: set up"));
  dialog->resize(kSetupSize);
  auto* layout = new QVBoxLayout(dialog);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_setup);
}

void PerplexityPanel::connectControls() {
  connect(m_measure, &QPushButton::clicked, &m_model, &PerplexityViewModel::start);
  connect(m_stop, &QPushButton::clicked, &m_model, &PerplexityViewModel::stop);
  connect(m_setupButton, &QPushButton::clicked, this, &PerplexityPanel::showSetup);
  connect(&m_model, &PerplexityViewModel::stateChanged, this, &PerplexityPanel::showState);
  connect(&m_model, &PerplexityViewModel::inputsChanged, this, &PerplexityPanel::showState);
  connect(&m_model, &PerplexityViewModel::curvesChanged, this, &PerplexityPanel::refreshTable);
  connect(m_curvePlot, &PerplexityPlot::positionHovered, this, &PerplexityPanel::positionHovered);
  connect(m_setup, &PerplexitySetup::booksWanted, this, &PerplexityPanel::addBooks);
  connect(m_setup, &PerplexitySetup::errorOccurred, this, &PerplexityPanel::errorOccurred);
  exportMenu()->addSeparator();
  exportMenu()->addAction(tr("Save as wide CSV (YaRN's) …"), this, &PerplexityPanel::askWideCsv);
}

void PerplexityPanel::connectApp() {
  connect(&m_app, &AppModel::documentChanged, this, &PerplexityPanel::takeDocument);
  connect(&m_app, &AppModel::planChanged, this, &PerplexityPanel::takePlan);
  connect(&m_app, &AppModel::modelChanged, this, [this] {
    m_model.stop();
    m_model.clearCurves();  // they belong to the other model
    takeModel();
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

// Another model reads the books in its own tokens.
void PerplexityPanel::takeModel() {
  if (!m_app.engine()) return;
  const auto tokenizer = m_app.engine()->tokenizer();
  m_model.setModel(m_app.engine()->config().trainedLength, tokenizer && (*tokenizer)->addsBos(),
                   m_app.engine()->modelHash());
  QStringList paths;
  for (const MeasuredDocument& book : m_model.inputs().books()) paths << book.path;
  m_model.inputs().clearBooks();
  addBooks(paths);
}

void PerplexityPanel::takePlan() {
  if (!m_app.plan()) return;
  // Plain RoPE has no factor: then the one that the planned context would need.
  const rope::RopeContext& context = m_app.plan()->context;
  const double needed = static_cast<double>(context.plannedLength) /
                        static_cast<double>(std::max<std::int64_t>(1, context.originalLength));
  m_model.setPlannedFactor(context.factor > 1.0 ? context.factor : std::max(1.0, needed));
}

void PerplexityPanel::addBooks(const QStringList& paths) {
  for (const QString& path : paths) readBook(path);
}

// As a view: between the steps of a measurement, which may take long.
void PerplexityPanel::readBook(const QString& path) {
  m_runner.requestView<MeasuredDocument>(
      QStringLiteral("perplexity/book/") + path, this,
      [path](EngineRoom& room, const JobControl&) { return readMeasured(room, path); },
      [this](const Result<MeasuredDocument>& book) {
        if (book) return m_model.inputs().addBook(*book);
        Q_EMIT errorOccurred(errorSentence(book.error()));
      });
}

Status PerplexityPanel::exportWideCsv(const QString& path) {
  return writeFileAtomically(path.toStdString(), m_model.wideCsvText().toStdString());
}

void PerplexityPanel::askWideCsv() {
  const QString path = QFileDialog::getSaveFileName(
      this, tr("Save the curves"), QStringLiteral("perplexity-wide.csv"), tr("CSV files (*.csv)"));
  if (path.isEmpty()) return;
  if (const Status written = exportWideCsv(path); !written) {
    Q_EMIT errorOccurred(errorSentence(written.error()));
  }
}

void PerplexityPanel::showSetup() {
  m_setup->window()->show();
  m_setup->window()->raise();
  m_setup->window()->activateWindow();
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
