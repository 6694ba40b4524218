#include "core/eval/protocol_windows.h"

#include <gtest/gtest.h>

namespace ropescope {
namespace {

using Windows = std::vector<std::vector<std::int64_t>>;  // begin, end, scored

Windows windows(const PerplexityConfig& config, std::int64_t length, std::int64_t tokens,
                bool bos) {
  Windows plain;
  for (const ProtocolWindow& each : protocolWindows(config, length, tokens, bos)) {
    plain.push_back({each.begin, each.end, each.scored});
  }
  return plain;
}

PerplexityConfig sliding(std::int64_t stride) {
  return {.protocol = Protocol::Sliding, .stride = stride};
}

// Expected values: the loop of YaRN's eval/perplexity.py worked through by hand. 1,000 tokens,
// max_length 513 (so 512 own tokens a window), stride 256: windows 0-512, 256-768, 512-1000.
TEST(ProtocolWindows, SlideAsInYarnsProgram) {
  EXPECT_EQ(windows(sliding(256), 513, 1000, true),
            (Windows{{0, 512, 512}, {256, 768, 256}, {512, 1000, 232}}));
}

TEST(ProtocolWindows, StopAtTheWindowThatReachesTheEnd) {
  EXPECT_EQ(windows(sliding(256), 513, 768, true), (Windows{{0, 512, 512}, {256, 768, 256}}));
  EXPECT_EQ(windows(sliding(256), 513, 769, true),
            (Windows{{0, 512, 512}, {256, 768, 256}, {512, 769, 1}}));
  EXPECT_EQ(windows(sliding(256), 513, 512, true), (Windows{{0, 512, 512}}));
  EXPECT_EQ(windows(sliding(512), 513, 1024, true), (Windows{{0, 512, 512}, {512, 1024, 512}}));
}

// Without BOS a window takes max_length tokens and its first token has no prediction; only the
// first window scores from its start.
TEST(ProtocolWindows, WithoutBosTheFirstTokenIsNotScored) {
  EXPECT_EQ(windows(sliding(20), 40, 100, false),
            (Windows{{0, 40, 39}, {20, 60, 20}, {40, 80, 20}, {60, 100, 20}}));
}

TEST(ProtocolWindows, OfTruncateIsOne) {
  const PerplexityConfig config{.protocol = Protocol::Truncate};
  EXPECT_EQ(windows(config, 513, 1000, true), (Windows{{0, 512, 512}}));
  EXPECT_EQ(windows(config, 513, 1000, false), (Windows{{0, 513, 512}}));
  EXPECT_EQ(windows(config, 513, 512, true), (Windows{{0, 512, 512}}));
  EXPECT_EQ(windows(config, 513, 511, true), Windows{});
}

// By hand from llama.cpp's loop, n_ctx 10, first = 5: predictions at 5, 6, 7, 8, so 4 tokens. With
// BOS the stream is BOS t0 … t24 (26 tokens, two chunks); chunk 1 holds t9 … t18 and BOS replaces
// t9, so the model reads BOS t10 … t18.
TEST(ProtocolWindows, OfLlamaCppDoNotOverlap) {
  const PerplexityConfig config{.protocol = Protocol::LlamaCpp};
  EXPECT_EQ(windows(config, 10, 25, true), (Windows{{0, 9, 4}, {10, 19, 4}}));
  EXPECT_EQ(windows(config, 10, 25, false), (Windows{{0, 10, 4}, {10, 20, 4}}));
  EXPECT_EQ(windows(config, 11, 22, false), (Windows{{0, 11, 5}, {11, 22, 5}}));  // 11 - 5 - 1
}

TEST(ProtocolWindows, OfLlamaCppAt512Score255EachAndNeedTwoChunks) {
  const PerplexityConfig config{.protocol = Protocol::LlamaCpp};
  const auto two = windows(config, 512, 1023, true);
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0][2], 255);
  EXPECT_EQ(windows(config, 512, 1022, true), Windows{});
  EXPECT_EQ(longestLength(Protocol::LlamaCpp, 1023, true), 512);
  EXPECT_EQ(longestLength(Protocol::LlamaCpp, 1022, true), 511);
  EXPECT_EQ(longestLength(Protocol::Sliding, 1022, true), 1023);
  EXPECT_EQ(longestLength(Protocol::OnePass, 1022, false), 1022);
}

}  // namespace
}  // namespace ropescope
