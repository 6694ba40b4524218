// A picture of one head's attention: any part of the context, pooled to a few cells.
#pragma once

#include <cstdint>
#include <memory>
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

// Ascending positions: segment i (a sentence, a paragraph) holds tokens borders[i] … borders[i +
// 1].
using SegmentBorders = std::shared_ptr<const std::vector<std::int64_t>>;

struct MapRequest {
  int layer = 0;
  int head = 0;
  TokenRange queries;  // rows: tokens, or segments where there are borders
  TokenRange keys;     // columns, likewise
  int width = 512;     // cells; cut to the number of keys
  int height = 512;    // cells; cut to the number of queries
  Reducer reducer = Reducer::Max;
  SegmentBorders queryBorders = {};  // null: rows are tokens
  SegmentBorders keyBorders = {};    // null: columns are tokens
  bool operator==(const MapRequest&) const = default;
};

// Cell (row, column) covers queries (or segments of queries) begin + [floor(row n / height),
// floor((row + 1) n / height)) and keys likewise. Values are attention weights in [0, 1] over all
// keys; mean is over the unmasked token pairs of a cell; NaN where a cell lies in the future
// wholly.
struct AttentionMap {
  MapRequest request;         // width and height as drawn
  std::vector<float> values;  // [height, width]
};

// First token of cell `index` of `cells` over `range`.
constexpr std::int64_t cellBegin(const TokenRange& range, int cells, int index) {
  return range.begin + range.size() * index / cells;
}

// Position of the first token of a token or segment.
inline std::int64_t firstToken(const SegmentBorders& borders, std::int64_t unit) {
  return borders ? (*borders)[static_cast<std::size_t>(unit)] : unit;
}
// First token of a row or column; of the one behind the last: the end.
inline std::int64_t rowBegin(const MapRequest& request, int row) {
  return firstToken(request.queryBorders, cellBegin(request.queries, request.height, row));
}
inline std::int64_t columnBegin(const MapRequest& request, int column) {
  return firstToken(request.keyBorders, cellBegin(request.keys, request.width, column));
}
inline TokenRange queryTokens(const MapRequest& request) {
  return {firstToken(request.queryBorders, request.queries.begin),
          firstToken(request.queryBorders, request.queries.end)};
}
inline TokenRange keyTokens(const MapRequest& request) {
  return {firstToken(request.keyBorders, request.keys.begin),
          firstToken(request.keyBorders, request.keys.end)};
}

}  // namespace ropescope
