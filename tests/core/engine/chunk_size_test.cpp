// By hand from the rule: 16 steps of the context, 4e12 operations at two per weight and token, a
// power of two from 512 to 8,192.
#include "core/engine/chunk_size.h"

#include <gtest/gtest.h>

namespace ropescope {
namespace {

constexpr std::int64_t kSmall = 11'000'000;

TEST(GpuChunkTokens, LeavesSixteenStepsOfTheContext) {
  EXPECT_EQ(gpuChunkTokens(16384, kSmall), 1024);
  EXPECT_EQ(gpuChunkTokens(65536, kSmall), 4096);
  EXPECT_EQ(gpuChunkTokens(65568, kSmall), 4096);  // 4,098 is no power of two
  EXPECT_EQ(gpuChunkTokens(131071, kSmall), 4096);
}

TEST(GpuChunkTokens, StaysBetween512And8192) {
  EXPECT_EQ(gpuChunkTokens(1, kSmall), 512);
  EXPECT_EQ(gpuChunkTokens(8192, kSmall), 512);
  EXPECT_EQ(gpuChunkTokens(std::int64_t{1} << 26, kSmall), 8192);
}

TEST(GpuChunkTokens, IsAtMostFourTeraoperations) {
  EXPECT_EQ(gpuChunkTokens(std::int64_t{1} << 20, 1'000'000'000), 1024);  // 2,000 by work
  EXPECT_EQ(gpuChunkTokens(std::int64_t{1} << 20, 7'000'000'000), 512);   // 285 by work
  EXPECT_EQ(gpuChunkTokens(std::int64_t{1} << 20, 0), 8192);
}

}  // namespace
}  // namespace ropescope
