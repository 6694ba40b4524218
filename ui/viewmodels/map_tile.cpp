#include "ui/viewmodels/map_tile.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace ropescope::ui {
namespace {

constexpr double kLowShare = 0.02;
constexpr double kHighShare = 0.999;
constexpr double kMostDecades = 1e6;  // upper / lower on a logarithmic scale
constexpr double kLeastRatio = 10.0;
constexpr double kLeastLinear = 0.2;  // upper end / largest on a linear scale

std::int64_t divideUp(std::int64_t tokens, std::int64_t step) {
  return (tokens + step - 1) / step;
}

double quantile(std::vector<float>& values, double share) {
  const auto index =
      static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + index, values.end());
  return static_cast<double>(values[static_cast<std::size_t>(index)]);
}

}  // namespace

AxisTile planAxis(const ViewRange& view, const TokenRange& available, int pixels) {
  const auto lower = std::max(available.begin, static_cast<std::int64_t>(std::floor(view.lower)));
  const auto upper = std::min(available.end, static_cast<std::int64_t>(std::ceil(view.upper)));
  if (upper <= lower || pixels < 1 || view.size() <= 0) return {};

  const double share = std::min(1.0, static_cast<double>(upper - lower) / view.size());
  const auto most = std::max<std::int64_t>(1, static_cast<std::int64_t>(pixels * share));
  // Cells begin at multiples of their size, so that panning does not shift what is pooled together.
  for (std::int64_t step = divideUp(upper - lower, most);; ++step) {
    const std::int64_t begin = available.begin + (lower - available.begin) / step * step;
    const std::int64_t end =
        std::min(available.end, available.begin + divideUp(upper - available.begin, step) * step);
    const std::int64_t cells = divideUp(end - begin, step);
    if (cells <= most) return {{begin, end}, static_cast<int>(cells), step};
  }
}

ValueRange valueRangeOf(const AttentionMap& map, ColorScale scale) {
  return valueRangeOf(std::span(map.values), scale);
}

ValueRange valueRangeOf(std::span<const float> weights, ColorScale scale) {
  std::vector<float> values;
  values.reserve(weights.size());
  for (const float value : weights) {
    if (value > 0.0F) values.push_back(value);  // NaN and 0 are not
  }
  if (values.empty()) return {scale == ColorScale::Linear ? 0.0 : 1e-6, 1.0};
  const double upper = static_cast<double>(*std::max_element(values.begin(), values.end()));
  if (scale == ColorScale::Linear) {
    return {0.0, std::max(quantile(values, kHighShare), upper * kLeastLinear)};
  }
  const double lower = std::max(quantile(values, kLowShare), upper / kMostDecades);
  return {std::min(lower, upper / kLeastRatio), upper};
}

void TileCache::insert(Tile tile) {
  if (const Tile old = find(tile->request)) {
    m_cells -= old->values.size();
    m_tiles.pop_front();  // find() moved it there
  }
  m_cells += tile->values.size();
  m_tiles.push_front(std::move(tile));
  while (m_cells > m_mostCells && m_tiles.size() > 1) {
    m_cells -= m_tiles.back()->values.size();
    m_tiles.pop_back();
  }
}

TileCache::Tile TileCache::find(const MapRequest& request) {
  const auto found = std::find_if(m_tiles.begin(), m_tiles.end(),
                                  [&](const Tile& tile) { return tile->request == request; });
  if (found == m_tiles.end()) return nullptr;
  m_tiles.splice(m_tiles.begin(), m_tiles, found);
  return m_tiles.front();
}

void TileCache::dropBeyond(std::int64_t tokens) {
  m_tiles.remove_if([&](const Tile& tile) {
    const bool isBeyond = queryTokens(tile->request).end > tokens;
    if (isBeyond) m_cells -= tile->values.size();
    return isBeyond;
  });
}

void TileCache::clear() {
  m_tiles.clear();
  m_cells = 0;
}

}  // namespace ropescope::ui
