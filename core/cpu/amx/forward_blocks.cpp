// softmax(scale Q Kᵀ) V for one block of queries, products in matrix tiles.
#include "core/cpu/amx/matrix_tiles.h"
#include "core/cpu/avx512/forward_state.h"

namespace ropescope::cpu::blocks {
namespace {

// Scores and weights of 32 lanes stand together, [kKeys][32] and [kKeys / 2][32]: with the keys
// they fit the level-1 cache, and their vectors follow each other.
Panel panelOf(const State& s, int lane) {
  return {s.scores + lane * kKeys, s.weights + lane * (kKeys / 2), kSquare};
}

// Scores of 32 keys against 32 lanes.
void scoreKeys(const State& s, const std::uint32_t* keyRows, std::int64_t row, int lane) {
  const int words = s.block.headDim / 2;
  const Panel panel = panelOf(s, lane);
  clearSquare();
  multiplyAddSquare({keyRows + row * words, words}, {s.queryLanes + lane, kQueries}, 0,
                    words / kMatrixWords);
  storeSquare(panel.scores + row * panel.stride, panel.stride);
}

// Scores of one key and one vector of queries; the hidden ones are overwritten.
template <bool Masked>
[[gnu::always_inline]] inline __m512 seenScores(float* at, const Visible& visible, std::int64_t key,
                                                int c) {
  __m512 scores = _mm512_loadu_ps(at);
  if (Masked) {
    const std::int64_t hidden = key < visible.keys ? key - visible.ahead : kQueries;
    scores = _mm512_mask_mov_ps(_mm512_set1_ps(kHidden), seeing(hidden, c), scores);
    _mm512_storeu_ps(at, scores);
  }
  return scores;
}

// Of 32 keys and 32 lanes. Two keys at once, to hide the latency of a comparison.
template <bool Masked>
void findMaxima(const State& s, const Visible& visible, std::int64_t row, int lane) {
  const Panel panel = panelOf(s, lane);
  __m512 maxima[2][2];
#pragma GCC unroll 2
  for (int c = 0; c < 2; ++c) {
    maxima[0][c] = _mm512_loadu_ps(s.blockMaximum + lane + kLanes * c);
    maxima[1][c] = maxima[0][c];
  }
  for (std::int64_t key = row; key < row + kSquare; key += 2) {
#pragma GCC unroll 2
    for (int r = 0; r < 2; ++r) {
      float* scores = panel.scores + (key + r) * panel.stride;
#pragma GCC unroll 2
      for (int c = 0; c < 2; ++c) {
        const __m512 seen =
            seenScores<Masked>(scores + kLanes * c, visible, key + r, lane / kLanes + c);
        maxima[r][c] = _mm512_max_ps(seen, maxima[r][c]);
      }
    }
  }
#pragma GCC unroll 2
  for (int c = 0; c < 2; ++c) {
    _mm512_storeu_ps(s.blockMaximum + lane + kLanes * c, _mm512_max_ps(maxima[1][c], maxima[0][c]));
  }
}

// Oᵀ = Oᵀ factor; most blocks of keys raise no maximum, and then every factor is exactly 1.
void rescale(const State& s, int vectors) {
  const __m512 one = _mm512_set1_ps(1.0F);
  for (int c = 0; c < vectors; ++c) {
    const __m512 factor = _mm512_loadu_ps(s.factor + kLanes * c);
    if (_mm512_cmp_ps_mask(factor, one, _CMP_NEQ_UQ) == 0) continue;
    float* output = s.output + kLanes * c;
    for (int d = 0; d < s.block.headDim; ++d, output += kQueries) {
      _mm512_storeu_ps(output, _mm512_mul_ps(_mm512_loadu_ps(output), factor));
    }
  }
}

// Oᵀ += Vᵀ Pᵀ over `squares` times 32 keys
void addValues(const State& s, const std::uint32_t* valueLanes, std::int64_t squares, int vectors) {
  for (int row = 0; row < s.block.headDim; row += kSquare) {
    const Words values{valueLanes + row * (kKeys / 2), kKeys / 2};
    for (int lane = 0; lane < kLanes * vectors; lane += kSquare) {
      float* output = s.output + row * kQueries + lane;
      loadSquare(output, kQueries);
      const Panel panel = panelOf(s, lane);
      multiplyAddSquare(values, {panel.weights, panel.stride}, 0, squares);
      storeSquare(output, kQueries);
    }
  }
}

void attendKeys(const State& s, std::int64_t firstKey, int vectors) {
  const int headDim = s.block.headDim;
  const Visible visible = visibleFrom(s, firstKey);
  const std::int64_t keys = visible.keys < kKeys ? visible.keys : kKeys;
  const std::int64_t squares = (keys + kSquare - 1) / kSquare;
  const std::int64_t keyBlock = firstKey / kKeys;
  const std::uint32_t* keyRows = s.block.keyRows + keyBlock * kKeys * (headDim / 2);
  hideAll(s, vectors);
  storesAreDone();
  for (int lane = 0; lane < kLanes * vectors; lane += kSquare) {
    for (std::int64_t row = 0; row < squares * kSquare; row += kSquare) {
      scoreKeys(s, keyRows, row, lane);
      const bool allSee = row + kSquare <= visible.keys && row + kSquare - 1 <= visible.ahead;
      if (allSee) {
        findMaxima<false>(s, visible, row, lane);
      } else {
        findMaxima<true>(s, visible, row, lane);
      }
    }
    weigh(s, visible, squares * kMatrixWords, lane, panelOf(s, lane));
  }
  rescale(s, vectors);
  storesAreDone();
  addValues(s, s.block.valueLanes + keyBlock * headDim * (kKeys / 2), squares, vectors);
}

}  // namespace

void attendBlockInTiles(const ForwardBlock& block, float* scratch) {
  const State s = beginIn(block, scratch);
  const int vectors = block.queries.count <= kQueries / 2 ? kVectors / 2 : kVectors;
  for (std::int64_t firstKey = 0; firstKey < block.visible.keys; firstKey += kKeys) {
    attendKeys(s, firstKey, vectors);
  }
  finish(s);
}

}  // namespace ropescope::cpu::blocks
