// Register tiles for the AVX-512 files of this folder, and for nothing else: everything here has
// internal linkage, so that no copy compiled for AVX-512 can reach code that runs on any machine.
// For the same reason no standard library template is used.
#pragma once

#include <cstdint>

#include <immintrin.h>

namespace ropescope::cpu::blocks {
namespace {

constexpr int kLanes = 16;

// `stride` words from one row to the next.
struct Words {
  const std::uint32_t* data = nullptr;
  std::int64_t stride = 0;
};

// R rows of C vectors: up to 24 of the 32 registers.
template <int R, int C>
struct Tile {
  __m512 v[R][C];
};

template <int R, int C>
[[gnu::always_inline]] inline void clear(Tile<R, C>& tile) {
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) tile.v[r][c] = _mm512_setzero_ps();
  }
}

template <int R, int C>
[[gnu::always_inline]] inline void load(Tile<R, C>& tile, const float* from, std::int64_t stride) {
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) tile.v[r][c] = _mm512_loadu_ps(from + r * stride + kLanes * c);
  }
}

template <int R, int C>
[[gnu::always_inline]] inline void store(const Tile<R, C>& tile, float* to, std::int64_t stride) {
#pragma GCC unroll 6
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) _mm512_storeu_ps(to + r * stride + kLanes * c, tile.v[r][c]);
  }
}

// tile += a b over `steps` pairs: a is R rows of words, b one row of C vectors of words per step.
template <int R, int C>
[[gnu::always_inline]] inline void multiplyAdd(Tile<R, C>& tile, const Words& a, const Words& b,
                                               std::int64_t steps) {
  const std::uint32_t* row = a.data;
  const std::uint32_t* column = b.data;
  for (std::int64_t k = 0; k < steps; ++k, ++row, column += b.stride) {
    __m512i columns[C];
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) columns[c] = _mm512_loadu_si512(column + kLanes * c);
#pragma GCC unroll 6
    for (int r = 0; r < R; ++r) {
      const __m512i pair = _mm512_set1_epi32(static_cast<int>(row[r * a.stride]));
#pragma GCC unroll 4
      for (int c = 0; c < C; ++c) {
        tile.v[r][c] = _mm512_dpbf16_ps(tile.v[r][c], reinterpret_cast<__m512bh>(pair),
                                        reinterpret_cast<__m512bh>(columns[c]));
      }
    }
  }
}

// Calls work.template run<R>(row) over `rows` rows (even) in tiles of 6, 4 or 2, as equal as they
// can be: short tiles cannot hide the latency of the products.
template <class Work>
[[gnu::always_inline]] inline void forEachTile(std::int64_t rows, const Work& work) {
  const std::int64_t pairs = rows / 2;
  const std::int64_t tiles = (pairs + 2) / 3;
  for (std::int64_t tile = 0, pair = 0; tile < tiles; ++tile) {
    const std::int64_t next = pairs * (tile + 1) / tiles;
    switch (next - pair) {
      case 3:
        work.template run<6>(2 * pair);
        break;
      case 2:
        work.template run<4>(2 * pair);
        break;
      default:
        work.template run<2>(2 * pair);
        break;
    }
    pair = next;
  }
}

// 2^x, relative error below 2.2e-7: 2^x = 2^n 2^f with n = round(x); 2^f by the polynomial of
// degree 5 with the smallest largest relative error on [-1/2, 1/2] (Remez), its constant set to 1.
[[gnu::always_inline]] inline __m512 exp2Of(__m512 x) {
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 part = _mm512_sub_ps(x, whole);
  __m512 sum = _mm512_set1_ps(1.3276472e-3F);
  sum = _mm512_fmadd_ps(sum, part, _mm512_set1_ps(9.6755413e-3F));
  sum = _mm512_fmadd_ps(sum, part, _mm512_set1_ps(5.5507133e-2F));
  sum = _mm512_fmadd_ps(sum, part, _mm512_set1_ps(2.4022120e-1F));
  sum = _mm512_fmadd_ps(sum, part, _mm512_set1_ps(6.9314697e-1F));
  sum = _mm512_fmadd_ps(sum, part, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(sum, whole);
}

// Which of the lanes 16c … 16c + 15 see key row j.
[[gnu::always_inline]] inline __mmask16 seeing(std::int64_t firstLane, int c) {
  const std::int64_t hidden = firstLane - kLanes * c;
  if (hidden <= 0) return 0xFFFF;
  return hidden >= kLanes ? __mmask16{0} : static_cast<__mmask16>(0xFFFFU << hidden);
}

// Two vectors to 32 bfloat16, `low` in the lower half, rounded to nearest even.
[[gnu::always_inline]] inline __m512i toBfloat16(__m512 low, __m512 high) {
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
}

// Words (low[i], high[i]) of the lower and upper half of `both`.
[[gnu::always_inline]] inline __m512i pairHalves(__m512i both) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, both);
}

// Transposes 16 x 16 words in registers.
[[gnu::always_inline]] inline void transpose(__m512i (&rows)[kLanes]) {
  __m512i t[kLanes];
#pragma GCC unroll 8
  for (int i = 0; i < kLanes; i += 2) {
    t[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  __m512i u[kLanes];
#pragma GCC unroll 4
  for (int i = 0; i < kLanes; i += 4) {
    u[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    u[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    u[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    u[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  // u[4g + m] holds rows 4g … 4g + 3 of columns m, 4 + m, 8 + m and 12 + m.
#pragma GCC unroll 4
  for (int m = 0; m < 4; ++m) {
    const __m512i a = _mm512_shuffle_i32x4(u[m], u[4 + m], 0x88);
    const __m512i b = _mm512_shuffle_i32x4(u[m], u[4 + m], 0xDD);
    const __m512i c = _mm512_shuffle_i32x4(u[8 + m], u[12 + m], 0x88);
    const __m512i d = _mm512_shuffle_i32x4(u[8 + m], u[12 + m], 0xDD);
    rows[m] = _mm512_shuffle_i32x4(a, c, 0x88);
    rows[8 + m] = _mm512_shuffle_i32x4(a, c, 0xDD);
    rows[4 + m] = _mm512_shuffle_i32x4(b, d, 0x88);
    rows[12 + m] = _mm512_shuffle_i32x4(b, d, 0xDD);
  }
}

}  // namespace
}  // namespace ropescope::cpu::blocks
