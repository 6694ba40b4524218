#include <immintrin.h>

#include "core/cpu/avx512/attention_blocks.h"

namespace ropescope::cpu::blocks {
namespace {

// The processor's layout of a tile configuration, palette 1.
struct alignas(64) Shapes {
  std::uint8_t palette = 1;
  std::uint8_t startRow = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(Shapes) == 64);
// Not on a stack: GCC 12 does not know that the instruction reads more than its first 8 bytes.
constexpr Shapes kShapes;

}  // namespace

void beginTiles() {
  _tile_loadconfig(&kShapes);
}

void endTiles() {
  _tile_release();
}

}  // namespace ropescope::cpu::blocks
