#include "ui/viewmodels/token_weights.h"

#include <QLocale>
#include <QPointer>
#include <cmath>

namespace ropescope::ui {
namespace {

constexpr int kAskMs = 30;  // movements within it cost one request

WeightLine lineOf(const TokenRange& range, const std::vector<float>& values) {
  WeightLine line;
  const auto cells = static_cast<int>(values.size());
  for (int cell = 0; cell < cells; ++cell) {
    const auto begin = static_cast<double>(cellBegin(range, cells, cell));
    const auto end = static_cast<double>(cellBegin(range, cells, cell + 1));
    line.positions << (begin + end) / 2;
    line.weights << static_cast<double>(values[static_cast<std::size_t>(cell)]);
  }
  return line;
}

}  // namespace

TokenWeights::TokenWeights(AttentionViewModel& map, QObject* parent) : QObject(parent), m_map(map) {
  m_askTimer.setSingleShot(true);
  m_askTimer.setInterval(kAskMs);
  connect(&m_askTimer, &QTimer::timeout, this, &TokenWeights::ask);
  connect(&m_map, &AttentionViewModel::viewChanged, this, &TokenWeights::askSoon);
  connect(&m_map, &AttentionViewModel::selectionChanged, this, &TokenWeights::askSoon);
  connect(&m_map, &AttentionViewModel::rewoundTo, this, [this] {
    m_asked = {};  // the same request has another answer
    askSoon();
  });
  connect(&m_map, &AttentionViewModel::tileChanged, this, [this] {
    if (m_query >= m_map.units()) forget();  // another session or other rows
    if (!isSet() || m_atRest) rest();        // the last row moves while the text grows
    askSoon();
  });
}

void TokenWeights::point(std::int64_t query, std::int64_t key) {
  if (m_pinned) return;
  m_atRest = false;
  moveTo(query, key);
}

void TokenWeights::pin(std::int64_t query, std::int64_t key) {
  m_atRest = false;
  m_pinned = true;
  moveTo(query, key);
  Q_EMIT changed();
}

void TokenWeights::unpin() {
  if (!m_pinned) return;
  m_pinned = false;
  Q_EMIT changed();
}

void TokenWeights::leave() {
  if (!m_pinned && !m_atRest) rest();
}

// The strips are never empty frames: without a pointer they show what the newest token reads.
void TokenWeights::rest() {
  if (m_pinned || !m_map.tile() || m_map.units() == 0) return;
  m_atRest = true;
  moveTo(m_map.units() - 1, m_map.units() / 2);
}

void TokenWeights::forget() {
  m_query = -1;
  m_key = -1;
  m_pinned = false;
  m_atRest = false;
  m_row = {};
  m_column = {};
  m_weight.reset();
  m_asked = {};
  Q_EMIT changed();
}

void TokenWeights::moveTo(std::int64_t query, std::int64_t key) {
  if (query == m_query && key == m_key) return;
  if (query < 0 || key < 0 || query >= m_map.units() || key >= m_map.units()) return;
  m_query = query;
  m_key = key;
  m_weight.reset();  // the lines stay until the new ones are there
  m_asked = {};      // what is still on its way belongs to the pair before
  Q_EMIT changed();
  askSoon();
}

void TokenWeights::askSoon() {
  if (isSet() && !m_askTimer.isActive()) m_askTimer.start();
}

void TokenWeights::ask() {
  if (!m_source || !isSet() || m_query >= m_map.units()) return;
  const MapRequest tile = m_map.wantedRequest();
  if (tile.width == 0 || tile.height == 0) return;
  MapRequest row = tile;
  row.queries = {m_query, m_query + 1};
  row.height = 1;
  askFor(Part::Row, row);
  MapRequest column = tile;
  column.keys = {m_key, m_key + 1};
  column.width = 1;
  askFor(Part::Column, column);
  MapRequest cell = row;
  cell.keys = column.keys;
  cell.width = 1;
  askFor(Part::Cell, cell);
}

void TokenWeights::askFor(Part part, const MapRequest& request) {
  MapRequest& asked = m_asked[static_cast<std::size_t>(part)];
  if (asked == request) return;
  asked = request;
  const QPointer<TokenWeights> alive(this);
  m_source(part, request, [this, alive, part, request](const Result<AttentionMap>& map) {
    if (!alive || m_asked[static_cast<std::size_t>(part)] != request) return;
    if (map) {
      accept(part, *map);
    } else {
      m_asked[static_cast<std::size_t>(part)] = {};  // the map itself says why; asked again later
    }
  });
}

void TokenWeights::accept(Part part, const AttentionMap& map) {
  switch (part) {
    case Part::Row:
      m_row = lineOf(map.request.keys, map.values);
      break;
    case Part::Column:
      m_column = lineOf(map.request.queries, map.values);
      break;
    case Part::Cell:
      if (!std::isnan(map.values.front())) m_weight = static_cast<double>(map.values.front());
      break;
  }
  Q_EMIT changed();
}

QString TokenWeights::text() const {
  if (!isSet()) return {};
  const QString pair = m_map.nameOf(m_query, m_key);
  if (m_atRest) {
    return tr(
        "Beside the map: the last row and the middle column. Point at a cell for others, "
        "click to pin them.");
  }
  const QString pinned = m_pinned ? tr(" · pinned, click it again to let go") : QString();
  if (m_key > m_query) return pair + tr(" · the key lies in the query's future") + pinned;
  if (!m_weight) return pair + pinned;
  const QString number = QLocale().toString(*m_weight, 'g', 4);
  if (m_map.granularity() == Granularity::Token) {
    return pair + tr(" · weight %1 exactly").arg(number) + pinned;
  }
  return pair +
         tr(" · %1 weight %2 of its tokens")
             .arg(m_map.reducer() == Reducer::Max ? tr("largest") : tr("mean"), number) +
         pinned;
}

}  // namespace ropescope::ui
