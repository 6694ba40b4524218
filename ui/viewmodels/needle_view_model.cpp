#include "ui/viewmodels/needle_view_model.h"

#include <QLocale>
#include <QPointer>
#include <QRegularExpression>
#include <algorithm>

#include "core/eval/proportion.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/perplexity_inputs.h"

namespace ropescope::ui {
namespace {

const QString kDefaultDepths = QStringLiteral("0, 25, 50, 75, 100");
constexpr std::int64_t kOwnFillerTimes = 4;  // trained lengths, when no document is the limit

}  // namespace

std::vector<std::int64_t> defaultNeedleLengths(std::int64_t trained, std::int64_t most) {
  std::vector<std::int64_t> lengths;
  for (std::int64_t length = std::max<std::int64_t>(2, trained / 2); length <= most; length *= 2) {
    lengths.push_back(length);
  }
  return lengths;
}

Result<std::vector<double>> parseDepths(const QString& text) {
  static const QRegularExpression kSeparator(QStringLiteral("[,;\\s%]+"));
  std::vector<double> depths;
  for (const QString& word : text.split(kSeparator, Qt::SkipEmptyParts)) {
    bool isNumber = false;
    const double percent = word.toDouble(&isNumber);
    if (!isNumber) {
      return Error{ErrorCode::InvalidArgument,
                   "depths: '" + word.toStdString() +
                       "' is no number; write percent of the text, for example 0, 50, 100"};
    }
    depths.push_back(percent / 100.0);
  }
  std::sort(depths.begin(), depths.end());
  depths.erase(std::unique(depths.begin(), depths.end()), depths.end());
  return depths;
}

NeedleViewModel::NeedleViewModel(std::filesystem::path folder, std::filesystem::path calibrations,
                                 QObject* parent)
    : QObject(parent),
      m_folder(std::move(folder)),
      m_curves(std::move(calibrations)),
      m_depthsText(kDefaultDepths) {
  connect(&m_curves, &CurveListModel::edited, this, [this] {
    m_curvesEdited = true;
    rebuild();
  });
  connect(&m_curves, &CurveListModel::defaultWanted, this, [this] {
    m_curvesEdited = false;
    setDefaults();
  });
  m_plan.trials = 2;
  setDefaults();
}

void NeedleViewModel::setDocument(std::shared_ptr<const OpenDocument> document) {
  if (document == m_document) return;  // back from a prompt: a measurement goes on
  m_document = std::move(document);
  setDefaults();
}

void NeedleViewModel::setModel(const ModelFacts& model) {
  m_hasModel = true;
  m_trainedLength = model.trainedLength;
  m_curves.setModel(model.hash, m_factor);
  if (!m_planEdited)
    m_plan.recipe = model.ownFormat ? PasskeyRecipe::Bookworm : PasskeyRecipe::Yarn;
  setDefaults();
}

void NeedleViewModel::setPlannedFactor(double factor) {
  if (factor == m_factor) return;
  m_factor = factor;
  m_curves.setFactor(factor);
  if (!m_curvesEdited) setDefaults();
}

void NeedleViewModel::editPlan(const NeedlePlan& plan) {
  if (plan == m_plan) return;
  m_planEdited = true;
  m_plan = plan;
  setDefaults();
}

void NeedleViewModel::editLengths(const QString& text) {
  if (text == m_lengthsText) return;
  m_lengthsEdited = !text.trimmed().isEmpty();
  m_lengthsText = text;
  setDefaults();
}

void NeedleViewModel::editDepths(const QString& text) {
  if (text == m_depthsText) return;
  m_depthsText = text.trimmed().isEmpty() ? kDefaultDepths : text;
  rebuild();
}

void NeedleViewModel::setDefaults() {
  if (!m_curvesEdited) m_curves.setText(defaultCurves(m_factor));
  if (!m_lengthsEdited) {
    const std::int64_t text =
        m_document ? static_cast<std::int64_t>(m_document->plainIds.size()) : std::int64_t{0};
    const std::int64_t most = needsDocument(m_plan) ? text : kOwnFillerTimes * m_trainedLength;
    QStringList words;
    for (const std::int64_t length : defaultNeedleLengths(m_trainedLength, most)) {
      words << QString::number(length);
    }
    m_lengthsText = words.join(QStringLiteral(", "));
  }
  rebuild();
}

Result<NeedleOrder> NeedleViewModel::order() const {
  NeedleOrder order{.plan = m_plan, .methods = {}, .document = m_document, .folder = m_folder};
  auto lengths = parseLengths(m_lengthsText);
  if (!lengths) return lengths.error();
  auto depths = parseDepths(m_depthsText);
  if (!depths) return depths.error();
  order.plan.lengths = *std::move(lengths);
  order.plan.depths = *std::move(depths);
  if (needsDocument(order.plan) && !m_document) {
    return Error{ErrorCode::InvalidArgument,
                 tr("No document is open; open a text file first: the needle is hidden in it.")
                     .toStdString()};
  }
  if (Status valid = validate(order.plan); !valid) return valid.error();
  for (int row = 0; row < m_curves.rowCount(); ++row) {
    const std::string text =
        m_curves.data(m_curves.index(row), CurveListModel::TextRole).toString().toStdString();
    if (!m_curves.problem(row).isEmpty()) {
      return Error{ErrorCode::InvalidArgument, m_curves.problem(row).toStdString()};
    }
    if (std::find(order.methods.begin(), order.methods.end(), text) != order.methods.end()) {
      return Error{ErrorCode::InvalidArgument,
                   "'" + text + "' stands twice in the list; remove one of them"};
    }
    order.methods.push_back(text);
  }
  if (order.methods.empty()) {
    return Error{ErrorCode::InvalidArgument,
                 tr("No setting is in the list; add one under Set up.").toStdString()};
  }
  return order;
}

// Empty grids for what is asked now, then the cells that the disk knows.
void NeedleViewModel::rebuild() {
  ++m_generation;
  m_grids.clear();
  const auto wanted = order();
  for (int row = 0; row < m_curves.rowCount(); ++row) {
    m_grids.push_back(std::make_unique<NeedleGridModel>(m_curves.title(row)));
    if (wanted) m_grids.back()->setAxes(wanted->plan.lengths, wanted->plan.depths);
  }
  Q_EMIT inputsChanged();
  Q_EMIT gridsChanged();
  loadKnown();
}

void NeedleViewModel::loadKnown() {
  const auto wanted = order();
  if (!wanted || !m_hasModel || !m_work.load) return;
  const quint64 generation = m_generation;
  const QPointer<NeedleViewModel> alive(this);
  m_work.load(*wanted, [alive, generation](const std::vector<NeedleCell>& cells) {
    if (!alive || alive->m_generation != generation) return;
    for (const NeedleCell& cell : cells) alive->acceptCell(cell);
  });
}

void NeedleViewModel::start() {
  if (m_state != State::Idle || !m_work.start) return;
  const auto wanted = order();
  if (!wanted) return setStatus(QString::fromStdString(wanted.error().message), true);
  m_state = State::Running;
  setStatus(tr("Waiting for the engine …"), false);
  const QPointer<NeedleViewModel> alive(this);
  const quint64 generation = m_generation;
  m_work.start(*wanted, {.onCell =
                             [alive, generation](const NeedleCell& cell) {
                               if (alive && alive->m_generation == generation) {
                                 alive->acceptCell(cell);
                               }
                             },
                         .onDone =
                             [alive](const Status& status) {
                               if (alive) alive->finish(status);
                             }});
}

void NeedleViewModel::stop() {
  if (m_state != State::Running) return;
  m_state = State::Stopping;
  setStatus(tr("Stopping …"), false);
  if (m_work.stop) m_work.stop();
}

void NeedleViewModel::setProgress(const Progress& progress) {
  if (m_state != State::Running || progress.total <= 0) return;
  setStatus(tr("%1 %2 of %3; %4")
                .arg(QString::fromStdString(progress.stage))
                .arg(std::min(progress.done + 1, progress.total))
                .arg(progress.total)
                .arg(QString::fromStdString(progress.detail)),
            false);
}

void NeedleViewModel::acceptCell(const NeedleCell& cell) {
  if (cell.index >= m_grids.size()) return;
  m_grids[cell.index]->setCell(cell.cell);
  Q_EMIT cellsChanged();
}

void NeedleViewModel::finish(const Status& status) {
  m_state = State::Idle;
  loadKnown();  // what was asked may have been edited meanwhile
  if (status) {
    setStatus(tr("Done. All cells are kept for the next time."), false);
  } else if (status.error().code == ErrorCode::Cancelled) {
    setStatus(tr("Stopped. Finished cells are kept; Measure goes on behind them."), false);
  } else {
    setStatus(QString::fromStdString(status.error().message), true);
  }
}

void NeedleViewModel::setStatus(const QString& text, bool failed) {
  m_status = text;
  m_failed = failed;
  Q_EMIT stateChanged();
}

QString NeedleViewModel::headline(std::size_t grid) const {
  const NeedleGridModel& model = *m_grids[grid];
  const int cells = model.rowCount() * model.columnCount();
  const int measured = model.measuredCells();
  if (measured == 0) return tr("%1: not measured").arg(model.title());
  const auto length = model.effectiveContext(foundThreshold(m_plan));
  const QString found = length ? tr("effective context %1 tokens").arg(tokensText(*length))
                               : tr("effective context below the shortest length");
  const QString part =
      measured < cells ? tr(" (%1 of %2 cells)").arg(measured).arg(cells) : QString();
  return tr("%1: %2%3").arg(model.title(), found, part);
}

QString NeedleViewModel::planText() const {
  QString what;
  switch (m_plan.kind) {
    case NeedleKind::PassKey:
      what = tr("Pass key: %1").arg(QString::fromUtf8(recipeText(m_plan.recipe).data()));
      break;
    case NeedleKind::Sentence:
      what = tr("Own sentence “%1”, asked “%2”")
                 .arg(QString::fromStdString(m_plan.sentence),
                      QString::fromStdString(m_plan.question));
      break;
    case NeedleKind::Facts:
      what = tr("A planted fact with a number in every trial");
      break;
  }
  if (needsDocument(m_plan) && m_document) {
    what +=
        tr("; in %1").arg(QString::fromStdString(m_document->document.path.filename().string()));
  }
  return tr("%1. Trials per cell: %2, seed %3, greedy answers.")
      .arg(what)
      .arg(m_plan.trials)
      .arg(m_plan.seed);
}

PlotTable NeedleViewModel::table() const {
  TableColumn method{.title = tr("setting")};
  TableColumn length{.title = tr("length [tokens]")};
  TableColumn depth{.title = tr("depth [share]")};
  TableColumn found{.title = tr("found")};
  TableColumn contained{.title = tr("contained")};
  TableColumn trials{.title = tr("trials")};
  TableColumn low{.title = tr("95 % interval from")};
  TableColumn high{.title = tr("to")};
  for (const auto& grid : m_grids) {
    for (int column = 0; column < grid->columnCount(); ++column) {
      for (int row = 0; row < grid->rowCount(); ++row) {
        const RetrievalCell* cell = grid->cell(row, column);
        if (cell == nullptr) continue;
        const ShareInterval interval = wilsonInterval(cell->found(), cell->trials());
        method.texts << QString::fromStdString(cell->method);
        length.numbers.push_back(static_cast<double>(cell->length));
        depth.numbers.push_back(cell->depth);
        found.numbers.push_back(static_cast<double>(cell->found()));
        contained.numbers.push_back(static_cast<double>(cell->contained()));
        trials.numbers.push_back(static_cast<double>(cell->trials()));
        low.numbers.push_back(interval.low);
        high.numbers.push_back(interval.high);
      }
    }
  }
  return {{method, length, depth, found, contained, trials, low, high}};
}

}  // namespace ropescope::ui
