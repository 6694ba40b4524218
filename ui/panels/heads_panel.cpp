#include "ui/panels/heads_panel.h"

#include <QHeaderView>
#include <QLocale>
#include <QSignalBlocker>
#include <algorithm>
#include <utility>

#include "ui/worker/head_search.h"
#include "ui/worker/session_jobs.h"

namespace ropescope::ui {
namespace {

constexpr int kWideView = 640;  // px: beyond it the list stands beside the mosaic, else below
constexpr int kMostMarked = 64;

QString viewKey() {
  return QStringLiteral("heads");
}

std::ptrdiff_t retrievalHeads(const RetrievalRanking& ranking) {
  return std::count_if(ranking.heads.begin(), ranking.heads.end(),
                       [](const HeadScore& score) { return score.copyRate > kRetrievalCopyRate; });
}

}  // namespace

HeadsPanel::HeadsPanel(AppModel& app, EngineRunner& runner, HeadChoice& choice, QWidget* parent)
    : PlotPanel(QStringLiteral("heads"), parent),
      m_app(app),
      m_runner(runner),
      m_choice(choice),
      m_heads(m_model, choice),
      m_mosaic(new HeadMosaicPlot(m_model, choice, this)),
      m_split(new QSplitter(Qt::Vertical, this)),
      m_list(new QTableView(this)),
      m_reducer(new QComboBox(this)),
      m_colors(new ColorControls(this)),
      m_read(new QPushButton(tr("Read document"), this)),
      m_find(new QPushButton(this)),
      m_best(new QSpinBox(this)),
      m_showList(new QToolButton(this)),
      m_found(new QLabel(this)) {
  buildControls();
  buildSearchRow();
  buildList();
  m_split->addWidget(m_mosaic);
  m_split->addWidget(m_list);
  m_split->setStretchFactor(0, 3);
  m_split->setStretchFactor(1, 2);
  m_split->setChildrenCollapsible(false);
  setPlot(m_mosaic, m_split);
  connectControls();
  connectList();
  connectApp();
  m_model.setSource(
      [this](const MosaicRequest& wanted, const HeadMosaicViewModel::Deliver& deliver) {
        request(wanted, deliver);
      });
  startSession();
  showSearch();
}

void HeadsPanel::buildControls() {
  m_reducer->addItems({tr("max"), tr("mean")});
  m_reducer->setToolTip(
      tr("What a cell of many tokens shows: the largest weight finds needles, "
         "the mean shows bands"));
  m_read->setToolTip(tr("Let the model read the document now; the mosaic grows meanwhile"));
  firstRow()->addWidget(labelFor(tr("&Reduce"), m_reducer));
  firstRow()->addWidget(m_reducer);
  firstRow()->addWidget(m_read);
  QHBoxLayout* row = addRow();
  row->addWidget(m_colors);
  row->addStretch(1);
}

void HeadsPanel::buildSearchRow() {
  m_find->setToolTip(
      tr("Reads a few short prompts of random tokens that repeat themselves, in a session of "
         "their own, and looks which heads find the earlier occurrence. The document is not read "
         "again."));
  m_best->setRange(1, kMostMarked);
  m_best->setValue(HeadChoice::kBest);
  m_best->setToolTip(
      tr("So many of the best heads of the copy test are framed; at first, those that retrieve"));
  m_showList->setText(tr("List"));
  m_showList->setCheckable(true);
  m_showList->setToolTip(tr("All heads in a table that can be sorted"));
  m_found->setWordWrap(true);
  m_found->setTextInteractionFlags(Qt::TextSelectableByMouse);
  QHBoxLayout* row = addRow();
  row->addWidget(m_find);
  row->addWidget(labelFor(tr("&Frame best"), m_best));
  row->addWidget(m_best);
  row->addStretch(1);
  row->addWidget(m_showList);
  addRow()->addWidget(m_found, 1);
}

void HeadsPanel::buildList() {
  m_order.setSourceModel(&m_heads);
  m_list->setModel(&m_order);
  m_list->setAccessibleName(tr("Heads"));
  m_list->setSortingEnabled(true);
  m_list->sortByColumn(HeadTableModel::Layer, Qt::AscendingOrder);
  m_list->setSelectionBehavior(QAbstractItemView::SelectRows);
  m_list->setSelectionMode(QAbstractItemView::SingleSelection);
  m_list->setEditTriggers(QAbstractItemView::NoEditTriggers);
  m_list->setAlternatingRowColors(true);
  m_list->verticalHeader()->hide();
  m_list->verticalHeader()->setDefaultSectionSize(m_list->fontMetrics().height() + 6);
  m_list->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
  // A column is as wide as a score of three digits behind the point.
  m_listWidth = HeadTableModel::ColumnCount *
                (m_list->fontMetrics().horizontalAdvance(QStringLiteral("0.000")) + 14);
  m_list->horizontalHeader()->setMinimumSectionSize(20);
  m_list->hide();
}

void HeadsPanel::connectControls() {
  m_colors->edit(m_model);
  connect(m_reducer, &QComboBox::activated, &m_model,
          [this](int index) { m_model.setReducer(index == 0 ? Reducer::Max : Reducer::Mean); });
  connect(m_read, &QPushButton::clicked, &m_app, &AppModel::readDocument);
  connect(m_find, &QPushButton::clicked, this, [this] {
    if (m_searching) {
      stopSearch();
    } else {
      findRetrievalHeads();
    }
  });
  connect(m_best, QOverload<int>::of(&QSpinBox::valueChanged), m_mosaic,
          &HeadMosaicPlot::setMarked);
  connect(m_showList, &QToolButton::toggled, this, [this](bool shown) {
    m_list->setVisible(shown);
    showBest();
  });
  connect(&m_model, &HeadMosaicViewModel::settingsChanged, this, &HeadsPanel::showSettings);
  connect(&m_model, &HeadMosaicViewModel::pictureChanged, this, &HeadsPanel::refreshTable);
}

void HeadsPanel::connectList() {
  connect(m_list->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
          [this](const QModelIndex& current) {
            if (current.isValid()) {
              m_choice.setHead(m_heads.headOf(m_order.mapToSource(current).row()));
            }
          });
  connect(&m_choice, &HeadChoice::headChanged, this, &HeadsPanel::selectChosen);
  connect(&m_choice, &HeadChoice::rankingChanged, this, &HeadsPanel::showSearch);
}

void HeadsPanel::connectApp() {
  connect(&m_app, &AppModel::modelChanged, this, &HeadsPanel::startSession);
  connect(&m_app, &AppModel::documentChanged, this, &HeadsPanel::startSession);
  connect(&m_app, &AppModel::flipped, this, [this] { m_flipping = true; });
  connect(&m_app, &AppModel::planChanged, this, [this] {
    m_model.setRangeHeld(std::exchange(m_flipping, false));
    startSession();
  });
  connect(&m_app, &AppModel::busyChanged, this, &HeadsPanel::showSession);
  connect(&m_app, &AppModel::sessionAdvanced, this, [this](qint64 position) {
    m_model.advanceTo(position);
    showSession();
  });
  connect(&m_runner, &EngineRunner::progressed, this, [this](Lane lane, const Progress& progress) {
    if (lane != Lane::Heads || !m_searching) return;
    m_found->setText(tr("Copy test: %1 of %2 prompts").arg(progress.done).arg(progress.total));
  });
}

void HeadsPanel::startSession() {
  m_runner.dropViews(viewKey());
  if (m_app.engine()) {
    const ModelConfig& config = m_app.engine()->config();
    m_model.setModelShape(config.layers, config.heads);
    m_model.startSession(m_app.neededContext(AppModel::kQuestionAllowance), m_app.captureLayers());
    m_model.advanceTo(m_app.position());
  }
  showSettings();
  showSession();
}

void HeadsPanel::showSettings() {
  m_reducer->setCurrentIndex(m_model.reducer() == Reducer::Max ? 0 : 1);
  m_colors->display(m_model);
}

void HeadsPanel::showSession() {
  m_read->setVisible(m_app.document() != nullptr && m_app.position() == 0);
  m_read->setEnabled(!m_runner.isBusy());
  m_find->setEnabled(m_app.engine() != nullptr);
}

void HeadsPanel::selectChosen() {
  const int row = m_heads.rowOf(m_choice.head());
  if (row < 0) return;
  const QModelIndex index = m_order.mapFromSource(m_heads.index(row, 0));
  if (index.row() == m_list->currentIndex().row()) return;
  m_list->setCurrentIndex(index);
}

void HeadsPanel::request(const MosaicRequest& wanted, const HeadMosaicViewModel::Deliver& deliver) {
  m_runner.requestView<MosaicBand>(
      viewKey(), this,
      [wanted, serial = m_app.sessionSerial()](EngineRoom& room,
                                               const JobControl& job) -> Result<MosaicBand> {
        const auto session = existingSession(room, serial);
        // Both happen for a moment after a session is dropped or rewound.
        if (!session) return Error{ErrorCode::Cancelled, session.error().message};
        if ((wanted.endRow - 1) * wanted.tokensPerCell >= (*session)->position()) {
          return Error{ErrorCode::Cancelled, "the mosaic shows more than the session holds"};
        }
        return drawMosaicBand(**session, wanted, job);
      },
      deliver);
}

void HeadsPanel::findRetrievalHeads() {
  if (!m_app.engine() || m_searching) return;
  m_searching = true;
  showSearch();
  startHeadSearch(m_runner, this, {m_app.engine(), m_app.recipe(), {}},
                  [this, plan = m_app.title()](const Result<CopyTestResult>& found) {
                    takeRanking(found, plan);
                  });
}

void HeadsPanel::stopSearch() {
  m_runner.stop(Lane::Heads);
}

void HeadsPanel::takeRanking(const Result<CopyTestResult>& found, const QString& plan) {
  m_searching = false;
  if (!found) {
    showSearch();
    m_app.reportError(found.error());
    return;
  }
  RetrievalRanking ranking{.heads = found->heads, .conditions = {}};
  ranking.conditions = tr("%1 prompts of 2 × %2 random tokens, seed %3, under %4")
                           .arg(found->test.prompts)
                           .arg(found->test.repeatTokens)
                           .arg(found->test.seed)
                           .arg(plan);
  m_list->sortByColumn(HeadTableModel::Rank, Qt::AscendingOrder);
  if (const auto retrieve = retrievalHeads(ranking); retrieve > 0) {
    m_best->setValue(static_cast<int>(std::min<std::ptrdiff_t>(retrieve, kMostMarked)));
  }
  m_choice.setRanking(std::make_shared<const RetrievalRanking>(std::move(ranking)));
  if (width() >= kWideView) m_showList->setChecked(true);
  m_bestWaits = true;
  showBest();
}

// A list that becomes visible scrolls to its current row, which is the chosen head's.
void HeadsPanel::showBest() {
  if (!m_bestWaits || !m_list->isVisible()) return;
  m_bestWaits = false;
  m_list->scrollToTop();
}

void HeadsPanel::showSearch() {
  m_find->setText(m_searching ? tr("Stop the search") : tr("Find retrieval heads"));
  const auto& ranking = m_choice.ranking();
  m_best->setEnabled(ranking != nullptr);
  m_found->setVisible(m_searching || ranking);
  if (m_searching) {
    m_found->setText(tr("Copy test: waiting for the engine"));
  } else if (ranking) {
    const HeadScore& best = ranking->heads.front();
    m_found->setText(tr("%1 of %2 heads retrieve; best is %3.%4, score %5 ± %6")
                         .arg(retrievalHeads(*ranking))
                         .arg(ranking->heads.size())
                         .arg(best.head.layer)
                         .arg(best.head.head)
                         .arg(QLocale().toString(best.score, 'f', 3),
                              QLocale().toString(best.standardError, 'f', 3)));
    m_found->setToolTip(tr("They copy at more than a tenth of the positions. Copy test: %1")
                            .arg(ranking->conditions));
  }
}

PlotTable HeadsPanel::table() const {
  return mosaicTable(m_model);
}

void HeadsPanel::showExample() {
  if (!m_choice.ranking()) return findRetrievalHeads();
  if (width() >= kWideView) m_showList->setChecked(true);
}

bool HeadsPanel::isSettled() const {
  return !m_searching && (m_model.tokens() == 0 || m_model.isComplete());
}

void HeadsPanel::showEvent(QShowEvent* event) {
  PlotPanel::showEvent(event);
  m_model.setShown(true);
  showBest();
}

void HeadsPanel::hideEvent(QHideEvent* event) {
  PlotPanel::hideEvent(event);
  m_model.setShown(false);
}

void HeadsPanel::resizeEvent(QResizeEvent* event) {
  PlotPanel::resizeEvent(event);
  const bool wide = width() >= kWideView;
  m_split->setOrientation(wide ? Qt::Horizontal : Qt::Vertical);
  m_list->setMinimumWidth(wide ? m_listWidth : 0);
}

PlotTable mosaicTable(const HeadMosaicViewModel& model) {
  PlotTable table;
  const int cells = model.grid().cells;
  const std::int64_t step = model.grid().tokensPerCell;
  table.columns.push_back({.title = QObject::tr("layer")});
  table.columns.push_back({.title = QObject::tr("head")});
  table.columns.push_back({.title = QObject::tr("query")});
  for (int column = 0; column < cells; ++column) {
    table.columns.push_back({.title = QObject::tr("key %1").arg(column * step)});
  }
  for (int layer = 0; layer < model.layers(); ++layer) {
    const auto rows = static_cast<int>((model.drawnTokens(layer) + step - 1) / step);
    for (int head = 0; head < model.heads(); ++head) {
      const auto picture = model.picture({layer, head});
      for (int row = 0; row < rows; ++row) {
        table.columns[0].numbers.push_back(layer);
        table.columns[1].numbers.push_back(head);
        table.columns[2].numbers.push_back(static_cast<double>(row * step));
        for (int column = 0; column < cells; ++column) {
          const auto cell = static_cast<std::size_t>(row * cells + column);
          table.columns[static_cast<std::size_t>(3 + column)].numbers.push_back(
              static_cast<double>(picture[cell]));
        }
      }
    }
  }
  return table;
}

}  // namespace ropescope::ui
