// How many tokens one prefill step reads. Pure numbers, so that a test needs no GPU.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace ropescope {

inline constexpr std::int64_t kShortestChunk = 512;

// On a GPU, for a session that plans `contextTokens` and a model of `parameters` weights: the
// largest power of two that leaves 16 steps and is at most 4 TFLOP of work (2 operations per weight
// and token; a second on a small GPU), between 512 and 8,192.
constexpr std::int64_t gpuChunkTokens(std::int64_t contextTokens, std::int64_t parameters) {
  constexpr std::int64_t kLongestChunk = 8192;
  constexpr std::int64_t kSteps = 16;
  constexpr std::int64_t kOperations = 4'000'000'000'000;
  const std::int64_t most =
      std::min({contextTokens / kSteps, kOperations / (2 * std::max<std::int64_t>(parameters, 1)),
                kLongestChunk});
  if (most <= kShortestChunk) return kShortestChunk;
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(most)));
}

}  // namespace ropescope
