// The work of one block of the attention map kernel, written once for host and device.
//
// A Block runs a step for each of its threads and waits for all of them (`each`). On the GPU that
// is this thread and __syncthreads(); on the CPU a loop, which makes the same source its own test.
// Every branch around `each` depends on the block alone, never on the thread.
#pragma once

#include <cmath>

#include "core/cuda/map_cells.h"

namespace ropescope::cuda {

inline constexpr int kMapSide = 16;  // threads along queries and along keys
inline constexpr int kMapThreads = kMapSide * kMapSide;
inline constexpr int kMapPerThread = kMapTile / kMapSide;  // a thread owns 4 x 4 scores
inline constexpr int kMapDepth = 32;                       // head dimensions held at a time

// 20.8 KiB. One column more than the tile: a warp then writes 32 different banks.
struct MapShared {
  float q[kMapDepth][kMapTile + 1];
  float k[kMapDepth][kMapTile + 1];
  float columns[kMapSide][kMapTile];  // a key's value over the queries of one row of threads
  double cells[kMapMaxCells];
};

// What a thread keeps between steps. It owns queries y, y + 16, … and keys x, x + 16, … of a tile.
struct MapRegisters {
  float scores[kMapPerThread][kMapPerThread];
  float columns[kMapPerThread];
};

// A NaN stays: it must not look like a small weight.
struct MaxOfWeights {
  ROPESCOPE_HOST_DEVICE static float none() { return -INFINITY; }
  ROPESCOPE_HOST_DEVICE static float value(float logWeight) { return logWeight; }
  template <class Number>
  ROPESCOPE_HOST_DEVICE static Number join(Number a, Number b) {
    return (a != a || a > b) ? a : b;
  }
  ROPESCOPE_HOST_DEVICE static float finish(double joined, std::int64_t) {
    return expf(static_cast<float>(joined));
  }
};

struct MeanOfWeights {
  ROPESCOPE_HOST_DEVICE static float none() { return 0.0F; }
  ROPESCOPE_HOST_DEVICE static float value(float logWeight) { return expf(logWeight); }
  template <class Number>
  ROPESCOPE_HOST_DEVICE static Number join(Number a, Number b) {
    return a + b;
  }
  ROPESCOPE_HOST_DEVICE static float finish(double joined, std::int64_t pairs) {
    return static_cast<float>(joined / static_cast<double>(pairs));
  }
};

// 64 rows of 32 dimensions from memory, transposed, zero beyond the ends.
template <class Scalar>
ROPESCOPE_HOST_DEVICE void loadTile(float (&tile)[kMapDepth][kMapTile + 1], const Scalar* rows,
                                    std::int64_t stride, std::int64_t rowCount, int dimensions,
                                    int thread) {
  const int depth = thread % kMapDepth;
  for (int row = thread / kMapDepth; row < kMapTile; row += kMapThreads / kMapDepth) {
    const bool inside = row < rowCount && depth < dimensions;
    tile[depth][row] = inside ? static_cast<float>(rows[row * stride + depth]) : 0.0F;
  }
}

ROPESCOPE_HOST_DEVICE inline void multiplyTile(const MapShared& shared, MapRegisters& own,
                                               int thread) {
  const int x = thread % kMapSide;
  const int y = thread / kMapSide;
  for (int depth = 0; depth < kMapDepth; ++depth) {
    for (int i = 0; i < kMapPerThread; ++i) {
      const float query = shared.q[depth][y + i * kMapSide];
      for (int j = 0; j < kMapPerThread; ++j) {
        own.scores[i][j] += query * shared.k[depth][x + j * kMapSide];
      }
    }
  }
}

// Scores to weights, masked, joined over the thread's queries.
template <class Reducer>
ROPESCOPE_HOST_DEVICE void foldTile(const AttentionMapArgs& args, const MapBlock& block,
                                    std::int64_t query0, std::int64_t key0, MapRegisters& own,
                                    int thread) {
  const std::int64_t firstKey = key0 + thread % kMapSide;
  for (int i = 0; i < kMapPerThread; ++i) {
    const std::int64_t query = query0 + thread / kMapSide + i * kMapSide;
    if (query >= block.queryEnd) break;
    const float lse = args.lse[query - args.firstQuery];
    for (int j = 0; j < kMapPerThread; ++j) {
      const std::int64_t key = firstKey + j * kMapSide;
      if (key >= block.keyEnd || key > query) continue;
      const float value = Reducer::value(own.scores[i][j] * args.scale - lse);
      own.columns[j] = Reducer::join(own.columns[j], value);
    }
  }
}

// Joins the tile's columns to the cells that they belong to: one thread per cell, keys in order.
template <class Reducer>
ROPESCOPE_HOST_DEVICE void joinCells(const AttentionMapArgs& args, const MapBlock& block,
                                     std::int64_t key0, MapShared& shared, int thread) {
  const int cell = block.cellBegin + thread;
  if (cell >= block.cellEnd) return;
  const KeyRange keys = cellKeys(args, cell);
  const std::int64_t begin = larger(keys.begin, key0);
  const std::int64_t end = smaller(smaller(keys.end, block.keyEnd), key0 + kMapTile);
  double joined = shared.cells[thread];
  for (std::int64_t key = begin; key < end; ++key) {
    joined = Reducer::join(joined, static_cast<double>(shared.columns[0][key - key0]));
  }
  shared.cells[thread] = joined;
}

// Joins one key's values over the 16 rows of threads, into row 0.
template <class Reducer>
ROPESCOPE_HOST_DEVICE void joinColumn(MapShared& shared, int thread) {
  if (thread >= kMapTile) return;
  float joined = shared.columns[0][thread];
  for (int y = 1; y < kMapSide; ++y) joined = Reducer::join(joined, shared.columns[y][thread]);
  shared.columns[0][thread] = joined;
}

template <class Reducer>
ROPESCOPE_HOST_DEVICE void writeCell(const AttentionMapArgs& args, const MapBlock& block,
                                     const MapShared& shared, int thread) {
  const int cell = block.cellBegin + thread;
  if (cell >= block.cellEnd) return;
  const KeyRange keys = cellKeys(args, cell);
  const std::int64_t pairs = visiblePairs(block.queryBegin, block.queryEnd, keys.begin, keys.end);
  args.out[static_cast<std::int64_t>(block.row) * args.width + cell] =
      pairs == 0 ? NAN : Reducer::finish(shared.cells[thread], pairs);
}

// Scores of the tile at (query0, key0), 32 dimensions at a time, into the threads' registers.
template <class Scalar, class Block>
ROPESCOPE_HOST_DEVICE void scoreTile(const AttentionMapArgs& args, const MapBlock& part,
                                     std::int64_t query0, std::int64_t key0, MapShared& shared,
                                     Block& block) {
  const auto* q =
      static_cast<const Scalar*>(args.q) + (query0 - args.firstQuery) * args.queryStride;
  const auto* k = static_cast<const Scalar*>(args.k) + key0 * args.keyStride;
  block.each([](int, MapRegisters& own) {
    for (auto& row : own.scores) {
      for (float& score : row) score = 0.0F;
    }
  });
  for (int depth = 0; depth < args.headDim; depth += kMapDepth) {
    block.each([&](int thread, MapRegisters&) {
      const int left = args.headDim - depth;
      loadTile(shared.q, q + depth, args.queryStride, part.queryEnd - query0, left, thread);
      loadTile(shared.k, k + depth, args.keyStride, part.keyEnd - key0, left, thread);
    });
    block.each([&](int thread, MapRegisters& own) { multiplyTile(shared, own, thread); });
  }
}

template <class Scalar, class Reducer, class Block>
ROPESCOPE_HOST_DEVICE void drawMapBlock(const AttentionMapArgs& args, const MapBlock& part,
                                        MapShared& shared, Block& block) {
  block.each([&](int thread, MapRegisters&) {
    if (thread < kMapMaxCells) shared.cells[thread] = static_cast<double>(Reducer::none());
  });
  for (std::int64_t key0 = part.keyBegin; key0 < part.keyEnd; key0 += kMapTile) {
    block.each([](int, MapRegisters& own) {
      for (float& column : own.columns) column = Reducer::none();
    });
    for (std::int64_t query0 = part.queryBegin; query0 < part.queryEnd; query0 += kMapTile) {
      if (query0 + kMapTile <= key0) continue;  // the whole tile lies in the future
      scoreTile<Scalar>(args, part, query0, key0, shared, block);
      block.each([&](int thread, MapRegisters& own) {
        foldTile<Reducer>(args, part, query0, key0, own, thread);
      });
    }
    block.each([&](int thread, MapRegisters& own) {
      for (int j = 0; j < kMapPerThread; ++j) {
        shared.columns[thread / kMapSide][thread % kMapSide + j * kMapSide] = own.columns[j];
      }
    });
    block.each([&](int thread, MapRegisters&) { joinColumn<Reducer>(shared, thread); });
    block.each(
        [&](int thread, MapRegisters&) { joinCells<Reducer>(args, part, key0, shared, thread); });
  }
  block.each([&](int thread, MapRegisters&) { writeCell<Reducer>(args, part, shared, thread); });
}

}  // namespace ropescope::cuda
