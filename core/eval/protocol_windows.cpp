#include "core/eval/protocol_windows.h"

#include <algorithm>
#include <string>

#include "core/base/memory_size.h"

namespace ropescope {
namespace {

std::vector<ProtocolWindow> slidingWindows(std::int64_t size, std::int64_t stride,
                                           std::int64_t documentTokens, bool bos) {
  std::vector<ProtocolWindow> windows;
  std::int64_t scoredTo = 0;
  for (std::int64_t begin = 0; scoredTo < documentTokens; begin += stride) {
    const std::int64_t end = std::min(begin + size, documentTokens);
    // Nothing predicts the first token of a window without BOS.
    const std::int64_t predicted = end - begin - (bos ? 0 : 1);
    windows.push_back({begin, end, std::min(end - scoredTo, predicted)});
    scoredTo = end;
  }
  return windows;
}

std::vector<ProtocolWindow> chunksOfLlamaCpp(std::int64_t length, std::int64_t documentTokens,
                                             bool bos) {
  std::vector<ProtocolWindow> windows;
  const std::int64_t chunks = (documentTokens + (bos ? 1 : 0)) / length;
  for (std::int64_t i = 0; i < chunks; ++i) {
    // With BOS in front of the document own token t stands at t + 1 of the stream.
    const std::int64_t end = (i + 1) * length - (bos ? 1 : 0);
    windows.push_back({i * length, end, length - length / 2 - 1});
  }
  return windows;
}

}  // namespace

std::vector<ProtocolWindow> protocolWindows(const PerplexityConfig& config, std::int64_t length,
                                            std::int64_t documentTokens, bool bos) {
  if (length > longestLength(config.protocol, documentTokens, bos)) return {};
  const std::int64_t own = length - (bos ? 1 : 0);
  switch (config.protocol) {
    case Protocol::OnePass:
    case Protocol::Truncate:
      return slidingWindows(own, own, own, bos);
    case Protocol::Sliding:
      return slidingWindows(own, config.stride, documentTokens, bos);
    case Protocol::LlamaCpp:
      return chunksOfLlamaCpp(length, documentTokens, bos);
  }
  return {};
}

std::int64_t longestLength(Protocol protocol, std::int64_t documentTokens, bool bos) {
  const std::int64_t stream = documentTokens + (bos ? 1 : 0);
  return protocol == Protocol::LlamaCpp ? stream / 2 : stream;
}

Status checkReach(const PerplexityConfig& config, std::int64_t longestDocument, bool bos) {
  const std::int64_t reachable = longestLength(config.protocol, longestDocument, bos);
  if (config.lengths.back() <= reachable) return Done{};
  const bool half = config.protocol == Protocol::LlamaCpp;
  return Error{ErrorCode::InvalidArgument,
               "the longest document has " + countText(longestDocument + (bos ? 1 : 0)) +
                   " tokens, the length " + countText(config.lengths.back()) + " was asked for" +
                   (half ? " and the protocol llama.cpp needs twice as many" : "") +
                   "; give a longer document or lengths up to " + std::to_string(reachable)};
}

}  // namespace ropescope
