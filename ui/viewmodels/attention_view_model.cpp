#include "ui/viewmodels/attention_view_model.h"

#include <QPointer>
#include <algorithm>
#include <cmath>
#include <iterator>

namespace ropescope::ui {
namespace {

constexpr int kAskMs = 30;                       // from one request to the next, at least
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

}  // namespace

AttentionViewModel::AttentionViewModel(QObject* parent) : QObject(parent), m_cache(kCacheCells) {
  m_askTimer.setSingleShot(true);
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
  takeSegments();
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
  rebuildBorders();
  Q_EMIT tileChanged();
  askSoon();
}

void AttentionViewModel::advanceTo(std::int64_t tokens) {
  if (tokens == m_tokens) return;
  const bool rewound = tokens < m_tokens;
  if (rewound) {  // what was drawn beyond is gone
    m_cache.dropBeyond(tokens);
    if (m_tile && queryTokens(m_tile->request).end > tokens) m_tile.reset();
  }
  const bool first = units() == 0;
  m_tokens = tokens;
  rebuildBorders();
  if (rewound) Q_EMIT rewoundTo(tokens);
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
  rebuildBorders();
  selectionEdited();
}

void AttentionViewModel::setRangeLocked(bool locked) {
  if (locked == m_rangeLocked) return;
  m_rangeLocked = locked;
  if (!locked && m_tile) m_valueRange = valueRangeOf(*m_tile, m_colorScale);
  Q_EMIT selectionChanged();
  Q_EMIT tileChanged();
}

void AttentionViewModel::setGranularity(Granularity granularity) {
  if (granularity == m_granularity) return;
  m_granularity = granularity;
  m_tile.reset();  // its rows are others
  m_waiting = false;
  takeSegments();
  m_atHome = true;
  m_view = home();
  Q_EMIT viewChanged();
  Q_EMIT tileChanged();
  selectionEdited();
}

void AttentionViewModel::renewSegments() {
  if (m_granularity == Granularity::Token) return;
  m_cache.clear();
  m_tile.reset();
  takeSegments();
  if (m_atHome) m_view = home();
  Q_EMIT viewChanged();
  askSoon();
}

void AttentionViewModel::takeSegments() {
  m_segments = m_granularity == Granularity::Token || !m_segmentSource
                   ? TextSegments()
                   : m_segmentSource(m_granularity);
  rebuildBorders();
}

// Segments that were read wholly, and behind the document's what was read after it as one more.
void AttentionViewModel::rebuildBorders() {
  m_queryBorders.reset();
  m_keyBorders.reset();
  if (m_granularity == Granularity::Token) return;
  std::vector<std::int64_t> borders;
  for (const std::int64_t border : m_segments.borders) {
    if (border <= m_tokens) borders.push_back(border);
  }
  if (!borders.empty() && borders.size() == m_segments.borders.size() &&
      m_tokens > borders.back()) {
    borders.push_back(m_tokens);
  }
  if (borders.size() < 2) borders = {0, 0};  // none is there yet
  m_queryBorders = std::make_shared<const std::vector<std::int64_t>>(borders);
  // The segment that the ignored tokens end in begins behind them.
  const auto first = static_cast<std::size_t>(firstKey());
  borders[first] = std::max(borders[first], std::min(m_ignored, borders.back()));
  m_keyBorders = std::make_shared<const std::vector<std::int64_t>>(std::move(borders));
}

std::int64_t AttentionViewModel::units() const {
  if (m_granularity == Granularity::Token) return m_tokens;
  if (!m_queryBorders || m_queryBorders->back() == 0) return 0;
  return std::ssize(*m_queryBorders) - 1;
}

std::int64_t AttentionViewModel::firstKey() const {
  if (m_granularity == Granularity::Token) return m_ignored;
  if (!m_queryBorders) return 0;
  const auto behind = std::upper_bound(m_queryBorders->begin(), m_queryBorders->end(), m_ignored);
  return std::max<std::int64_t>(0, behind - m_queryBorders->begin() - 1);
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
  const std::int64_t expected =
      m_granularity == Granularity::Token ? m_expected : std::ssize(m_segments.borders) - 1;
  const auto end = static_cast<double>(std::max<std::int64_t>({units(), expected, 1}));
  return {{0.0, end}, {0.0, end}};
}

MapRequest AttentionViewModel::wantedRequest() const {
  const AxisTile keys = planAxis(m_view.keys, {firstKey(), units()}, m_pixels.width());
  const AxisTile queries = planAxis(m_view.queries, {0, units()}, m_pixels.height());
  return {.layer = m_layer,
          .head = m_head,
          .queries = queries.tokens,
          .keys = keys.tokens,
          .width = keys.cells,
          .height = queries.cells,
          .reducer = m_reducer,
          .queryBorders = m_queryBorders,
          .keyBorders = m_keyBorders};
}

void AttentionViewModel::askSoon() {
  if (m_askTimer.isActive()) return;
  // The first change is asked for at once, those that follow in a drag wait.
  const qint64 ago = m_sinceAsked.isValid() ? m_sinceAsked.elapsed() : kAskMs;
  m_askTimer.start(static_cast<int>(std::max<qint64>(0, kAskMs - ago)));
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
  m_sinceAsked.start();
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

}  // namespace ropescope::ui
