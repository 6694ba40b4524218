#include "ui/panels/needle_panel.h"

#include <QComboBox>
#include <QDialog>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStandardPaths>
#include <QVBoxLayout>
#include <algorithm>
#include <system_error>
#include <utility>

#include "ui/panels/needle_setup.h"
#include "ui/plots/needle_plot.h"
#include "ui/text/error_text.h"

namespace ropescope::ui {
namespace {

constexpr QSize kSetupSize(660, 520);  // pixels

}  // namespace

std::filesystem::path needleFolder() {
  const QString data = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
  return std::filesystem::path(data.toStdString()) / "needles";
}

NeedlePanel::NeedlePanel(AppModel& app, ChatModel& chat, EngineRunner& runner,
                         const NeedleFolders& folders, QWidget* parent)
    : PlotPanel(QStringLiteral("needles"), parent),
      m_app(app),
      m_chat(chat),
      m_runner(runner),
      m_model(folders.results,
              folders.resources.empty() ? folders.resources : folders.resources / "calibrations"),
      m_needlePlot(new NeedlePlot(m_model, this)),
      m_setup(new NeedleSetup(m_model)),
      m_measure(new QPushButton(tr("Measure"), this)),
      m_stop(new QPushButton(tr("Stop"), this)),
      m_setupButton(new QPushButton(tr("Set up …"), this)),
      m_back(new QPushButton(tr("Back to the document"), this)),
      m_settings(new QComboBox(this)),
      m_status(new QLabel(this)) {
  buildControls();
  setPlot(m_needlePlot);
  m_model.setWork(
      {.start = [this](const NeedleOrder& order,
                       const NeedleSinks& sinks) { startNeedles(m_runner, this, order, sinks); },
       .stop = [this] { m_runner.stop(Lane::Needles); },
       .load =
           [this](const NeedleOrder& order,
                  std::function<void(const std::vector<NeedleCell>&)> deliver) {
             loadNeedles(m_runner, this, order, std::move(deliver));
           }});
  connectControls();
  connectApp();
  takeModel();
  takePlan();
  takeDocument();
  showSettings();
  showState();
}

void NeedlePanel::buildControls() {
  m_measure->setToolTip(tr("Measure every cell that is not known yet"));
  m_stop->setToolTip(tr("Stop; finished cells are kept, and Measure goes on behind them"));
  m_setupButton->setToolTip(tr("Choose what is hidden, settings, lengths and depths"));
  m_settings->setAccessibleName(tr("Setting shown"));
  m_settings->setToolTip(tr("All settings below each other, or one alone"));
  m_settings->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_settings->setMinimumContentsLength(14);
  firstRow()->addWidget(m_measure);
  firstRow()->addWidget(m_stop);
  firstRow()->addWidget(m_setupButton);
  m_back->setObjectName(QStringLiteral("needleBack"));
  m_back->setToolTip(
      tr("Document, method, context length and answer room as before the first cell was opened"));
  auto* row = addRow();
  row->addWidget(m_settings);
  m_status->setWordWrap(true);
  m_status->setTextInteractionFlags(Qt::TextSelectableByMouse);
  row->addWidget(m_status, 1);
  auto* backRow = addRow();  // takes no room while there is nothing to go back to
  backRow->addWidget(m_back);
  backRow->addStretch(1);
  auto* dialog = new QDialog(this);  // not modal: cells fill beside it
  dialog->setObjectName(QStringLiteral("needleSetup"));
  dialog->setWindowTitle(tr("Needles: set up"));
  dialog->resize(kSetupSize);
  auto* layout = new QVBoxLayout(dialog);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_setup);
}

void NeedlePanel::connectControls() {
  connect(m_measure, &QPushButton::clicked, &m_model, &NeedleViewModel::start);
  connect(m_stop, &QPushButton::clicked, &m_model, &NeedleViewModel::stop);
  connect(m_setupButton, &QPushButton::clicked, this, [this] {
    m_setup->window()->show();
    m_setup->window()->raise();
    m_setup->window()->activateWindow();
  });
  connect(m_back, &QPushButton::clicked, this, &NeedlePanel::backToDocument);
  connect(m_settings, &QComboBox::activated, this,
          [this](int row) { m_needlePlot->showOnly(row - 1); });
  connect(m_needlePlot, &NeedlePlot::cellChosen, this, &NeedlePanel::openCell);
  connect(&m_model, &NeedleViewModel::stateChanged, this, &NeedlePanel::showState);
  connect(&m_model, &NeedleViewModel::gridsChanged, this, &NeedlePanel::showSettings);
  connect(&m_model, &NeedleViewModel::gridsChanged, this, &NeedlePanel::refreshTable);
  connect(&m_model, &NeedleViewModel::cellsChanged, this, &NeedlePanel::refreshTable);
}

void NeedlePanel::connectApp() {
  connect(&m_app, &AppModel::documentChanged, this, &NeedlePanel::takeDocument);
  connect(&m_app, &AppModel::documentChanged, this, [this] {
    // Behind the session that the document is about to get.
    QMetaObject::invokeMethod(this, &NeedlePanel::leavePrompt, Qt::QueuedConnection);
  });
  connect(&m_chat, &ChatModel::turnFinished, this, [this](int row) {
    const ChatTurn& turn = m_chat.turns()[static_cast<std::size_t>(row)];
    if (turn.id != m_asked || turn.state != ChatTurn::State::Finished) return;
    const auto question = static_cast<qint64>(turn.questionIds.size());
    if (showsPrompt()) Q_EMIT needleRead(turn.partTokens + question - 1, m_keyToken);
  });
  connect(&m_app, &AppModel::planChanged, this, &NeedlePanel::takePlan);
  connect(&m_app, &AppModel::planChanged, this, &NeedlePanel::askWhenPlanned);
  connect(&m_app, &AppModel::modelChanged, this, [this] {
    m_model.stop();
    m_waiting.reset();
    leaveModel();
    takeModel();
    takePlan();
    showState();
  });
  connect(&m_runner, &EngineRunner::progressed, &m_model,
          [this](Lane lane, const Progress& progress) {
            if (lane == Lane::Needles) m_model.setProgress(progress);
          });
}

void NeedlePanel::takeDocument() {
  if (showsPrompt()) return;
  m_model.setDocument(m_app.document());
}

void NeedlePanel::takeModel() {
  if (!m_app.engine()) return;
  m_model.setModel({.trainedLength = m_app.engine()->config().trainedLength,
                    .hash = m_app.engine()->modelHash(),
                    .ownFormat = m_app.engine()->promptFormat().fromModel});
}

void NeedlePanel::takePlan() {
  if (!m_app.plan() || showsPrompt()) return;  // the plan of one prompt is no wish for all
  const rope::RopeContext& context = m_app.plan()->context;
  const double needed = static_cast<double>(context.plannedLength) /
                        static_cast<double>(std::max<std::int64_t>(1, context.originalLength));
  m_model.setPlannedFactor(context.factor > 1.0 ? context.factor : std::max(1.0, needed));
}

void NeedlePanel::showSettings() {
  const QSignalBlocker quiet(m_settings);
  const int before = m_settings->currentIndex();
  m_settings->clear();
  m_settings->addItem(tr("All settings"));
  for (const auto& grid : m_model.grids()) m_settings->addItem(grid->title());
  const bool stays = before > 0 && before < m_settings->count();
  m_settings->setCurrentIndex(stays ? before : 0);
  m_needlePlot->showOnly(stays ? before - 1 : -1);
  showState();
}

void NeedlePanel::showState() {
  m_measure->setEnabled(m_model.canStart());
  m_stop->setEnabled(m_model.state() == NeedleViewModel::State::Running);
  m_back->setVisible(m_before.has_value());
  m_status->setText(m_model.statusText());
  m_status->setToolTip(m_model.statusText());
  QFont font = m_status->font();
  font.setBold(m_model.hasFailed());
  m_status->setFont(font);
}

void NeedlePanel::showExample() {
  NeedlePlan plan = m_model.plan();
  plan.trials = 1;
  m_model.editPlan(plan);
  m_model.editDepths(QStringLiteral("0, 50, 100"));
  m_model.start();
}

void NeedlePanel::openCell(int grid, int row, int column) {
  const auto order = m_model.order();
  if (!order) return Q_EMIT errorOccurred(errorSentence(order.error()));
  const NeedleGridModel& cells = *m_model.grids()[static_cast<std::size_t>(grid)];
  NeedleSpot spot{.index = static_cast<std::size_t>(grid),
                  .length = cells.lengths()[static_cast<std::size_t>(column)],
                  .depth = cells.depths()[static_cast<std::size_t>(row)]};
  if (const RetrievalCell* cell = cells.cell(row, column)) {
    const auto missed =
        std::find_if(cell->answers.begin(), cell->answers.end(),
                     [](const RetrievalAnswer& each) { return !each.judgement.found; });
    if (missed != cell->answers.end()) spot.trial = missed - cell->answers.begin();
  }
  openNeedle(m_runner, this, *order, spot, [this](const Result<OpenedNeedle>& opened) {
    if (!opened) return Q_EMIT errorOccurred(errorSentence(opened.error()));
    adoptPrompt(*opened);
  });
}

// Document, then answer room, then plan; the question follows when the plan is in use, because a
// calibration is loaded first.
void NeedlePanel::adoptPrompt(const OpenedNeedle& needle) {
  m_waiting.reset();
  if (!m_before) {
    m_before = Before{.document = m_app.document(),
                      .method = m_app.method(),
                      .answerTokens = m_app.answerTokens()};
  }
  m_before->needleContext = needle.settings.contextTokens;
  m_before->needleAnswer = needle.answerTokens;
  m_promptDocument = needle.document;
  showState();
  m_app.openPrompt(needle.document);
  m_app.setAnswerTokens(needle.answerTokens);
  m_waiting = std::make_unique<OpenedNeedle>(needle);
  if (m_app.method() == needle.settings) return askWhenPlanned();
  m_app.applyMethod(needle.settings);
}

void NeedlePanel::askWhenPlanned() {
  if (!m_waiting || m_app.document() != m_promptDocument ||
      !(m_app.method() == m_waiting->settings)) {
    return;
  }
  const auto needle = std::move(m_waiting);
  m_keyToken = needle->keyToken;
  m_asked = m_chat.askPrepared(needle->question, needle->questionIds,
                               tr("wanted: %1").arg(needle->expected));
}

void NeedlePanel::backToDocument() {
  if (!m_before) return;
  const Before before = *std::exchange(m_before, std::nullopt);
  m_waiting.reset();
  m_app.setAnswerTokens(before.answerTokens);
  m_app.applyMethod(before.method);  // first: the grids never see the cell's plan
  if (before.document) m_app.openPrompt(before.document);
  showState();
}

// The numbers that a cell fixed would refuse a longer text. What was chosen since then stays.
void NeedlePanel::leavePrompt() {
  if (!m_before || showsPrompt()) return;
  const Before before = *std::exchange(m_before, std::nullopt);
  const bool onItsWay = m_waiting != nullptr;  // the cell's method, behind its calibration
  m_waiting.reset();
  if (m_app.answerTokens() == before.needleAnswer) m_app.setAnswerTokens(before.answerTokens);
  MethodSettings settings = m_app.method();
  const bool fixed = settings.contextTokens == before.needleContext;
  if (fixed) settings.contextTokens = before.method.contextTokens;
  if (fixed || onItsWay) m_app.applyMethod(settings);
  showState();
}

// Another model reads its own tokens: the text before comes back from its file instead of the
// prompt.
void NeedlePanel::leaveModel() {
  if (!m_before) return;
  const Before before = *std::exchange(m_before, std::nullopt);
  const auto restore = [this, before] {  // once the model has its first session
    if (m_app.answerTokens() == before.needleAnswer) m_app.setAnswerTokens(before.answerTokens);
  };
  QMetaObject::invokeMethod(this, restore, Qt::QueuedConnection);
  std::error_code ignored;
  if (before.document && std::filesystem::exists(before.document->document.path, ignored)) {
    m_app.openDocument(before.document->document.path);
  }
  showState();
}

}  // namespace ropescope::ui
