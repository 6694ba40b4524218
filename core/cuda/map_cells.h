// Which tokens a cell of an attention map covers and which of its pairs are visible. Pure integer
// arithmetic, the same on host and device.
#pragma once

#include "core/cuda/attention_map_kernel.h"

namespace ropescope::cuda {

inline constexpr int kMapTile = 64;      // queries and keys of one score tile
inline constexpr int kMapMaxCells = 64;  // column cells of one block

template <class Integer>
ROPESCOPE_HOST_DEVICE constexpr Integer smaller(Integer a, Integer b) {
  return b < a ? b : a;
}

template <class Integer>
ROPESCOPE_HOST_DEVICE constexpr Integer larger(Integer a, Integer b) {
  return a < b ? b : a;
}

// First position of cell `index`; index == cells gives the end of the range.
ROPESCOPE_HOST_DEVICE constexpr std::int64_t cellBorder(std::int64_t begin, std::int64_t end,
                                                        int cells, int index) {
  return begin + (end - begin) * index / cells;
}

// Pairs (query, key) with key <= query of a rectangle of positions, ends excluded.
ROPESCOPE_HOST_DEVICE constexpr std::int64_t visiblePairs(std::int64_t queryBegin,
                                                          std::int64_t queryEnd,
                                                          std::int64_t keyBegin,
                                                          std::int64_t keyEnd) {
  if (queryEnd <= queryBegin || keyEnd <= keyBegin) return 0;
  // The triangle: query keyBegin sees one key, the next one two, …
  const std::int64_t first = larger(queryBegin, keyBegin);
  const std::int64_t full = larger(queryBegin, keyEnd - 1);  // from here on every key is visible
  const std::int64_t last = smaller(queryEnd, full);
  std::int64_t pairs = 0;
  if (last > first) pairs = (last - first) * (first + last + 1 - 2 * keyBegin) / 2;
  if (queryEnd > full) pairs += (queryEnd - full) * (keyEnd - keyBegin);
  return pairs;
}

// Column cells that one block draws: about two tiles of keys, as long as the accumulators last.
ROPESCOPE_HOST_DEVICE constexpr int cellsPerGroup(std::int64_t keys, int width) {
  const std::int64_t wanted =
      2 * kMapTile * static_cast<std::int64_t>(width) / larger<std::int64_t>(keys, 1);
  return static_cast<int>(larger<std::int64_t>(1, smaller<std::int64_t>(wanted, kMapMaxCells)));
}

ROPESCOPE_HOST_DEVICE constexpr int groupCount(std::int64_t keys, int width) {
  const int group = cellsPerGroup(keys, width);
  return (width + group - 1) / group;
}

// One block's part of the picture: a row cell and some column cells.
struct MapBlock {
  int row = 0;
  int cellBegin = 0;  // column cells, half-open
  int cellEnd = 0;
  std::int64_t queryBegin = 0;  // positions, half-open
  std::int64_t queryEnd = 0;
  std::int64_t keyBegin = 0;
  std::int64_t keyEnd = 0;  // cut to the keys that the last query sees
};

ROPESCOPE_HOST_DEVICE constexpr MapBlock mapBlock(const AttentionMapArgs& args, int row,
                                                  int group) {
  const int cells = cellsPerGroup(args.keyEnd - args.keyBegin, args.width);
  MapBlock block;
  block.row = row;
  block.cellBegin = group * cells;
  block.cellEnd = smaller(block.cellBegin + cells, static_cast<int>(args.width));
  block.queryBegin = cellBorder(args.queryBegin, args.queryEnd, args.height, row);
  block.queryEnd = cellBorder(args.queryBegin, args.queryEnd, args.height, row + 1);
  block.keyBegin = cellBorder(args.keyBegin, args.keyEnd, args.width, block.cellBegin);
  block.keyEnd =
      smaller(cellBorder(args.keyBegin, args.keyEnd, args.width, block.cellEnd), block.queryEnd);
  return block;
}

// Keys of a column cell, half-open and not cut.
struct KeyRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

ROPESCOPE_HOST_DEVICE constexpr KeyRange cellKeys(const AttentionMapArgs& args, int cell) {
  return {cellBorder(args.keyBegin, args.keyEnd, args.width, cell),
          cellBorder(args.keyBegin, args.keyEnd, args.width, cell + 1)};
}

}  // namespace ropescope::cuda
