// The backward step of avx512/backward_blocks.cpp with products in matrix tiles.
#include "core/cpu/amx/matrix_tiles.h"
#include "core/cpu/avx512/attention_blocks.h"

namespace ropescope::cpu::blocks {
namespace {

constexpr int kVectors = kQueries / kLanes;
constexpr int kQueryWords = kQueries / 2;

struct State {
  const BackwardStep& step;
  float* scores;              // [kSquare][kQueries] K Qᵀ of the 32 keys at work
  float* products;            // [kSquare][kQueries] V dOᵀ of the 32 keys at work
  std::uint32_t* weightRows;  // [kKeys][kQueries / 2] Pᵀ, pairs over queries
  std::uint32_t* scoreRows;   // [kKeys][kQueries / 2] dSᵀ, pairs over queries
  std::uint32_t* scorePairs;  // [kKeys / 2][kQueries] dSᵀ, pairs over keys
};

State stateIn(const BackwardStep& step, float* scratch) {
  constexpr int kSums = kSquare * kQueries;
  auto* words = reinterpret_cast<std::uint32_t*>(scratch + 2 * kSums);
  return {step,
          scratch,
          scratch + kSums,
          words,
          words + kKeys * kQueryWords,
          words + 2 * kKeys * kQueryWords};
}

// 32 rows of pairs over D against all lanes.
void multiplyRows(const Words& rows, const std::uint32_t* lanes, float* to) {
  for (int lane = 0; lane < kQueries; lane += kSquare) {
    clearSquare();
    multiplyAddSquare(rows, {lanes + lane, kQueries}, 0, rows.stride / kMatrixWords);
    storeSquare(to + lane, kQueries);
  }
}

// One vector of queries against one key: its weights, and from them its score gradients.
struct Vectors {
  __m512 weight;
  __m512 score;
};
template <bool Masked>
[[gnu::always_inline]] inline Vectors gradientsOf(const State& s, std::int64_t row, int r, int c) {
  const int lane = kLanes * c;
  const __m512 score = _mm512_loadu_ps(s.scores + r * kQueries + lane);
  const __m512 product = _mm512_loadu_ps(s.products + r * kQueries + lane);
  const __m512 lse = _mm512_loadu_ps(s.step.queries.logSumExp + lane);
  const __m512 delta = _mm512_loadu_ps(s.step.queries.delta + lane);
  __m512 weight = exp2Of(_mm512_fmsub_ps(score, _mm512_set1_ps(s.step.scale), lse));
  if (Masked) {
    weight = _mm512_maskz_mov_ps(seeing(row + r - s.step.visible.ahead, c), weight);
  }
  return {weight, _mm512_mul_ps(weight, _mm512_sub_ps(product, delta))};
}

// Pᵀ and dSᵀ of 32 keys from row `row` on, in the layouts that the sums read.
template <bool Masked>
void weighKeys(const State& s, std::int64_t row) {
  for (int r = 0; r < kSquare; r += 2) {
    for (int c = 0; c < kVectors; c += 2) {
      Vectors v[2][2];
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i) {
        v[i][0] = gradientsOf<Masked>(s, row, r + i, c);
        v[i][1] = gradientsOf<Masked>(s, row, r + i, c + 1);
        const std::int64_t at = (row + r + i) * kQueryWords + kLanes / 2 * c;
        _mm512_storeu_si512(s.weightRows + at, toBfloat16(v[i][0].weight, v[i][1].weight));
        _mm512_storeu_si512(s.scoreRows + at, toBfloat16(v[i][0].score, v[i][1].score));
      }
      std::uint32_t* pairs = s.scorePairs + (row + r) / 2 * kQueries + kLanes * c;
      _mm512_storeu_si512(pairs, pairHalves(toBfloat16(v[0][0].score, v[1][0].score)));
      _mm512_storeu_si512(pairs + kLanes, pairHalves(toBfloat16(v[0][1].score, v[1][1].score)));
    }
  }
}

// sums[j][d] += rows[j][i] pairs[i][d] for 32 keys: dV from Pᵀ and dO, dK from dSᵀ and Q. Queries
// before the first key see none of it.
void addKeySums(const State& s, const std::uint32_t* rows, const std::uint32_t* pairs, float* sums,
                std::int64_t row) {
  const int headDim = s.step.headDim;
  const std::int64_t hidden = row - s.step.visible.ahead;
  const std::int64_t first = hidden > 0 ? hidden / kSquare : 0;
  const Words keys{rows + row * kQueryWords, kQueryWords};
  for (int d = 0; d < headDim; d += kSquare) {
    float* to = sums + row * headDim + d;
    loadSquare(to, headDim);
    multiplyAddSquare(keys, {pairs + d, headDim}, first, kQueryWords / kMatrixWords);
    storeSquare(to, headDim);
  }
}

void addQuerySums(const State& s, std::int64_t squares) {
  for (int d = 0; d < s.step.headDim; d += kSquare) {
    const Words keys{s.step.keys.keyLanes + d * (kKeys / 2), kKeys / 2};
    for (int lane = 0; lane < kQueries; lane += kSquare) {
      float* to = s.step.queries.gradQueries + d * kQueries + lane;
      loadSquare(to, kQueries);
      multiplyAddSquare(keys, {s.scorePairs + lane, kQueries}, 0, squares);
      storeSquare(to, kQueries);
    }
  }
}

}  // namespace

std::int64_t backwardScratchFloatsInTiles() {
  return 2 * kSquare * kQueries + 2 * kKeys * kQueryWords + kKeys / 2 * kQueries;
}

void backwardStepInTiles(const BackwardStep& step, float* scratch) {
  const State s = stateIn(step, scratch);
  // The last query sees the keys up to its own. Rows beyond them are hidden from every query.
  const std::int64_t seen = step.visible.ahead + kQueries;
  const std::int64_t keys = seen < step.visible.keys ? seen : step.visible.keys;
  const std::int64_t squares = (keys + kSquare - 1) / kSquare;
  const int words = step.headDim / 2;
  storesAreDone();
  for (std::int64_t row = 0; row < squares * kSquare; row += kSquare) {
    multiplyRows({step.keys.keyRows + row * words, words}, step.queries.queryLanes, s.scores);
    multiplyRows({step.keys.valueRows + row * words, words}, step.queries.gradLanes, s.products);
    if (row + kSquare - 1 <= step.visible.ahead) {
      weighKeys<false>(s, row);
    } else {
      weighKeys<true>(s, row);
    }
    storesAreDone();
    addKeySums(s, s.weightRows, step.queries.gradPairs, step.keys.gradValues, row);
    addKeySums(s, s.scoreRows, step.queries.queryPairs, step.keys.gradKeys, row);
  }
  addQuerySums(s, squares);
}

}  // namespace ropescope::cpu::blocks
