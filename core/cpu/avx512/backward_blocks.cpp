// One block of queries against one block of keys in the backward pass (arXiv:2205.14135, B.2):
//   Pᵀ = exp(scale K Qᵀ - lse),  dSᵀ = Pᵀ ∘ (V dOᵀ - delta)
//   dV += Pᵀ dO,  dK += dSᵀ Q,  dQᵀ += Kᵀ dSᵀ       dK and dQ still lack the factor `scale`
#include "core/cpu/avx512/attention_blocks.h"
#include "core/cpu/avx512/tile.h"

namespace ropescope::cpu::blocks {
namespace {

constexpr int kVectors = kQueries / kLanes;
constexpr int kQueryWords = kQueries / 2;
constexpr int kTileRows = 6;

struct State {
  const BackwardStep& step;
  float* tileWeights;         // [kTileRows][kQueries] of the tile at work
  std::uint32_t* weightRows;  // [kKeys][kQueries / 2] Pᵀ, pairs over queries
  std::uint32_t* scoreRows;   // [kKeys][kQueries / 2] dSᵀ, pairs over queries
  std::uint32_t* scorePairs;  // [kKeys / 2][kQueries] dSᵀ, pairs over keys
};

template <int R, int C>
[[gnu::always_inline]] inline void storeBfloat16(const Tile<R, C>& tile, std::uint32_t* to) {
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 2
    for (int c = 0; c < C; c += 2) {
      _mm512_storeu_si512(to + r * kQueryWords + kLanes / 2 * c,
                          toBfloat16(tile.v[r][c], tile.v[r][c + 1]));
    }
  }
}

template <int R, int C, bool Masked>
[[gnu::always_inline]] inline void weightTile(const State& s, std::int64_t row, int first) {
  const BackwardStep& step = s.step;
  const int words = step.headDim / 2;
  Tile<R, C> tile;
  clear(tile);
  multiplyAdd(tile, {step.keys.keyRows + row * words, words},
              {step.queries.queryLanes + kLanes * first, kQueries}, words);
  const __m512 scale = _mm512_set1_ps(step.scale);
#pragma GCC unroll 4
  for (int c = 0; c < C; ++c) {
    const __m512 lse = _mm512_loadu_ps(step.queries.logSumExp + kLanes * (first + c));
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      __m512 weight = exp2Of(_mm512_fmsub_ps(tile.v[r][c], scale, lse));
      if (Masked) {
        weight = _mm512_maskz_mov_ps(seeing(row + r - step.visible.ahead, first + c), weight);
      }
      tile.v[r][c] = weight;
    }
  }
  store(tile, s.tileWeights + kLanes * first, kQueries);
  storeBfloat16(tile, s.weightRows + row * kQueryWords + kLanes / 2 * first);
}

template <int R, int C>
[[gnu::always_inline]] inline void scoreTile(const State& s, std::int64_t row, int first) {
  const BackwardStep& step = s.step;
  const int words = step.headDim / 2;
  Tile<R, C> tile;
  clear(tile);
  multiplyAdd(tile, {step.keys.valueRows + row * words, words},
              {step.queries.gradLanes + kLanes * first, kQueries}, words);
#pragma GCC unroll 4
  for (int c = 0; c < C; ++c) {
    const int lane = kLanes * (first + c);
    const __m512 delta = _mm512_loadu_ps(step.queries.delta + lane);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const __m512 weight = _mm512_loadu_ps(s.tileWeights + r * kQueries + lane);
      tile.v[r][c] = _mm512_mul_ps(weight, _mm512_sub_ps(tile.v[r][c], delta));
    }
#pragma GCC unroll 3
    for (int r = 0; r < R; r += 2) {
      _mm512_storeu_si512(s.scorePairs + (row + r) / 2 * kQueries + lane,
                          pairHalves(toBfloat16(tile.v[r][c], tile.v[r + 1][c])));
    }
  }
  storeBfloat16(tile, s.scoreRows + row * kQueryWords + kLanes / 2 * first);
}

struct ScoreRows {
  const State& s;

  template <int R>
  [[gnu::always_inline]] void run(std::int64_t row) const {
    const Visible& visible = s.step.visible;
    if (row + R - 1 <= visible.ahead) {
      weightTile<R, kVectors, false>(s, row, 0);
      scoreTile<R, kVectors>(s, row, 0);
      return;
    }
    if (row - visible.ahead < kQueries / 2) {
      weightTile<R, kVectors, true>(s, row, 0);
      scoreTile<R, kVectors>(s, row, 0);
      return;
    }
    // The first half of the queries sees none of these keys.
    weightTile<R, kVectors / 2, true>(s, row, kVectors / 2);
    scoreTile<R, kVectors / 2>(s, row, kVectors / 2);
    for (int r = 0; r < R; r += 2) {
      std::uint32_t* pairs = s.scorePairs + (row + r) / 2 * kQueries;
      for (int c = 0; c < kVectors / 2; ++c) {
        _mm512_storeu_si512(pairs + kLanes * c, _mm512_setzero_si512());
      }
    }
  }
};

// sums[j][d] += rows[j][i] pairs[i][d]: dV from Pᵀ and dO, dK from dSᵀ and Q. Queries before the
// tile's first key see none of it.
template <int C>
struct KeySums {
  const State& s;
  const std::uint32_t* rows;
  const std::uint32_t* pairs;  // from the panel's first column on
  float* sums;                 // from the panel's first column on

  template <int R>
  [[gnu::always_inline]] void run(std::int64_t row) const {
    const int headDim = s.step.headDim;
    const std::int64_t hidden = row - s.step.visible.ahead;
    const std::int64_t first = hidden > 0 ? hidden / 2 : 0;
    Tile<R, C> tile;
    load(tile, sums + row * headDim, headDim);
    multiplyAdd(tile, {rows + row * kQueryWords + first, kQueryWords},
                {pairs + first * headDim, headDim}, kQueryWords - first);
    store(tile, sums + row * headDim, headDim);
  }
};

void addKeySums(const State& s, const std::uint32_t* rows, const std::uint32_t* pairs, float* sums,
                std::int64_t keys) {
  const int vectors = s.step.headDim / kLanes;
  const int panels = (vectors + kVectors - 1) / kVectors;
  for (int panel = 0, first = 0; panel < panels; ++panel) {
    const int next = vectors * (panel + 1) / panels;
    const std::uint32_t* from = pairs + kLanes * first;
    float* to = sums + kLanes * first;
    switch (next - first) {
      case 4:
        forEachTile(keys, KeySums<4>{s, rows, from, to});
        break;
      case 3:
        forEachTile(keys, KeySums<3>{s, rows, from, to});
        break;
      case 2:
        forEachTile(keys, KeySums<2>{s, rows, from, to});
        break;
      default:
        forEachTile(keys, KeySums<1>{s, rows, from, to});
        break;
    }
    first = next;
  }
}

struct QuerySums {
  const State& s;
  std::int64_t pairs;

  template <int R>
  [[gnu::always_inline]] void run(std::int64_t row) const {
    float* sums = s.step.queries.gradQueries + row * kQueries;
    Tile<R, kVectors> tile;
    load(tile, sums, kQueries);
    multiplyAdd(tile, {s.step.keys.keyLanes + row * (kKeys / 2), kKeys / 2},
                {s.scorePairs, kQueries}, pairs);
    store(tile, sums, kQueries);
  }
};

}  // namespace

std::int64_t backwardScratchFloats() {
  return kTileRows * kQueries + 2 * kKeys * kQueryWords + kKeys / 2 * kQueries;
}

void backwardStep(const BackwardStep& step, float* scratch) {
  auto* words = reinterpret_cast<std::uint32_t*>(scratch + kTileRows * kQueries);
  const State s{step, scratch, words, words + kKeys * kQueryWords, words + 2 * kKeys * kQueryWords};
  // The last query sees the keys up to its own.
  const std::int64_t seen = step.visible.ahead + kQueries;
  const std::int64_t keys = seen < step.visible.keys ? seen : step.visible.keys;
  const std::int64_t pairs = (keys + 1) / 2;
  forEachTile(2 * pairs, ScoreRows{s});
  addKeySums(s, s.weightRows, step.queries.gradPairs, step.keys.gradValues, 2 * pairs);
  addKeySums(s, s.scoreRows, step.queries.queryPairs, step.keys.gradKeys, 2 * pairs);
  forEachTile(step.headDim, QuerySums{s, pairs});
}

}  // namespace ropescope::cpu::blocks
