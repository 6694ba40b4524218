// Matrix tiles (AMX) for the files of this folder: eight registers of 16 rows of 16 words, and one
// instruction that adds the products of two tiles of bfloat16 pairs to a tile of float32 sums. Of
// internal linkage, as all that is compiled for special CPUs (see avx512/tile.h).
#pragma once

#include "core/cpu/avx512/tile.h"

namespace ropescope::cpu::blocks {
namespace {

constexpr int kMatrixRows = 16;
constexpr int kMatrixWords = 16;          // of a row: 32 bfloat16 or 16 float32
constexpr int kSquare = 2 * kMatrixRows;  // rows and lanes of a square of four tiles

// GCC's tile instructions do not say that they read memory: without this, stores before them may
// come after them.
[[gnu::always_inline]] inline void storesAreDone() {
  asm volatile("" ::: "memory");
}

[[gnu::always_inline]] inline std::int64_t bytes(std::int64_t words) {
  return words * std::int64_t{sizeof(std::uint32_t)};
}

// The four tiles 0 … 3 hold a square of 32 x 32 sums.
[[gnu::always_inline]] inline void clearSquare() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

[[gnu::always_inline]] inline void loadSquare(const float* from, std::int64_t stride) {
  const float* lower = from + kMatrixRows * stride;
  _tile_loadd(0, from, bytes(stride));
  _tile_loadd(1, from + kMatrixWords, bytes(stride));
  _tile_loadd(2, lower, bytes(stride));
  _tile_loadd(3, lower + kMatrixWords, bytes(stride));
}

[[gnu::always_inline]] inline void storeSquare(float* to, std::int64_t stride) {
  float* lower = to + kMatrixRows * stride;
  _tile_stored(0, to, bytes(stride));
  _tile_stored(1, to + kMatrixWords, bytes(stride));
  _tile_stored(2, lower, bytes(stride));
  _tile_stored(3, lower + kMatrixWords, bytes(stride));
}

// square += a b over steps `first` … `end` - 1 of 16 words: a is 32 rows of words, b a row of 32
// words per word of a.
[[gnu::always_inline]] inline void multiplyAddSquare(const Words& a, const Words& b,
                                                     std::int64_t first, std::int64_t end) {
  const std::uint32_t* lower = a.data + kMatrixRows * a.stride;
  for (std::int64_t step = first; step < end; ++step) {
    const std::uint32_t* columns = b.data + step * kMatrixWords * b.stride;
    _tile_loadd(4, a.data + step * kMatrixWords, bytes(a.stride));
    _tile_loadd(6, columns, bytes(b.stride));
    _tile_loadd(7, columns + kMatrixWords, bytes(b.stride));
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(5, lower + step * kMatrixWords, bytes(a.stride));
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
}

}  // namespace
}  // namespace ropescope::cpu::blocks
