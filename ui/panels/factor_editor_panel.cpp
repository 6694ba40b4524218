#include "ui/panels/factor_editor_panel.h"

#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QSignalBlocker>
#include <algorithm>

#include "core/base/file_io.h"
#include "ui/plots/factor_editor_plot.h"
#include "ui/text/error_text.h"
#include "ui/viewmodels/plan_comparison.h"
#include "ui/worker/slice_job.h"

namespace ropescope::ui {
namespace {

constexpr int kAskMs = 120;           // edits within it cost one patch
constexpr int kSliceTokens = 2048;    // at first
constexpr int kLeastSlice = 64;       // tokens
constexpr std::int64_t kIgnored = 4;  // first tokens, as in the attention map

QString viewKey() {
  return QStringLiteral("factor-editor");
}

}  // namespace

FactorEditorPanel::FactorEditorPanel(AppModel& app, EngineRunner& runner, ChatModel& chat,
                                     QWidget* parent)
    : PlotPanel(QStringLiteral("editor"), parent),
      m_app(app),
      m_runner(runner),
      m_rows(app, chat),
      m_preset(new QComboBox(this)),
      m_tool(new QComboBox(this)),
      m_attention(new QDoubleSpinBox(this)),
      m_slice(new QSpinBox(this)),
      m_sliceWanted(kSliceTokens),
      m_run(new QPushButton(this)),
      m_text(new QLabel(this)) {
  buildControls();
  auto* plot = new FactorEditorPlot(m_model, this);
  setPlot(plot);
  connect(plot, &FactorEditorPlot::dragBegan, &m_model, &FactorEditorModel::beginDrag);
  connect(plot, &FactorEditorPlot::dragged, &m_model, &FactorEditorModel::drag);
  connect(plot, &FactorEditorPlot::dragEnded, &m_model, &FactorEditorModel::endDrag);
  m_ask.setSingleShot(true);
  m_ask.setInterval(kAskMs);
  connect(&m_ask, &QTimer::timeout, this, &FactorEditorPanel::ask);
  connectModel();
  takePlan();
}

FactorEditorPanel::~FactorEditorPanel() {
  if (m_rerunning) m_runner.stop(Lane::Rerun);
}

void FactorEditorPanel::buildControls() {
  m_preset->setToolTip(tr("Begin with the factors of a method"));
  m_preset->setAccessibleName(tr("Preset"));
  m_preset->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_preset->setMinimumContentsLength(14);
  m_tool->addItems({tr("bars"), tr("spline")});
  m_tool->setToolTip(tr("Drag single pairs, or a smooth curve by a few handles"));
  m_tool->setAccessibleName(tr("Tool"));
  firstRow()->addWidget(m_preset, 1);
  QAction* undo = m_model.undoStack().createUndoAction(this, tr("Undo"));
  QAction* redo = m_model.undoStack().createRedoAction(this, tr("Redo"));
  undo->setShortcut(QKeySequence::Undo);
  redo->setShortcut(QKeySequence::Redo);
  for (const auto& [action, sign] : {std::pair{undo, tr("↶")}, {redo, tr("↷")}}) {
    action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    action->setIconText(sign);
    addAction(action);
    auto* button = new QToolButton(this);
    button->setDefaultAction(action);
    firstRow()->addWidget(button);
  }

  m_attention->setRange(0.1, 10.0);
  m_attention->setDecimals(4);
  m_attention->setSingleStep(0.01);
  m_attention->setToolTip(
      tr("Attention factor: on cos and sin of q and of k, so that scores grow by its square"));
  m_slice->setRange(kLeastSlice, kSliceTokens);
  m_slice->setGroupSeparatorShown(true);
  m_slice->setToolTip(tr("Tokens from the document's start that a real re-run reads, twice"));
  m_slice->setAccessibleName(tr("Slice"));
  m_slice->setObjectName(QStringLiteral("slice"));
  connect(m_slice, &QSpinBox::valueChanged, this, [this](int tokens) { m_sliceWanted = tokens; });
  QHBoxLayout* row = addRow();
  row->addWidget(m_tool);
  row->addWidget(labelFor(tr("&t"), m_attention));
  row->addWidget(m_attention);
  row->addWidget(labelFor(tr("&Slice"), m_slice));
  row->addWidget(m_slice);
  row->addWidget(m_run);
  row->addStretch(1);
  addUseMenu(row);
  m_text->setWordWrap(true);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  addRow()->addWidget(m_text, 1);
}

void FactorEditorPanel::addUseMenu(QHBoxLayout* row) {
  auto* use = new QToolButton(this);
  use->setText(tr("Use"));
  use->setToolTip(tr("Use the edited factors: in this session, or in a file"));
  use->setPopupMode(QToolButton::InstantPopup);
  auto* menu = new QMenu(use);
  menu->addAction(tr("Apply as the session's method"), this, &FactorEditorPanel::applyToSession);
  menu->addAction(tr("Back to the factors in use"), this, [this] { m_model.reset(); });
  menu->addSeparator();
  menu->addAction(tr("Copy as rope_parameters"), this,
                  [this] { QGuiApplication::clipboard()->setText(m_model.block()); });
  menu->addAction(tr("Save as rope_parameters (JSON) …"), this,
                  [this] { askAndSave(QStringLiteral("json")); });
  menu->addAction(tr("Save the factors alone (CSV) …"), this,
                  [this] { askAndSave(QStringLiteral("csv")); });
  use->setMenu(menu);
  row->addWidget(use);
}

void FactorEditorPanel::connectModel() {
  connect(m_preset, &QComboBox::activated, &m_model, &FactorEditorModel::usePreset);
  connect(m_tool, &QComboBox::activated, &m_model, [this](int index) {
    m_model.setTool(index == 0 ? FactorTool::Bars : FactorTool::Spline);
  });
  connect(&m_model, &FactorEditorModel::toolChanged, this,
          [this] { m_tool->setCurrentIndex(m_model.tool() == FactorTool::Bars ? 0 : 1); });
  connect(m_attention, QOverload<double>::of(&QDoubleSpinBox::valueChanged), &m_model,
          &FactorEditorModel::setAttentionFactor);
  connect(m_run, &QPushButton::clicked, this, [this] { m_rerunning ? stopRerun() : rerun(); });
  connect(&m_model, &FactorEditorModel::presetsChanged, this, &FactorEditorPanel::showPresets);
  connect(&m_model, &FactorEditorModel::draftChanged, this, &FactorEditorPanel::showDraft);
  connect(&m_model, &FactorEditorModel::patchChanged, this, &FactorEditorPanel::showText);
  connect(&m_model, &FactorEditorModel::rerunChanged, this, &FactorEditorPanel::showText);
  connect(&m_app, &AppModel::planChanged, this, &FactorEditorPanel::takePlan);
  connect(&m_app, &AppModel::modelChanged, this, &FactorEditorPanel::takePlan);
  connect(&m_app, &AppModel::documentChanged, this, &FactorEditorPanel::showSlice);
  connect(&m_rows, &AnswerRows::changed, this, &FactorEditorPanel::askSoon);
}

void FactorEditorPanel::takePlan() {
  m_runner.dropViews(viewKey());
  m_waiting = false;
  std::vector<rope::RotaryPlan> others;
  if (m_app.engine() && m_app.plan()) {
    others = comparePlans(*m_app.engine(), *m_app.plan(), m_app.slotChoices()).plans;
  }
  if (m_rerunning) stopRerun();  // it compares with a rotation that is no longer in use
  m_model.setPlan(m_app.plan(), others);
  showSlice();
}

void FactorEditorPanel::askSoon() {
  if (isVisible() && !m_ask.isActive()) m_ask.start();
}

void FactorEditorPanel::showEvent(QShowEvent* event) {
  PlotPanel::showEvent(event);
  askSoon();
}

void FactorEditorPanel::ask() {
  const AnswerRows::Rows rows = m_rows.rows();
  const auto edited = m_model.plan();
  if (!m_app.engine() || !edited) return;
  const ModelConfig& config = m_app.engine()->config();
  const HeadSet heads =
      HeadSet::meanOfAll(config.layers, config.heads).within(m_app.captureLayers());
  if (rows.queries.size() <= 0 || heads.isEmpty()) {
    m_model.setPatch(nullptr, tr("ask a question or read the document first"));
    return;
  }
  m_waiting = true;
  const auto read = static_cast<int>(heads.heads().size());
  const int all = config.layers * config.heads;
  const QString whichHeads = read == all ? tr("mean of %1 heads").arg(all)
                                         : tr("mean of %1 of %2 heads").arg(read).arg(all);
  DistanceMassRequest request{
      .queries = rows.queries, .heads = heads, .ignoredTokens = kIgnored, .plan = {}};
  m_runner.requestView<ScorePatch>(
      viewKey(), this,
      [request, plan = std::make_shared<const rope::RotaryPlan>(*edited), rows, whichHeads,
       serial = m_app.sessionSerial()](EngineRoom& room,
                                       const JobControl& job) mutable -> Result<ScorePatch> {
        const auto session = existingSession(room, serial);
        if (!session) return Error{ErrorCode::Cancelled, session.error().message};
        if (request.queries.end > (*session)->position()) {
          return Error{ErrorCode::Cancelled, "the session no longer holds these tokens"};
        }
        auto before = distanceMass(**session, request, job);
        if (!before) return before.error();
        request.plan = plan;
        auto after = distanceMass(**session, request, job);
        if (!after) return after.error();
        return ScorePatch{*std::move(before), *std::move(after), rows.whose,
                          rows.what + QStringLiteral(", ") + whichHeads};
      },
      [this, draft = m_model.draft()](const Result<ScorePatch>& patch) {
        m_waiting = false;
        if (!(draft == m_model.draft())) return;  // edited meanwhile: another request is on its way
        if (patch) {
          m_model.setPatch(std::make_shared<const ScorePatch>(*patch), {});
        } else if (patch.error().code != ErrorCode::Cancelled) {
          m_model.setPatch(nullptr, QString::fromStdString(patch.error().message));
        }
      });
}

void FactorEditorPanel::rerun() {
  if (!m_canRerun || m_rerunning) return;
  m_rerunning = true;
  m_model.setRerunStatus(tr("reading %1 tokens twice …").arg(m_slice->value()));
  showRerun();
  startSliceRerun(m_runner, this,
                  {.document = m_app.document(),
                   .tokens = m_slice->value(),
                   .before = m_model.choiceInUse(),
                   .after = m_model.choice()},
                  [this, draft = m_model.draft()](const Result<SliceRerun>& rerun) {
                    m_rerunning = false;
                    if (rerun) {
                      m_model.setRerun(*rerun, draft, m_app.calibration() != nullptr);
                    } else if (rerun.error().code == ErrorCode::Cancelled) {
                      m_model.setRerunStatus(tr("stopped"));
                    } else {
                      m_model.setRerunStatus(errorSentence(rerun.error()));
                    }
                    showRerun();
                  });
}

void FactorEditorPanel::stopRerun() {
  m_runner.stop(Lane::Rerun);
}

void FactorEditorPanel::applyToSession() {
  if (!m_model.hasPlan()) return;
  MethodSettings settings = m_app.method();
  settings.rope = m_model.choice();
  if (!settings.calibrationFile.empty()) {
    settings.calibrationFile.clear();
    Q_EMIT m_app.notice(tr("The calibration is left out: it was trained for another rotation."));
  }
  m_app.applyMethod(settings);
}

Status FactorEditorPanel::saveFactors(const QString& path) const {
  const bool json = QFileInfo(path).suffix().toLower() == QStringLiteral("json");
  return writeFileAtomically(path.toStdString(),
                             (json ? m_model.block() : m_model.column()).toStdString());
}

void FactorEditorPanel::askAndSave(const QString& ending) {
  const QString path = QFileDialog::getSaveFileName(
      this, tr("Save the factors"), QStringLiteral("factors.") + ending,
      tr("%1 files (*.%2)").arg(ending.toUpper(), ending));
  if (path.isEmpty()) return;
  const QString withEnding = QFileInfo(path).suffix().isEmpty() ? path + u'.' + ending : path;
  if (const Status saved = saveFactors(withEnding); !saved) {
    Q_EMIT errorOccurred(errorSentence(saved.error()));
  }
}

void FactorEditorPanel::showPresets() {
  m_preset->clear();
  for (const FactorPreset& preset : m_model.presets()) m_preset->addItem(preset.title);
  showDraft();
}

void FactorEditorPanel::showDraft() {
  const QSignalBlocker attention(m_attention);
  m_attention->setValue(m_model.draft().attentionFactor);
  m_attention->setEnabled(m_model.hasPlan());
  // The preset that the draft equals; none when it was drawn by hand.
  const auto& presets = m_model.presets();
  const auto same =
      std::find_if(presets.begin(), presets.end(),
                   [this](const FactorPreset& preset) { return preset.draft == m_model.draft(); });
  m_preset->setCurrentIndex(same == presets.end() ? -1 : static_cast<int>(same - presets.begin()));
  m_preset->setPlaceholderText(tr("by hand"));
  showText();
  refreshTable();
  askSoon();
}

void FactorEditorPanel::showText() {
  m_text->setText(
      QStringList{m_model.formulaText(), m_model.patchText(), m_model.rerunText()}.join(u'\n'));
}

// As much as there is of the document, within what is planned.
void FactorEditorPanel::showSlice() {
  const auto read = m_app.document() ? m_app.document()->plainIds.size() : 0U;
  const auto tokens =
      static_cast<int>(std::min(static_cast<std::int64_t>(read), m_app.plannedContext()));
  const QSignalBlocker blocker(m_slice);  // only the reader's own edits are wanted
  m_canRerun = tokens >= kLeastSlice;
  m_slice->setRange(kLeastSlice, std::max(kLeastSlice, tokens));
  m_slice->setValue(m_sliceWanted);
  showRerun();
}

void FactorEditorPanel::showRerun() {
  m_slice->setEnabled(m_canRerun && !m_rerunning);
  m_run->setEnabled(m_canRerun);
  m_run->setText(m_rerunning ? tr("Stop") : tr("Re-run"));
  m_run->setToolTip(
      tr("Read the slice under the factors in use and under the edited ones, without a "
         "calibration, and compare the perplexity"));
  showText();
}

void FactorEditorPanel::showExample() {
  constexpr int kOther = 2;  // a method that is neither in use nor plain RoPE
  m_model.usePreset(kOther);
  rerun();
}

}  // namespace ropescope::ui
