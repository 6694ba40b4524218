// A picture of one head's attention: any part of the context, pooled to a few cells.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ropescope {

// Half-open range of positions.
struct TokenRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  constexpr std::int64_t size() const { return end - begin; }
  bool operator==(const TokenRange&) const = default;
};

enum class Reducer { Max, Mean };
constexpr std::string_view reducerName(Reducer reducer) {
  return reducer == Reducer::Max ? "max" : "mean";
}

struct MapRequest {
  int layer = 0;
  int head = 0;
  TokenRange queries;  // rows
  TokenRange keys;     // columns
  int width = 512;     // cells; cut to the number of keys
  int height = 512;    // cells; cut to the number of queries
  Reducer reducer = Reducer::Max;
  bool operator==(const MapRequest&) const = default;
};

// Cell (row, column) covers queries begin + [floor(row n / height), floor((row + 1) n / height)) and
// keys likewise. Values are attention weights in [0, 1] over all keys; mean is over the unmasked
// token pairs of a cell; NaN where a cell lies in the future wholly.
struct AttentionMap {
  MapRequest request;         // width and height as drawn
  std::vector<float> values;  // [height, width]
};

// First token of cell `index` of `cells` over `range`.
constexpr std::int64_t cellBegin(const TokenRange& range, int cells, int index) {
  return range.begin + range.size() * index / cells;
}

}  // namespace ropescope
