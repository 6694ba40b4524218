// softmax(scale Q Kᵀ) V for one block of queries, products in vectors.
#include "core/cpu/avx512/forward_state.h"

namespace ropescope::cpu::blocks {
namespace {

// Scores of R keys against C vectors of queries from vector `first` on.
template <int R, int C, bool Masked>
[[gnu::always_inline]] inline void scoreTile(const State& s, const std::uint32_t* keyRows,
                                             const Visible& visible, std::int64_t row, int first) {
  const int words = s.block.headDim / 2;
  Tile<R, C> tile;
  clear(tile);
  multiplyAdd(tile, {keyRows + row * words, words}, {s.queryLanes + kLanes * first, kQueries},
              words);
#pragma GCC unroll 4
  for (int c = 0; c < C; ++c) {
    float* at = s.blockMaximum + kLanes * (first + c);
    __m512 maximum = _mm512_loadu_ps(at);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      if (Masked) {
        const std::int64_t key = row + r;
        const std::int64_t hidden = key < visible.keys ? key - visible.ahead : kQueries;
        tile.v[r][c] =
            _mm512_mask_mov_ps(_mm512_set1_ps(kHidden), seeing(hidden, first + c), tile.v[r][c]);
      }
      maximum = _mm512_max_ps(tile.v[r][c], maximum);
    }
    _mm512_storeu_ps(at, maximum);
  }
  store(tile, s.scores + row * kQueries + kLanes * first, kQueries);
}

template <int C>
struct ScoreRows {
  const State& s;
  const std::uint32_t* keyRows;
  const Visible& visible;

  template <int R>
  [[gnu::always_inline]] void run(std::int64_t row) const {
    if (row + R <= visible.keys && row + R - 1 <= visible.ahead) {
      scoreTile<R, C, false>(s, keyRows, visible, row, 0);
      return;
    }
    if constexpr (C == kVectors) {
      if (row - visible.ahead >= kQueries / 2) {  // the first half of the queries sees none of it
        scoreTile<R, C / 2, true>(s, keyRows, visible, row, C / 2);
        return;
      }
    }
    scoreTile<R, C, true>(s, keyRows, visible, row, 0);
  }
};

// Oᵀ = Oᵀ factor + Vᵀ Pᵀ
template <int C>
struct OutputRowsOf {
  const State& s;
  const std::uint32_t* valueLanes;
  std::int64_t pairs;

  template <int R>
  [[gnu::always_inline]] void run(std::int64_t row) const {
    Tile<R, C> tile;
    float* output = s.output + row * kQueries;
    load(tile, output, kQueries);
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) {
      const __m512 factor = _mm512_loadu_ps(s.factor + kLanes * c);
#pragma GCC unroll 6
      for (int r = 0; r < R; ++r) tile.v[r][c] = _mm512_mul_ps(tile.v[r][c], factor);
    }
    multiplyAdd(tile, {valueLanes + row * (kKeys / 2), kKeys / 2}, {s.weights, kQueries}, pairs);
    store(tile, output, kQueries);
  }
};

template <int C>
void attendKeys(const State& s, std::int64_t firstKey) {
  const int headDim = s.block.headDim;
  const Visible visible = visibleFrom(s, firstKey);
  const std::int64_t keys = visible.keys < kKeys ? visible.keys : kKeys;
  const std::int64_t pairs = (keys + 1) / 2;
  const std::int64_t keyBlock = firstKey / kKeys;
  hideAll(s, C);
  const std::uint32_t* keyRows = s.block.keyRows + keyBlock * kKeys * (headDim / 2);
  forEachTile(2 * pairs, ScoreRows<C>{s, keyRows, visible});
  for (int lane = 0; lane < kLanes * C; lane += 2 * kLanes) {
    weigh(s, visible, pairs, lane, {s.scores + lane, s.weights + lane, kQueries});
  }
  const std::uint32_t* valueLanes = s.block.valueLanes + keyBlock * headDim * (kKeys / 2);
  forEachTile(headDim, OutputRowsOf<C>{s, valueLanes, pairs});
}

}  // namespace

std::int64_t forwardScratchFloats(int headDim) {
  return kQueries * (headDim / 2 + kKeys + kKeys / 2 + headDim + 4);
}

void attendBlock(const ForwardBlock& block, float* scratch) {
  const State s = beginIn(block, scratch);
  const bool narrow = block.queries.count <= kQueries / 2;
  for (std::int64_t firstKey = 0; firstKey < block.visible.keys; firstKey += kKeys) {
    if (narrow) {
      attendKeys<kVectors / 2>(s, firstKey);
    } else {
      attendKeys<kVectors>(s, firstKey);
    }
  }
  finish(s);
}

}  // namespace ropescope::cpu::blocks
