#include "ui/viewmodels/attention_view_model.h"

#include <QLocale>
#include <QPointer>
#include <algorithm>
#include <cmath>

namespace ropescope::ui {
namespace {

constexpr int kAskMs = 30;                       // changes within it cost one request
constexpr int kGrowMs = 250;                     // between two tiles of a growing map
constexpr double kLeastView = 8.0;               // tokens
constexpr std::size_t kCacheCells = 16'000'000;  // 64 MB

ViewRange inside(ViewRange range, const ViewRange& home) {
  const double least = std::min(kLeastView, home.size());
  const double size = std::clamp(range.size(), least, std::max(least, home.size()));
  if (range.size() != size) {
    const double middle = (range.lower + range.upper) / 2;
    range = {middle - size / 2, middle + size / 2};
  }
  const double shift =
      std::max(0.0, home.lower - range.lower) - std::max(0.0, range.upper - home.upper);
  return {range.lower + shift, range.upper + shift};
}

QString number(std::int64_t value) {
  return QLocale().toString(static_cast<qlonglong>(value));
}

// Cell of a position, the inverse of cellBegin(); -1 outside.
int cellOf(const TokenRange& range, int cells, double position) {
  if (position < static_cast<double>(range.begin) || position >= static_cast<double>(range.end)) {
    return -1;
  }
  const auto token = static_cast<std::int64_t>(std::floor(position));
  int cell = static_cast<int>((token - range.begin) * cells / range.size());
  while (cell + 1 < cells && cellBegin(range, cells, cell + 1) <= token) ++cell;
  return cell;
}

}  // namespace

AttentionViewModel::AttentionViewModel(QObject* parent) : QObject(parent), m_cache(kCacheCells) {
  m_askTimer.setSingleShot(true);
  m_askTimer.setInterval(kAskMs);
  connect(&m_askTimer, &QTimer::timeout, this, &AttentionViewModel::ask);
  m_growTimer.setSingleShot(true);
  m_growTimer.setInterval(kGrowMs);
  connect(&m_growTimer, &QTimer::timeout, this, [this] {
    if (m_waiting) {
      m_growTimer.start();  // the engine is slower than the growth: let it finish
    } else {
      ask();
    }
  });
}

void AttentionViewModel::setModelShape(int layers, int heads) {
  if (layers == m_layers && heads == m_heads) return;
  m_layers = layers;
  m_heads = heads;
  m_layer = std::clamp(m_layer, 0, std::max(0, layers - 1));
  m_head = std::clamp(m_head, 0, std::max(0, heads - 1));
  selectionEdited();
}

void AttentionViewModel::startSession(std::int64_t expectedTokens) {
  ++m_session;
  m_cache.clear();
  m_tile.reset();
  m_error.clear();
  m_waiting = false;
  m_rangeHeld = false;
  m_expected = expectedTokens;
  m_tokens = 0;
  resetView();
  Q_EMIT tileChanged();
}

void AttentionViewModel::switchSession(std::int64_t tokens) {
  ++m_session;
  m_cache.clear();
  m_rangeHeld = m_rangeHeld || m_tile != nullptr;
  // A session that has read as much answers soon: its picture takes the place of this one.
  if (tokens < m_tokens) m_tile.reset();
  m_error.clear();
  m_waiting = false;
  m_stale = true;
  m_tokens = tokens;
  Q_EMIT tileChanged();
  askSoon();
}

void AttentionViewModel::advanceTo(std::int64_t tokens) {
  if (tokens == m_tokens) return;
  if (tokens < m_tokens) {  // rewound: what was drawn beyond is gone
    m_cache.clear();
    m_tile.reset();
  }
  const bool first = m_tokens == 0;
  m_tokens = tokens;
  if (m_atHome && m_view != home()) {
    m_view = home();
    Q_EMIT viewChanged();
  }
  if (first) {
    askSoon();
  } else if (!m_growTimer.isActive()) {
    m_growTimer.start();
  }
}

void AttentionViewModel::setLayer(int layer) {
  layer = std::clamp(layer, 0, std::max(0, m_layers - 1));
  if (layer == m_layer) return;
  m_layer = layer;
  selectionEdited();
}

void AttentionViewModel::setHead(int head) {
  head = std::clamp(head, 0, std::max(0, m_heads - 1));
  if (head == m_head) return;
  m_head = head;
  selectionEdited();
}

void AttentionViewModel::selectHead(int layer, int head) {
  layer = std::clamp(layer, 0, std::max(0, m_layers - 1));
  head = std::clamp(head, 0, std::max(0, m_heads - 1));
  if (layer == m_layer && head == m_head) return;
  m_layer = layer;
  m_head = head;
  selectionEdited();
}

void AttentionViewModel::stepHead(int heads) {
  const int all = m_layers * m_heads;
  if (all == 0) return;
  const int index = ((m_layer * m_heads + m_head + heads) % all + all) % all;
  m_layer = index / m_heads;
  m_head = index % m_heads;
  selectionEdited();
}

void AttentionViewModel::setReducer(Reducer reducer) {
  if (reducer == m_reducer) return;
  m_reducer = reducer;
  selectionEdited();
}

void AttentionViewModel::setColorScale(ColorScale scale) {
  if (scale == m_colorScale) return;
  m_colorScale = scale;
  m_rangeHeld = false;
  if (m_tile) m_valueRange = valueRangeOf(*m_tile, scale);  // a locked range is of the old scale
  Q_EMIT selectionChanged();
  Q_EMIT tileChanged();
}

void AttentionViewModel::setIgnoredTokens(std::int64_t tokens) {
  tokens = std::max<std::int64_t>(0, tokens);
  if (tokens == m_ignored) return;
  m_ignored = tokens;
  selectionEdited();
}

void AttentionViewModel::setRangeLocked(bool locked) {
  if (locked == m_rangeLocked) return;
  m_rangeLocked = locked;
  if (!locked && m_tile) m_valueRange = valueRangeOf(*m_tile, m_colorScale);
  Q_EMIT selectionChanged();
  Q_EMIT tileChanged();
}

void AttentionViewModel::selectionEdited() {
  m_rangeHeld = false;
  Q_EMIT selectionChanged();
  askSoon();
}

void AttentionViewModel::setPixels(const QSize& pixels) {
  if (pixels == m_pixels) return;
  m_pixels = pixels;
  askSoon();
}

void AttentionViewModel::setView(const MapView& view) {
  const MapView whole = home();
  const MapView next{inside(view.keys, whole.keys), inside(view.queries, whole.queries)};
  if (next == m_view) return;
  m_view = next;
  m_rangeHeld = false;
  m_atHome = next == whole;
  Q_EMIT viewChanged();
  askSoon();
}

void AttentionViewModel::resetView() {
  m_atHome = true;
  if (m_view == home()) return;
  m_view = home();
  Q_EMIT viewChanged();
  askSoon();
}

MapView AttentionViewModel::home() const {
  const auto end = static_cast<double>(std::max<std::int64_t>({m_tokens, m_expected, 1}));
  return {{0.0, end}, {0.0, end}};
}

MapRequest AttentionViewModel::wantedRequest() const {
  const AxisTile keys = planAxis(m_view.keys, {m_ignored, m_tokens}, m_pixels.width());
  const AxisTile queries = planAxis(m_view.queries, {0, m_tokens}, m_pixels.height());
  return {.layer = m_layer,
          .head = m_head,
          .queries = queries.tokens,
          .keys = keys.tokens,
          .width = keys.cells,
          .height = queries.cells,
          .reducer = m_reducer};
}

void AttentionViewModel::askSoon() {
  if (!m_askTimer.isActive()) m_askTimer.start();
}

void AttentionViewModel::ask() {
  if (!m_source || m_heads == 0) return;
  const MapRequest request = wantedRequest();
  if (request.width == 0 || request.height == 0) return;
  if (m_waiting && request == m_waitingFor) return;
  if (m_tile && !m_stale && m_tile->request == request) return;
  if (auto tile = m_cache.find(request)) {
    m_waiting = false;  // an answer still under way only fills the cache
    show(std::move(tile));
    return;
  }
  m_waiting = true;
  m_waitingFor = request;
  const QPointer<AttentionViewModel> alive(this);
  m_source(request, [this, alive, request, session = m_session](const Result<AttentionMap>& map) {
    if (alive && session == m_session) accept(request, map);
  });
}

void AttentionViewModel::accept(const MapRequest& request, const Result<AttentionMap>& map) {
  const bool newest = m_waiting && request == m_waitingFor;
  if (newest) m_waiting = false;
  if (!map) {
    if (!newest || map.error().code == ErrorCode::Cancelled) return;
    m_tile.reset();
    m_error = QString::fromStdString(map.error().message);
    Q_EMIT tileChanged();
    return;
  }
  auto tile = std::make_shared<const AttentionMap>(*map);
  m_cache.insert(tile);
  if (newest) show(std::move(tile));
}

void AttentionViewModel::show(std::shared_ptr<const AttentionMap> tile) {
  m_tile = std::move(tile);
  m_stale = false;
  m_error.clear();
  if (!m_rangeLocked && !m_rangeHeld) m_valueRange = valueRangeOf(*m_tile, m_colorScale);
  Q_EMIT tileChanged();
}

QString AttentionViewModel::message() const {
  if (!m_error.isEmpty()) return m_error;
  if (m_tile) return {};
  if (m_heads == 0) return tr("No model is loaded.");
  if (m_tokens == 0) return tr("The map grows while the model reads a document.");
  return tr("Computing …");
}

QString AttentionViewModel::resolutionText() const {
  if (!m_tile) return {};
  const MapRequest& request = m_tile->request;
  const auto perCell = [](const TokenRange& range, int cells) {
    return (range.size() + cells - 1) / std::max(1, cells);
  };
  const std::int64_t keys = perCell(request.keys, request.width);
  const std::int64_t queries = perCell(request.queries, request.height);
  if (keys == 1 && queries == 1) return tr("1 cell = 1 token");
  return tr("1 cell = %1 × %2 tokens, %3")
      .arg(number(keys), number(queries), request.reducer == Reducer::Max ? tr("max") : tr("mean"));
}

QString AttentionViewModel::summary() const {
  if (!m_tile) return message();
  return tr("Attention of layer %1, head %2: queries %3 to %4 over keys %5 to %6; %7. "
            "Weights from %8 to %9 in colour.")
      .arg(m_tile->request.layer)
      .arg(m_tile->request.head)
      .arg(number(m_tile->request.queries.begin), number(m_tile->request.queries.end - 1),
           number(m_tile->request.keys.begin), number(m_tile->request.keys.end - 1),
           resolutionText(), QLocale().toString(m_valueRange.lower, 'g', 3),
           QLocale().toString(m_valueRange.upper, 'g', 3));
}

QString AttentionViewModel::tokenName(std::int64_t position) const {
  const QString text = m_tokenText ? m_tokenText(position) : QString();
  return text.isEmpty() ? number(position) : tr("%1 “%2”").arg(number(position), text);
}

QString AttentionViewModel::describe(double key, double query) const {
  if (!m_tile || key < 0 || query < 0) return {};
  const MapRequest& request = m_tile->request;
  const auto keyToken = static_cast<std::int64_t>(std::floor(key));
  const auto queryToken = static_cast<std::int64_t>(std::floor(query));
  if (keyToken >= m_tokens || queryToken >= m_tokens) return {};
  QString text = tr("query %1\nkey %2").arg(tokenName(queryToken), tokenName(keyToken));
  if (keyToken > queryToken) return text + tr("\nthe key lies in the query's future");
  if (keyToken < m_ignored) return text + tr("\nleft out: one of the first %1").arg(m_ignored);
  const int column = cellOf(request.keys, request.width, key);
  const int row = cellOf(request.queries, request.height, query);
  if (column < 0 || row < 0) return text;
  const float weight =
      m_tile->values[static_cast<std::size_t>(row) * static_cast<std::size_t>(request.width) +
                     static_cast<std::size_t>(column)];
  if (std::isnan(weight)) return text;
  text += tr("\nweight %1").arg(QLocale().toString(static_cast<double>(weight), 'g', 4));
  const bool pooled =
      request.keys.size() > request.width || request.queries.size() > request.height;
  return pooled ? text + tr(" (%1)").arg(resolutionText()) : text;
}

}  // namespace ropescope::ui
