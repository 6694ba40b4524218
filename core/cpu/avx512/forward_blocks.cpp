// softmax(scale Q Kᵀ) V for one block of queries, with a running maximum and sum per query
// (arXiv:2205.14135, algorithm 1).
#include <math.h>

#include "core/cpu/avx512/attention_blocks.h"
#include "core/cpu/avx512/tile.h"

namespace ropescope::cpu::blocks {
namespace {

// A hidden score. Finite, because infinity minus infinity has no value; no product of bfloat16
// scores and a scale comes near it, and 2 to its power is 0.
constexpr float kHidden = -1e30F;
constexpr double kLn2 = 0.693147180559945309417;
constexpr int kVectors = kQueries / kLanes;

struct State {
  const ForwardBlock& block;
  std::uint32_t* queryLanes;  // [D / 2][kQueries]
  float* scores;              // [kKeys][kQueries], not yet scaled
  std::uint32_t* weights;     // [kKeys / 2][kQueries], pairs over keys
  float* output;              // [D][kQueries]
  float* blockMaximum;        // [kQueries] of unscaled scores
  float* maximum;             // [kQueries] of scaled scores so far
  float* sum;                 // [kQueries]
  float* factor;              // [kQueries] what the sums so far are multiplied by
};

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

// Weights exp(score - maximum) as bfloat16 pairs, and their sums.
void weigh(const State& s, const Visible& visible, std::int64_t pairs, int vectors) {
  const __m512 scale = _mm512_set1_ps(s.block.scale);
  for (int c = 0; c < vectors; ++c) {
    const int lane = kLanes * c;
    const __m512 old = _mm512_loadu_ps(s.maximum + lane);
    const __m512 maximum =
        _mm512_max_ps(_mm512_mul_ps(_mm512_loadu_ps(s.blockMaximum + lane), scale), old);
    const std::int64_t last = visible.ahead + lane + kLanes - 1;  // the last row that a lane sees
    const std::int64_t seen = last < 0 ? 0 : last / 2 + 1;
    const std::int64_t shown = seen < pairs ? seen : pairs;
    __m512 even = _mm512_setzero_ps();
    __m512 odd = _mm512_setzero_ps();
    for (std::int64_t pair = 0; pair < shown; ++pair) {
      const float* scores = s.scores + 2 * pair * kQueries + lane;
      const __m512 low = exp2Of(_mm512_fmsub_ps(_mm512_loadu_ps(scores), scale, maximum));
      const __m512 high =
          exp2Of(_mm512_fmsub_ps(_mm512_loadu_ps(scores + kQueries), scale, maximum));
      even = _mm512_add_ps(even, low);
      odd = _mm512_add_ps(odd, high);
      _mm512_storeu_si512(s.weights + pair * kQueries + lane, pairHalves(toBfloat16(low, high)));
    }
    for (std::int64_t pair = shown; pair < pairs; ++pair) {
      _mm512_storeu_si512(s.weights + pair * kQueries + lane, _mm512_setzero_si512());
    }
    const __m512 factor = exp2Of(_mm512_sub_ps(old, maximum));
    const __m512 sum =
        _mm512_fmadd_ps(_mm512_loadu_ps(s.sum + lane), factor, _mm512_add_ps(even, odd));
    _mm512_storeu_ps(s.maximum + lane, maximum);
    _mm512_storeu_ps(s.sum + lane, sum);
    _mm512_storeu_ps(s.factor + lane, factor);
  }
}

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
  const Visible visible{s.block.visible.keys - firstKey, s.block.visible.ahead - firstKey};
  const std::int64_t keys = visible.keys < kKeys ? visible.keys : kKeys;
  const std::int64_t pairs = (keys + 1) / 2;
  const std::int64_t keyBlock = firstKey / kKeys;
  for (int c = 0; c < C; ++c) {
    _mm512_storeu_ps(s.blockMaximum + kLanes * c, _mm512_set1_ps(kHidden));
  }
  const std::uint32_t* keyRows = s.block.keyRows + keyBlock * kKeys * (headDim / 2);
  forEachTile(2 * pairs, ScoreRows<C>{s, keyRows, visible});
  weigh(s, visible, pairs, C);
  const std::uint32_t* valueLanes = s.block.valueLanes + keyBlock * headDim * (kKeys / 2);
  forEachTile(headDim, OutputRowsOf<C>{s, valueLanes, pairs});
}

void finish(const State& s) {
  for (std::int64_t i = 0; i < s.block.output.count; ++i) {
    const double sum = static_cast<double>(s.sum[i]);
    s.block.logSumExp[i] = static_cast<float>(static_cast<double>(s.maximum[i]) * kLn2 + log(sum));
    s.factor[i] = static_cast<float>(1.0 / sum);
  }
  storeLaneScaled(s.output, s.factor, s.block.headDim, s.block.output);
}

State stateIn(const ForwardBlock& block, float* scratch) {
  State s{block};
  float* next = scratch;
  const auto take = [&next](std::int64_t floats) {
    float* taken = next;
    next += floats;
    return taken;
  };
  s.queryLanes = reinterpret_cast<std::uint32_t*>(take(block.headDim / 2 * kQueries));
  s.scores = take(kKeys * kQueries);
  s.weights = reinterpret_cast<std::uint32_t*>(take(kKeys / 2 * kQueries));
  s.output = take(block.headDim * kQueries);
  s.blockMaximum = take(kQueries);
  s.maximum = take(kQueries);
  s.sum = take(kQueries);
  s.factor = take(kQueries);
  return s;
}

}  // namespace

std::int64_t forwardScratchFloats(int headDim) {
  return kQueries * (headDim / 2 + kKeys + kKeys / 2 + headDim + 4);
}

void attendBlock(const ForwardBlock& block, float* scratch) {
  const State s = stateIn(block, scratch);
  packQueryLanes(block.queries, block.headDim, s.queryLanes);
  for (std::int64_t i = 0; i < block.headDim * kQueries; ++i) s.output[i] = 0.0F;
  for (int i = 0; i < kQueries; ++i) {
    s.maximum[i] = kHidden;
    s.sum[i] = 0.0F;
  }
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
