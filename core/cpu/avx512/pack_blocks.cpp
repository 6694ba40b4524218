// Rows in memory to the layouts that the tiles read, and results back to rows.
#include "core/cpu/avx512/attention_blocks.h"
#include "core/cpu/avx512/tile.h"

namespace ropescope::cpu::blocks {
namespace {

__m256i loadRow(const Rows& rows, std::int64_t row, int d) {
  if (row >= rows.count) return _mm256_setzero_si256();
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows.data + row * rows.stride + d));
}

// Words (row 2p, row 2p + 1) of the dimensions d … d + 15.
__m512i loadRowPair(const Rows& rows, std::int64_t pair, int d) {
  return pairHalves(_mm512_inserti64x4(_mm512_castsi256_si512(loadRow(rows, 2 * pair, d)),
                                       loadRow(rows, 2 * pair + 1, d), 1));
}

// Rows of 16 dimensions from a [D][lanes] float32 block: lanes i … i + 15 of dimensions d … d + 15.
void storeTransposed(__m512 (&sums)[kLanes], const OutputRows& to, std::int64_t i, int d) {
  __m512i rows[kLanes];
  for (int r = 0; r < kLanes; ++r) rows[r] = _mm512_castps_si512(sums[r]);
  transpose(rows);
  for (int r = 0; r < kLanes && i + r < to.count; ++r) {
    const __m256bh values = _mm512_cvtneps_pbh(_mm512_castsi512_ps(rows[r]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to.data + (i + r) * to.stride + d),
                        reinterpret_cast<__m256i>(values));
  }
}

__m512 widen(__m256i values) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(values), 16));
}

}  // namespace

void packQueryLanes(const Rows& rows, int headDim, std::uint32_t* to) {
  const int words = headDim / 2;
  for (int w = 0; w < words; w += kLanes) {
    const int count = words - w < kLanes ? words - w : kLanes;
    const auto wanted = static_cast<__mmask16>((1U << count) - 1U);
    for (std::int64_t i = 0; i < kQueries; i += kLanes) {
      __m512i tile[kLanes];
      for (int r = 0; r < kLanes; ++r) {
        tile[r] = i + r < rows.count
                      ? _mm512_maskz_loadu_epi32(wanted, rows.data + (i + r) * rows.stride + 2 * w)
                      : _mm512_setzero_si512();
      }
      transpose(tile);
      for (int r = 0; r < count; ++r) _mm512_storeu_si512(to + (w + r) * kQueries + i, tile[r]);
    }
  }
}

void packQueryPairs(const Rows& rows, int headDim, std::uint32_t* to) {
  for (std::int64_t pair = 0; pair < kQueries / 2; ++pair) {
    for (int d = 0; d < headDim; d += kLanes) {
      _mm512_storeu_si512(to + pair * headDim + d, loadRowPair(rows, pair, d));
    }
  }
}

void packKeyRows(const Rows& rows, int headDim, std::uint32_t* to) {
  const int words = headDim / 2;
  for (std::int64_t j = 0; j < kKeys; ++j) {
    for (int w = 0; w < words; w += kLanes / 2) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + j * words + w), loadRow(rows, j, 2 * w));
    }
  }
}

void packKeyLanes(const Rows& rows, int headDim, std::uint32_t* to) {
  for (std::int64_t pair = 0; pair < kKeys / 2; pair += kLanes) {
    for (int d = 0; d < headDim; d += kLanes) {
      __m512i tile[kLanes];
      for (int r = 0; r < kLanes; ++r) tile[r] = loadRowPair(rows, pair + r, d);
      transpose(tile);
      for (int r = 0; r < kLanes; ++r) {
        _mm512_storeu_si512(to + (d + r) * (kKeys / 2) + pair, tile[r]);
      }
    }
  }
}

void rowProducts(const Rows& gradOutput, const Rows& output, int headDim, float* delta) {
  for (std::int64_t i = 0; i < kQueries; ++i) {
    __m512 sum = _mm512_setzero_ps();
    for (int d = 0; d < headDim; d += kLanes) {
      sum = _mm512_fmadd_ps(widen(loadRow(gradOutput, i, d)), widen(loadRow(output, i, d)), sum);
    }
    delta[i] = _mm512_reduce_add_ps(sum);
  }
}

void storeQueryRows(const QueryParts& from, float scale, int headDim, const OutputRows& to) {
  const __m512 factor = _mm512_set1_ps(scale);
  for (std::int64_t i = 0; i < to.count; i += kLanes) {
    for (int d = 0; d < headDim; d += kLanes) {
      __m512 sums[kLanes];
      for (int r = 0; r < kLanes; ++r) {
        const std::int64_t at = (d + r) * kQueries + i;
        __m512 sum = _mm512_loadu_ps(from.parts[0] + at);
        for (int part = 1; part < from.count; ++part) {
          sum = _mm512_add_ps(sum, _mm512_loadu_ps(from.parts[part] + at));
        }
        sums[r] = _mm512_mul_ps(sum, factor);
      }
      storeTransposed(sums, to, i, d);
    }
  }
}

void storeLaneScaled(const float* sums, const float* factors, int headDim, const OutputRows& to) {
  for (std::int64_t i = 0; i < to.count; i += kLanes) {
    const __m512 factor = _mm512_loadu_ps(factors + i);
    for (int d = 0; d < headDim; d += kLanes) {
      __m512 scaled[kLanes];
      for (int r = 0; r < kLanes; ++r) {
        scaled[r] = _mm512_mul_ps(_mm512_loadu_ps(sums + (d + r) * kQueries + i), factor);
      }
      storeTransposed(scaled, to, i, d);
    }
  }
}

void storeKeyRows(const float* sums, float scale, int headDim, const OutputRows& to) {
  const __m512 factor = _mm512_set1_ps(scale);
  for (std::int64_t j = 0; j < to.count; ++j) {
    for (int d = 0; d < headDim; d += kLanes) {
      const __m512 sum = _mm512_mul_ps(_mm512_loadu_ps(sums + j * headDim + d), factor);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to.data + j * to.stride + d),
                          reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(sum)));
    }
  }
}

}  // namespace ropescope::cpu::blocks
