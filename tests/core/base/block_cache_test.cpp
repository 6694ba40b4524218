#include "core/base/block_cache.h"

#include <cstdint>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace ropescope {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(BlockCache, GivesAFreedBlockOutAgain) {
  BlockCache cache(8 * kMiB);
  const auto first = cache.take(kMiB);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first.data) % 64, 0u);
  EXPECT_GE(first.bytes, kMiB);
  cache.giveBack(first);
  EXPECT_EQ(cache.keptBytes(), first.bytes);
  const auto second = cache.take(kMiB - 100);
  EXPECT_EQ(second.data, first.data);
  EXPECT_EQ(cache.keptBytes(), 0u);
  cache.giveBack(second);
}

TEST(BlockCache, TakesTheSmallestThatFitsAndWastesAQuarterAtMost) {
  BlockCache cache(64 * kMiB);
  const auto large = cache.take(12 * kMiB);
  const auto fitting = cache.take(11 * kMiB);
  const auto small = cache.take(9 * kMiB);
  cache.giveBack(fitting);
  cache.giveBack(large);
  cache.giveBack(small);
  const auto taken = cache.take(10 * kMiB);
  EXPECT_EQ(taken.data, fitting.data);
  const auto fresh = cache.take(5 * kMiB);  // 9 and 12 MiB would waste more than a quarter
  EXPECT_EQ(fresh.bytes, 5 * kMiB);
  EXPECT_EQ(cache.keptBytes(), 21 * kMiB);
  cache.giveBack(taken);
  cache.giveBack(fresh);
}

TEST(BlockCache, KeepsNoMoreThanAllowedAndDropsTheLongestUnused) {
  BlockCache cache(3 * kMiB);
  std::vector<BlockCache::Block> blocks;
  for (int i = 0; i < 4; ++i) blocks.push_back(cache.take(kMiB));
  for (const auto& block : blocks) cache.giveBack(block);
  EXPECT_EQ(cache.keptBytes(), 3 * kMiB);
  const auto huge = cache.take(4 * kMiB);
  cache.giveBack(huge);  // alone beyond what may be kept
  EXPECT_EQ(cache.keptBytes(), 0u);
}

TEST(BlockCache, RefusesWhatTheSystemDoesNotHaveAfterGivingEverythingBack) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer ends the process where the system would refuse";
#endif
  BlockCache cache(8 * kMiB);
  cache.giveBack(cache.take(kMiB));
  EXPECT_THROW((void)cache.take(std::size_t{1} << 60), std::bad_alloc);
  EXPECT_EQ(cache.keptBytes(), 0u);
}

TEST(BlockCache, NoTwoThreadsHoldOneBlock) {
  BlockCache cache(16 * kMiB);
  constexpr int kRounds = 500;
  std::vector<int> foreign(4, 0);
  {
    std::vector<std::jthread> threads;
    for (int id = 0; id < 4; ++id) {
      threads.emplace_back([&cache, &foreign, id] {
        for (int round = 0; round < kRounds; ++round) {
          const auto block = cache.take(kMiB / 4);
          std::memset(block.data, id, 256);
          std::this_thread::yield();
          const auto* bytes = static_cast<const unsigned char*>(block.data);
          for (int i = 0; i < 256; ++i) foreign[static_cast<std::size_t>(id)] += bytes[i] != id;
          cache.giveBack(block);
        }
      });
    }
  }
  EXPECT_EQ(foreign, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace ropescope
