#include "ui/viewmodels/head_mosaic_view_model.h"

#include <QLocale>
#include <QPointer>
#include <QStringList>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
constexpr int kAskMs = 120;   // a window that is being resized changes the grid once
constexpr int kGrowMs = 300;  // between two looks at a row that is not full yet
constexpr int kShowMs = 220;  // between two pictures
// Sides of a head's picture. Few steps: a slightly larger window must not draw everything again.
constexpr std::array<int, 13> kSides{8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96};
constexpr int kGapCells = 2;  // between two heads
// Token pairs of one request, all heads together: about a fifth of a second on two cores. Every
// request prepares all keys anew, so that smaller ones would mostly do that.
constexpr std::int64_t kMostPairs = 128'000'000;
// Room for growth when a text becomes longer than expected: a new grid, everything again.
constexpr std::int64_t kGrowthDivisor = 4;

int sideFor(const QSize& pixels, int heads, int layers) {
  if (heads < 1 || layers < 1) return 0;
  const int room = std::min(pixels.width() / heads, pixels.height() / layers) - kGapCells;
  int side = 0;
  for (const int candidate : kSides) {
    if (candidate <= room) side = candidate;
  }
  return side > 0 ? side : std::max(0, std::min(room, kSides.front()));
}

QString number(std::int64_t value) {
  return QLocale().toString(static_cast<qlonglong>(value));
}

}  // namespace

HeadMosaicViewModel::HeadMosaicViewModel(QObject* parent) : QObject(parent) {
  for (const auto& [timer, interval] :
       {std::pair{&m_askTimer, kAskMs}, {&m_growTimer, kGrowMs}, {&m_showTimer, kShowMs}}) {
    timer->setSingleShot(true);
    timer->setInterval(interval);
  }
  connect(&m_askTimer, &QTimer::timeout, this, [this] {
    m_tailTokens = m_tokens;
    ask();
  });
  connect(&m_growTimer, &QTimer::timeout, this, [this] {
    m_tailTokens = m_tokens;
    ask();
  });
  connect(&m_showTimer, &QTimer::timeout, this, &HeadMosaicViewModel::show);
}

void HeadMosaicViewModel::setModelShape(int layers, int heads) {
  if (layers == this->layers() && heads == m_heads) return;
  m_layers.assign(static_cast<std::size_t>(layers), {});
  m_heads = heads;
  m_side = sideFor(m_pixels, m_heads, this->layers());
  restart();
  Q_EMIT settingsChanged();
}

void HeadMosaicViewModel::startSession(std::int64_t expectedTokens,
                                       const std::vector<int>& captured) {
  for (Layer& layer : m_layers) layer.captured = false;
  for (const int layer : captured) {
    if (layer >= 0 && layer < layers()) m_layers[static_cast<std::size_t>(layer)].captured = true;
  }
  m_expected = expectedTokens;
  m_tokens = 0;
  restart();
}

void HeadMosaicViewModel::advanceTo(std::int64_t tokens) {
  if (tokens == m_tokens) return;
  const bool first = m_tokens == 0;
  if (tokens < m_tokens) {
    ++m_epoch;  // a band under way may reach beyond
    m_waiting = false;
    forgetFrom(tokens);
  }
  m_tokens = tokens;
  if (m_grid.cells * m_grid.tokensPerCell < tokens) restart();
  if (first) {
    askSoon();
  } else if (!m_growTimer.isActive()) {
    m_growTimer.start();
  }
}

void HeadMosaicViewModel::forgetFrom(std::int64_t token) {
  if (m_grid.cells == 0) return;
  const int kept = static_cast<int>(token / m_grid.tokensPerCell);
  for (int index = 0; index < layers(); ++index) {
    Layer& layer = m_layers[static_cast<std::size_t>(index)];
    if (layer.drawnTokens <= token) continue;
    layer.rows = std::min(layer.rows, kept);
    layer.drawnTokens = layer.rows * m_grid.tokensPerCell;
    for (int head = 0; head < m_heads; ++head) {
      float* picture = cells({index, head});
      std::fill(picture + layer.rows * m_grid.cells, picture + m_grid.cells * m_grid.cells, kNone);
    }
  }
  m_drawnOf.resize(std::min(m_drawnOf.size(), static_cast<std::size_t>(token)));
  if (!m_growTimer.isActive()) m_growTimer.start();
  showSoon();
}

void HeadMosaicViewModel::setShown(bool shown) {
  if (shown == m_shown) return;
  m_shown = shown;
  if (shown) askSoon();
}

void HeadMosaicViewModel::setPixels(const QSize& pixels) {
  if (pixels == m_pixels) return;
  m_pixels = pixels;
  const int side = sideFor(pixels, m_heads, layers());
  if (side == m_side) return;
  m_side = side;
  restart();
}

void HeadMosaicViewModel::restart() {
  ++m_epoch;
  m_waiting = false;
  m_error.clear();
  makeGrid();
  m_drawnOf.clear();
  for (Layer& layer : m_layers) layer = {.captured = layer.captured};
  askSoon();
  showSoon();
}

void HeadMosaicViewModel::makeGrid() {
  std::int64_t length = m_expected;
  if (m_tokens > length) length = m_tokens + m_tokens / kGrowthDivisor;
  m_grid = mosaicGrid(length, m_side);
  m_values.assign(m_layers.size() * static_cast<std::size_t>(m_heads) *
                      static_cast<std::size_t>(m_grid.cells) *
                      static_cast<std::size_t>(m_grid.cells),
                  kNone);
}

void HeadMosaicViewModel::settingsEdited() {
  m_rangeHeld = false;
  restart();
  Q_EMIT settingsChanged();
}

void HeadMosaicViewModel::setReducer(Reducer reducer) {
  if (reducer == m_reducer) return;
  m_reducer = reducer;
  settingsEdited();
}

void HeadMosaicViewModel::setIgnoredTokens(std::int64_t tokens) {
  tokens = std::max<std::int64_t>(0, tokens);
  if (tokens == m_ignored) return;
  m_ignored = tokens;
  settingsEdited();
}

void HeadMosaicViewModel::setColorScale(ColorScale scale) {
  if (scale == m_colorScale) return;
  m_colorScale = scale;
  m_rangeHeld = false;
  m_valueRange = valueRangeOf(m_values, scale);  // a locked range is of the old scale
  Q_EMIT settingsChanged();
  Q_EMIT pictureChanged();
}

void HeadMosaicViewModel::setRangeLocked(bool locked) {
  if (locked == m_rangeLocked) return;
  m_rangeLocked = locked;
  Q_EMIT settingsChanged();
  show();
}

void HeadMosaicViewModel::setRangeHeld(bool held) {
  m_rangeHeld = held && (m_rangeHeld || message().isEmpty());  // there is a picture to compare with
}

void HeadMosaicViewModel::askSoon() {
  m_askTimer.start();  // again: waits until a resize has ended
}

std::optional<MosaicRequest> HeadMosaicViewModel::nextRequest() const {
  if (m_grid.cells == 0 || m_tokens == 0) return {};
  const auto whole = static_cast<int>(m_tokens / m_grid.tokensPerCell);
  int next = -1;
  for (int index = 0; index < layers(); ++index) {
    const Layer& layer = m_layers[static_cast<std::size_t>(index)];
    if (!layer.captured || layer.rows >= whole) continue;
    if (next < 0 || layer.rows < m_layers[static_cast<std::size_t>(next)].rows) next = index;
  }
  if (next >= 0) return rowsFrom(next, m_layers[static_cast<std::size_t>(next)].rows, whole);
  const std::int64_t tail = std::min(m_tailTokens, m_tokens);
  for (int index = 0; index < layers(); ++index) {
    const Layer& layer = m_layers[static_cast<std::size_t>(index)];
    if (layer.captured && layer.drawnTokens < tail) return rowsFrom(index, whole, whole + 1);
  }
  return {};
}

// As many rows as one request may cost, at least one.
MosaicRequest HeadMosaicViewModel::rowsFrom(int layer, int first, int end) const {
  const std::int64_t step = m_grid.tokensPerCell;
  int last = first + 1;
  while (last < end && m_heads * (last + 1 - first) * step * (last + 1) * step <= kMostPairs) {
    ++last;
  }
  return {.layer = layer,
          .tokensPerCell = step,
          .firstRow = first,
          .endRow = last,
          .ignoredTokens = m_ignored,
          .reducer = m_reducer};
}

void HeadMosaicViewModel::ask() {
  if (!m_source || !m_shown || m_waiting || !m_error.isEmpty()) return;
  const auto request = nextRequest();
  if (!request) return show();
  m_waiting = true;
  const QPointer<HeadMosaicViewModel> alive(this);
  m_source(*request,
           [this, alive, request = *request, epoch = m_epoch](const Result<MosaicBand>& band) {
             if (alive && epoch == m_epoch) accept(request, band);
           });
}

void HeadMosaicViewModel::accept(const MosaicRequest& request, const Result<MosaicBand>& band) {
  m_waiting = false;
  if (!band) {
    if (band.error().code == ErrorCode::Cancelled) {  // the session moved on: look again
      if (!m_growTimer.isActive()) m_growTimer.start();
      return;
    }
    m_error = QString::fromStdString(band.error().message);
    return show();
  }
  if (band->request == request) keep(*band);
  showSoon();
  ask();
}

void HeadMosaicViewModel::compareTokens(const MosaicBand& band) {
  const auto [drawn, read] =
      std::mismatch(m_drawnOf.begin(), m_drawnOf.end(), band.tokens.begin(), band.tokens.end());
  const bool differs = drawn != m_drawnOf.end() && read != band.tokens.end();
  if (differs) forgetFrom(drawn - m_drawnOf.begin());
  if (band.tokens.size() > m_drawnOf.size()) m_drawnOf = band.tokens;
}

void HeadMosaicViewModel::keep(const MosaicBand& band) {
  compareTokens(band);
  const MosaicRequest& r = band.request;
  Layer& layer = m_layers[static_cast<std::size_t>(r.layer)];
  if (r.firstRow > layer.rows) return;  // rows before it were just forgotten
  layer.drawnTokens = band.endQuery;
  layer.rows = static_cast<int>(band.endQuery / m_grid.tokensPerCell);
  const float* source = band.values.data();
  for (int head = 0; head < band.heads; ++head) {
    for (int row = r.firstRow; row < r.endRow; ++row, source += r.endRow) {
      std::copy_n(source, r.endRow, cells({r.layer, head}) + row * m_grid.cells);
    }
  }
}

void HeadMosaicViewModel::showSoon() {
  if (!m_showTimer.isActive()) m_showTimer.start();
}

void HeadMosaicViewModel::show() {
  m_showTimer.stop();
  if (!m_rangeLocked && !m_rangeHeld) m_valueRange = valueRangeOf(m_values, m_colorScale);
  Q_EMIT pictureChanged();
}

float* HeadMosaicViewModel::cells(HeadRef head) {
  const auto square =
      static_cast<std::size_t>(m_grid.cells) * static_cast<std::size_t>(m_grid.cells);
  return m_values.data() + static_cast<std::size_t>(head.layer * m_heads + head.head) * square;
}

std::span<const float> HeadMosaicViewModel::picture(HeadRef head) const {
  const auto square =
      static_cast<std::size_t>(m_grid.cells) * static_cast<std::size_t>(m_grid.cells);
  return std::span(m_values).subspan(
      static_cast<std::size_t>(head.layer * m_heads + head.head) * square, square);
}

std::int64_t HeadMosaicViewModel::drawnTokens(int layer) const {
  return m_layers[static_cast<std::size_t>(layer)].drawnTokens;
}

bool HeadMosaicViewModel::isComplete() const {
  return std::all_of(m_layers.begin(), m_layers.end(), [this](const Layer& layer) {
    return !layer.captured || layer.drawnTokens >= m_tokens;
  });
}

std::optional<HeadMosaicViewModel::Cell> HeadMosaicViewModel::strongest(HeadRef head) const {
  const auto values = picture(head);
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isnan(values[i]) && (!best || values[i] > values[*best])) best = i;
  }
  if (!best) return {};
  const auto range = [this](std::size_t cell) {
    const std::int64_t begin = static_cast<std::int64_t>(cell) * m_grid.tokensPerCell;
    return TokenRange{begin, std::min(begin + m_grid.tokensPerCell, m_tokens)};
  };
  const auto cells = static_cast<std::size_t>(m_grid.cells);
  Cell cell{values[*best], range(*best / cells), range(*best % cells)};
  cell.keys.begin = std::max(cell.keys.begin, m_ignored);
  return cell;
}

QString HeadMosaicViewModel::message() const {
  if (!m_error.isEmpty()) return m_error;
  if (m_heads == 0) return tr("No model is loaded.");
  if (m_tokens == 0) return tr("The mosaic grows while the model reads a document.");
  if (m_side == 0 && !m_pixels.isEmpty()) {
    return tr("There is no room for %1 heads; make the view larger.").arg(m_heads * layers());
  }
  const bool anything = std::any_of(m_layers.begin(), m_layers.end(),
                                    [](const Layer& layer) { return layer.drawnTokens > 0; });
  return anything ? QString() : tr("Computing …");
}

QString HeadMosaicViewModel::lengthText() const {
  if (m_heads == 0 || m_tokens == 0) return {};
  QString text =
      tr("%1 tokens, %2 heads, %3; 1 cell = %4 × %4 tokens")
          .arg(tokensText(m_tokens), number(layers() * m_heads),
               m_reducer == Reducer::Max ? tr("max") : tr("mean"), number(m_grid.tokensPerCell));
  if (isComplete()) return text;
  // Pairs of tokens, because later rows cost more.
  double drawn = 0.0;
  double all = 0.0;
  for (const Layer& layer : m_layers) {
    if (!layer.captured) continue;
    drawn += std::pow(static_cast<double>(layer.drawnTokens), 2);
    all += std::pow(static_cast<double>(m_tokens), 2);
  }
  return text + tr("; %1 % drawn").arg(all > 0 ? static_cast<int>(100 * drawn / all) : 0);
}

QString HeadMosaicViewModel::gapsText() const {
  QStringList missing;
  for (int layer = 0; layer < layers(); ++layer) {
    if (!isCaptured(layer)) missing << QString::number(layer);
  }
  if (missing.isEmpty() || m_heads == 0) return {};
  return tr("Not kept for maps, because all layers would take too much memory: %1 of %2 layers. "
            "The map's “Keep this layer” changes which one is kept.")
      .arg(missing.size())
      .arg(layers());
}

QString HeadMosaicViewModel::describe(HeadRef head) const {
  QString text = tr("layer %1, head %2").arg(head.layer).arg(head.head);
  if (!isCaptured(head.layer)) return text + tr("\nthis layer was not kept");
  const auto cell = strongest(head);
  if (!cell) return text;
  const auto range = [](const TokenRange& tokens) {
    return tokens.size() == 1 ? number(tokens.begin)
                              : tr("%1–%2").arg(number(tokens.begin), number(tokens.end - 1));
  };
  return text +
         (m_reducer == Reducer::Max ? tr("\nstrongest weight %1") : tr("\nstrongest cell %1"))
             .arg(QLocale().toString(static_cast<double>(cell->weight), 'g', 3)) +
         tr("\nfrom query %1 to key %2").arg(range(cell->queries), range(cell->keys));
}

QString HeadMosaicViewModel::summary() const {
  if (const QString why = message(); !why.isEmpty()) return why;
  return tr("Attention of every head: %1. Layers downward, heads to the right. Weights from %2 to "
            "%3 in colour. %4")
      .arg(lengthText(), QLocale().toString(m_valueRange.lower, 'g', 3),
           QLocale().toString(m_valueRange.upper, 'g', 3), gapsText());
}

}  // namespace ropescope::ui
