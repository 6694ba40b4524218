#include "core/engine/tensor_memory.h"

#include <cstdlib>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace ropescope {
namespace {

// A fresh large block is zero; one that is given out again still holds the old values.
[[noreturn]] void makeTwice() {
  reuseTensorMemory();
  constexpr std::int64_t kFloats = 4 << 20;
  { const auto first = at::full({kFloats}, 7.0f); }
  const auto second = at::empty({kFloats}, at::kFloat);
  const bool reused = second.eq(7.0f).all().item<bool>();
  // Small blocks, none at all, and oneDNN, which frees by address.
  { const auto small = at::full({100}, 1.0f), none = at::empty({0}); }
  const auto matrix = at::ones({512, 512}, at::kBFloat16);
  const bool right = at::mm(matrix, matrix).eq(512).all().item<bool>();
  std::_Exit(reused && right ? 0 : 1);
}

// In a process of its own: the setting is for good.
TEST(TensorMemory, AFreedTensorsMemoryIsUsedAgain) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(makeTwice(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace ropescope
