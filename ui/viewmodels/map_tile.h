// Which part of the attention map to ask for, and the tiles that came back.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>

#include "core/probe/attention_map.h"

namespace ropescope::ui {

// Visible part of an axis in tokens: token t covers [t, t + 1).
struct ViewRange {
  double lower = 0.0;
  double upper = 0.0;
  double size() const { return upper - lower; }
  bool operator==(const ViewRange&) const = default;
};

struct MapView {
  ViewRange keys;     // x
  ViewRange queries;  // y, downward
  bool operator==(const MapView&) const = default;
};

// The whole tokens of `available` that `view` touches, in cells of equally many tokens (the last
// may be smaller) and never more cells than pixels.
struct AxisTile {
  TokenRange tokens;
  int cells = 0;  // 0: nothing to draw
  std::int64_t tokensPerCell = 1;
};
AxisTile planAxis(const ViewRange& view, const TokenRange& available, int pixels);

// The colour range of a picture.
struct ValueRange {
  double lower = 0.0;
  double upper = 1.0;
  bool operator==(const ValueRange&) const = default;
};

// Logarithmic: from the 2nd percentile of the positive values, at most six decades below the upper
// end, to the largest. Linear: from 0 to the 99.9th percentile, so that a few strong cells saturate
// instead of turning the rest pale, but to a fifth of the largest at least, so that a single needle
// still stands out. Masked cells do not count.
enum class ColorScale { Logarithmic, Linear };
ValueRange valueRangeOf(const AttentionMap& map, ColorScale scale);
ValueRange valueRangeOf(std::span<const float> weights, ColorScale scale);

// Remembers the tiles used last, up to a number of cells.
class TileCache {
 public:
  using Tile = std::shared_ptr<const AttentionMap>;

  explicit TileCache(std::size_t mostCells) : m_mostCells(mostCells) {}
  void insert(Tile tile);
  Tile find(const MapRequest& request);  // null when it is not there
  void clear();
  void dropBeyond(std::int64_t tokens);  // tiles with queries at or behind that position
  std::size_t cells() const { return m_cells; }

 private:
  std::size_t m_mostCells;
  std::size_t m_cells = 0;
  std::list<Tile> m_tiles;  // used last in front
};

}  // namespace ropescope::ui
