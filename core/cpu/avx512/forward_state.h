// What the forward pass keeps for one block of queries: a running maximum and sum per query
// (arXiv:2205.14135, algorithm 1). Shared by the products in vectors and those in matrix tiles; of
// internal linkage for the reason in tile.h.
#pragma once

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

// The running maximum, sum and factor of one vector of queries at one block of keys.
struct LaneSums {
  __m512 old;
  __m512 maximum;
  __m512 even = _mm512_setzero_ps();
  __m512 odd = _mm512_setzero_ps();
};

[[gnu::always_inline]] inline LaneSums beginLanes(const State& s, int lane) {
  const __m512 scaled =
      _mm512_mul_ps(_mm512_loadu_ps(s.blockMaximum + lane), _mm512_set1_ps(s.block.scale));
  const __m512 old = _mm512_loadu_ps(s.maximum + lane);
  return {old, _mm512_max_ps(scaled, old)};
}

// Where the scores and weights of two vectors of queries begin.
struct Panel {
  float* scores;
  std::uint32_t* weights;
  std::int64_t stride;  // from key to key, and from pair to pair
};

[[gnu::always_inline]] inline void weighPair(const Panel& panel, std::int64_t pair, __m512 scale,
                                             LaneSums& sums) {
  const float* scores = panel.scores + 2 * pair * panel.stride;
  const __m512 low = exp2Of(_mm512_fmsub_ps(_mm512_loadu_ps(scores), scale, sums.maximum));
  const __m512 high =
      exp2Of(_mm512_fmsub_ps(_mm512_loadu_ps(scores + panel.stride), scale, sums.maximum));
  sums.even = _mm512_add_ps(sums.even, low);
  sums.odd = _mm512_add_ps(sums.odd, high);
  _mm512_storeu_si512(panel.weights + pair * panel.stride, pairHalves(toBfloat16(low, high)));
}

[[gnu::always_inline]] inline void endLanes(const State& s, int lane, const LaneSums& sums) {
  const __m512 factor = exp2Of(_mm512_sub_ps(sums.old, sums.maximum));
  const __m512 sum =
      _mm512_fmadd_ps(_mm512_loadu_ps(s.sum + lane), factor, _mm512_add_ps(sums.even, sums.odd));
  _mm512_storeu_ps(s.maximum + lane, sums.maximum);
  _mm512_storeu_ps(s.sum + lane, sum);
  _mm512_storeu_ps(s.factor + lane, factor);
}

// Weights exp(score - maximum) as bfloat16 pairs, and their sums, of the lanes `lane` … `lane`
// + 31. Two vectors of queries at once: four sums hide the latency of an addition, two do not.
void weigh(const State& s, const Visible& visible, std::int64_t pairs, int lane,
           const Panel& panel) {
  const Panel next{panel.scores + kLanes, panel.weights + kLanes, panel.stride};
  const std::int64_t last = visible.ahead + lane + 2 * kLanes - 1;  // the last row that a lane sees
  const std::int64_t seen = last < 0 ? 0 : last / 2 + 1;
  const std::int64_t shown = seen < pairs ? seen : pairs;
  const __m512 scale = _mm512_set1_ps(s.block.scale);
  LaneSums first = beginLanes(s, lane);
  LaneSums second = beginLanes(s, lane + kLanes);
  for (std::int64_t pair = 0; pair < shown; ++pair) {
    weighPair(panel, pair, scale, first);
    weighPair(next, pair, scale, second);
  }
  for (std::int64_t pair = shown; pair < pairs; ++pair) {
    _mm512_storeu_si512(panel.weights + pair * panel.stride, _mm512_setzero_si512());
    _mm512_storeu_si512(next.weights + pair * panel.stride, _mm512_setzero_si512());
  }
  endLanes(s, lane, first);
  endLanes(s, lane + kLanes, second);
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

// Scratch cut into a state that has seen no key yet.
State beginIn(const ForwardBlock& block, float* scratch) {
  const State s = stateIn(block, scratch);
  packQueryLanes(block.queries, block.headDim, s.queryLanes);
  for (std::int64_t i = 0; i < block.headDim * kQueries; ++i) s.output[i] = 0.0F;
  for (int i = 0; i < kQueries; ++i) {
    s.maximum[i] = kHidden;
    s.sum[i] = 0.0F;
  }
  return s;
}

// A block of keys as the query block sees it.
Visible visibleFrom(const State& s, std::int64_t firstKey) {
  return {s.block.visible.keys - firstKey, s.block.visible.ahead - firstKey};
}

void hideAll(const State& s, int vectors) {
  for (int c = 0; c < vectors; ++c) {
    _mm512_storeu_ps(s.blockMaximum + kLanes * c, _mm512_set1_ps(kHidden));
  }
}

}  // namespace
}  // namespace ropescope::cpu::blocks
