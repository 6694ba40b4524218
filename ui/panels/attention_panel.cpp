#include "ui/panels/attention_panel.h"

#include <QLocale>
#include <algorithm>
#include <limits>
#include <utility>

#include "ui/plots/attention_map_plot.h"
#include "ui/viewmodels/text_segments.h"
#include "ui/viewmodels/token_piece.h"
#include "ui/worker/session_jobs.h"

namespace ropescope::ui {
namespace {

QString viewKey() {
  return QStringLiteral("attention");
}

QString partKey(TokenWeights::Part part) {
  switch (part) {
    case TokenWeights::Part::Row:
      return QStringLiteral("attention row");
    case TokenWeights::Part::Column:
      return QStringLiteral("attention column");
    case TokenWeights::Part::Cell:
      return QStringLiteral("attention cell");
  }
  return {};
}

}  // namespace

AttentionPanel::AttentionPanel(AppModel& app, EngineRunner& runner, QWidget* parent)
    : PlotPanel(QStringLiteral("attention"), parent),
      m_app(app),
      m_runner(runner),
      m_layer(new QSpinBox(this)),
      m_head(new QSpinBox(this)),
      m_reducer(new QComboBox(this)),
      m_granularity(new QComboBox(this)),
      m_colors(new ColorControls(this)),
      m_read(new QPushButton(tr("Read document"), this)),
      m_keep(new QPushButton(tr("Keep this layer"), this)) {
  buildControls();
  auto* map = new AttentionMapPlot(m_model, this);
  map->addStrips(m_weights);
  setPlot(map);
  connectControls();
  connectApp();
  m_model.setSource([this](const MapRequest& wanted, const AttentionViewModel::Deliver& deliver) {
    request(viewKey(), wanted, deliver);
  });
  m_weights.setSource([this](TokenWeights::Part part, const MapRequest& wanted,
                             const AttentionViewModel::Deliver& deliver) {
    request(partKey(part), wanted, deliver);
  });
  m_model.setSegmentSource([this](Granularity granularity) {
    if (!m_app.document()) return TextSegments();
    return firstSegments(segmentsOf(*m_app.document(), granularity), m_app.documentTokensHeld());
  });
  m_model.setTokenText([this](std::int64_t position) { return tokenPiece(m_app, position); });
  startSession();
}

void AttentionPanel::buildControls() {
  addHeadControls();
  addColorControls();
  m_read->setToolTip(tr("Let the model read the document now; the map grows meanwhile"));
  m_keep->setToolTip(
      tr("This model is too large to keep all layers for maps. Keep this one: "
         "starts a new session, the document is read again."));
}

void AttentionPanel::addHeadControls() {
  m_layer->setToolTip(tr("Layer, counted from 0"));
  m_head->setToolTip(
      tr("Head, counted from 0. Page Up and Page Down on the map step through all "
         "heads of all layers."));
  m_reducer->addItems({tr("max"), tr("mean")});
  m_reducer->setToolTip(
      tr("What a cell of many tokens shows: the largest weight finds needles, "
         "the mean shows bands"));
  m_granularity->addItems({tr("tokens"), tr("sentences"), tr("paragraphs")});
  m_granularity->setAccessibleName(tr("Rows and columns"));
  m_granularity->setToolTip(
      tr("What a row and a column stand for. A sentence's weight is the largest, or the mean, over "
         "its tokens."));
  for (QWidget* control : {static_cast<QWidget*>(m_layer), static_cast<QWidget*>(m_head)}) {
    control->setMinimumWidth(52);
  }
  for (const auto& [text, control] : {std::pair<QString, QWidget*>{tr("&Layer"), m_layer},
                                      {tr("&Head"), m_head},
                                      {tr("&Reduce"), m_reducer}}) {
    firstRow()->addWidget(labelFor(text, control));
    firstRow()->addWidget(control);
  }
  firstRow()->addWidget(m_granularity);
  firstRow()->addWidget(m_read);
  firstRow()->addWidget(m_keep);
}

void AttentionPanel::addColorControls() {
  QHBoxLayout* row = addRow();
  row->addWidget(m_colors);
  row->addStretch(1);
  auto* reset = new QPushButton(tr("Whole map"), this);
  reset->setToolTip(tr("Show the whole map again (0, or a double click)"));
  connect(reset, &QPushButton::clicked, &m_model, &AttentionViewModel::resetView);
  row->addWidget(reset);
}

void AttentionPanel::connectControls() {
  const auto changed = QOverload<int>::of(&QSpinBox::valueChanged);
  connect(m_layer, changed, &m_model, &AttentionViewModel::setLayer);
  connect(m_head, changed, &m_model, &AttentionViewModel::setHead);
  m_colors->edit(m_model);
  connect(m_reducer, &QComboBox::activated, &m_model,
          [this](int index) { m_model.setReducer(index == 0 ? Reducer::Max : Reducer::Mean); });
  connect(m_granularity, &QComboBox::activated, &m_model,
          [this](int index) { m_model.setGranularity(static_cast<Granularity>(index)); });
  connect(m_read, &QPushButton::clicked, &m_app, &AppModel::readDocument);
  connect(m_keep, &QPushButton::clicked, &m_app,
          [this] { m_app.setCaptureLayer(m_model.layer()); });
  connect(&m_model, &AttentionViewModel::selectionChanged, this, &AttentionPanel::showSelection);
  connect(&m_model, &AttentionViewModel::tileChanged, this, &AttentionPanel::refreshTable);
  connect(&m_weights, &TokenWeights::changed, this, &AttentionPanel::refreshTable);
}

void AttentionPanel::connectApp() {
  connect(&m_app, &AppModel::modelChanged, this, &AttentionPanel::startSession);
  connect(&m_app, &AppModel::documentChanged, this, &AttentionPanel::startSession);
  connect(&m_app, &AppModel::flipped, this, [this] { m_flipping = true; });
  connect(&m_app, &AppModel::planChanged, this, [this] {
    if (!std::exchange(m_flipping, false)) return startSession();
    m_runner.dropViews(viewKey());
    m_model.switchSession(m_app.position());
    showSelection();
    showSession();
  });
  connect(&m_app, &AppModel::busyChanged, this, &AttentionPanel::showSession);
  connect(&m_app, &AppModel::sessionAdvanced, this, [this](qint64 position) {
    const std::int64_t held = m_app.documentTokensHeld();
    if (std::exchange(m_documentHeld, held) != held) m_model.renewSegments();
    m_model.advanceTo(position);
    showSession();
  });
}

void AttentionPanel::startSession() {
  m_runner.dropViews(viewKey());
  if (m_app.engine()) {
    const ModelConfig& config = m_app.engine()->config();
    m_model.setModelShape(config.layers, config.heads);
  }
  m_model.startSession(m_app.document() ? m_app.document()->tokens() : 0);
  m_model.advanceTo(m_app.position());
  showSelection();
  showSession();
}

void AttentionPanel::showSelection() {
  m_layer->setRange(0, std::max(0, m_model.layers() - 1));
  m_head->setRange(0, std::max(0, m_model.heads() - 1));
  m_layer->setValue(m_model.layer());
  m_head->setValue(m_model.head());
  m_reducer->setCurrentIndex(m_model.reducer() == Reducer::Max ? 0 : 1);
  m_granularity->setCurrentIndex(static_cast<int>(m_model.granularity()));
  m_colors->display(m_model);
  const auto& kept = m_app.captureLayers();
  m_keep->setVisible(m_app.engine() != nullptr &&
                     std::find(kept.begin(), kept.end(), m_model.layer()) == kept.end());
}

void AttentionPanel::showSession() {
  const bool readable = m_app.document() != nullptr && m_app.position() == 0;
  m_read->setVisible(readable);
  m_read->setEnabled(!m_runner.isBusy());
}

void AttentionPanel::request(const QString& key, const MapRequest& wanted,
                             const AttentionViewModel::Deliver& deliver) {
  m_runner.requestView<AttentionMap>(
      key, this,
      [wanted, serial = m_app.sessionSerial()](EngineRoom& room,
                                               const JobControl& job) -> Result<AttentionMap> {
        const auto session = existingSession(room, serial);
        // Both happen for a moment after a session is dropped or rewound; the next position asks
        // again.
        if (!session) return Error{ErrorCode::Cancelled, session.error().message};
        if (queryTokens(wanted).end > (*session)->position()) {
          return Error{ErrorCode::Cancelled, "the map shows more than the session holds"};
        }
        return (*session)->attentionMap(wanted, job);
      },
      deliver);
}

bool AttentionPanel::isSettled() const {
  if (m_runner.isBusy() || m_model.isLoading()) return false;
  // Between two pictures of a growing map nothing is asked for, and yet this one is not the last.
  const MapRequest wanted = m_model.wantedRequest();
  if (wanted.width == 0 || wanted.height == 0) return true;
  return m_model.tile() && m_model.tile()->request == wanted;
}

PlotTable AttentionPanel::table() const {
  if (!m_model.tile()) return {};
  PlotTable table = attentionTable(*m_model.tile());
  appendStrips(table, m_weights);
  return table;
}

PlotTable attentionTable(const AttentionMap& map) {
  const MapRequest& request = map.request;
  PlotTable table;
  TableColumn first{.title = QObject::tr("query")};
  for (int row = 0; row < request.height; ++row) {
    first.numbers.push_back(static_cast<double>(rowBegin(request, row)));
  }
  table.columns.push_back(std::move(first));
  for (int column = 0; column < request.width; ++column) {
    TableColumn cells{.title = QObject::tr("key %1").arg(columnBegin(request, column))};
    cells.numbers.reserve(static_cast<std::size_t>(request.height));
    for (int row = 0; row < request.height; ++row) {
      cells.numbers.push_back(static_cast<double>(
          map.values[static_cast<std::size_t>(row) * static_cast<std::size_t>(request.width) +
                     static_cast<std::size_t>(column)]));
    }
    table.columns.push_back(std::move(cells));
  }
  return table;
}

void appendStrips(PlotTable& table, const TokenWeights& weights) {
  if (!weights.isSet()) return;
  const auto append = [&table](const QString& title, const QVector<double>& numbers, double shift) {
    TableColumn column{.title = title};
    for (const double number : numbers) column.numbers.push_back(number + shift);
    table.columns.push_back(std::move(column));
  };
  // A cell's middle lies half a token behind the mean of its positions.
  constexpr double kToPosition = -0.5;
  append(QObject::tr("key position"), weights.row().positions, kToPosition);
  append(QObject::tr("weight, query %1").arg(weights.query()), weights.row().weights, 0.0);
  append(QObject::tr("query position"), weights.column().positions, kToPosition);
  append(QObject::tr("weight, key %1").arg(weights.key()), weights.column().weights, 0.0);
  std::size_t rows = 0;
  for (const TableColumn& column : table.columns) rows = std::max(rows, column.numbers.size());
  for (TableColumn& column : table.columns) {
    column.numbers.resize(rows, std::numeric_limits<double>::quiet_NaN());
  }
}

}  // namespace ropescope::ui
