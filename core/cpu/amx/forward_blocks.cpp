// softmax(scale Q Kᵀ) V for one block of queries, products in matrix tiles.
#include "core/cpu/amx/matrix_tiles.h"
#include "core/cpu/avx512/forward_state.h"

namespace ropescope::cpu::blocks {
namespace {

// Scores of 32 keys against all query lanes in use.
void scoreKeys(const State& s, const std::uint32_t* keyRows, std::int64_t row, int vectors) {
  const int words = s.block.headDim / 2;
  const Words keys{keyRows + row * words, words};
  for (int lane = 0; lane < kLanes * vectors; lane += kSquare) {
    clearSquare();
    multiplyAddSquare(keys, {s.queryLanes + lane, kQueries}, 0, words / kMatrixWords);
    storeSquare(s.scores + row * kQueries + lane, kQueries);
  }
}

// Scores of one key and one vector of queries; the hidden ones are overwritten.
template <bool Masked>
[[gnu::always_inline]] inline __m512 seenScores(const State& s, const Visible& visible,
                                                std::int64_t key, int c) {
  float* at = s.scores + key * kQueries + kLanes * c;
  __m512 scores = _mm512_loadu_ps(at);
  if (Masked) {
    const std::int64_t hidden = key < visible.keys ? key - visible.ahead : kQueries;
    scores = _mm512_mask_mov_ps(_mm512_set1_ps(kHidden), seeing(hidden, c), scores);
    _mm512_storeu_ps(at, scores);
  }
  return scores;
}

// Two keys and two vectors of queries at once, to hide the latency of a comparison.
template <bool Masked>
void findMaxima(const State& s, const Visible& visible, std::int64_t row, int vectors) {
  for (int c = 0; c < vectors; c += 2) {
    __m512 maxima[2][2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      maxima[0][i] = _mm512_loadu_ps(s.blockMaximum + kLanes * (c + i));
      maxima[1][i] = maxima[0][i];
    }
    for (std::int64_t key = row; key < row + kSquare; key += 2) {
#pragma GCC unroll 2
      for (int r = 0; r < 2; ++r) {
#pragma GCC unroll 2
        for (int i = 0; i < 2; ++i) {
          maxima[r][i] =
              _mm512_max_ps(seenScores<Masked>(s, visible, key + r, c + i), maxima[r][i]);
        }
      }
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      _mm512_storeu_ps(s.blockMaximum + kLanes * (c + i),
                       _mm512_max_ps(maxima[1][i], maxima[0][i]));
    }
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
      multiplyAddSquare(values, {s.weights + lane, kQueries}, 0, squares);
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
  for (std::int64_t row = 0; row < squares * kSquare; row += kSquare) {
    scoreKeys(s, keyRows, row, vectors);
    const bool allSee = row + kSquare <= visible.keys && row + kSquare - 1 <= visible.ahead;
    if (allSee) {
      findMaxima<false>(s, visible, row, vectors);
    } else {
      findMaxima<true>(s, visible, row, vectors);
    }
  }
  weigh(s, visible, squares * kMatrixWords, vectors);
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
