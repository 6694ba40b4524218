// How heads and tokens are cut into blocks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numbers>

#include "core/cpu/attention_bf16.h"
#include "core/cpu/avx512/attention_blocks.h"

namespace ropescope::cpu::blocks {

struct AttentionLayout {
  explicit AttentionLayout(const AttentionSizes& s)
      : sizes(s),
        queryBlocks((s.tokens + kQueries - 1) / kQueries),
        keyBlocks((s.keys + kKeys - 1) / kKeys),
        queryBlockWords(std::int64_t{kQueries} * s.headDim / 2),
        keyBlockWords(std::int64_t{kKeys} * s.headDim / 2),
        scale(static_cast<float>(s.scale * std::numbers::log2e)) {}

  std::int64_t past() const { return sizes.keys - sizes.tokens; }
  std::int64_t groupHeads() const { return sizes.heads / sizes.kvHeads; }

  template <class Value>
  RowsOf<Value> queryRows(const HeadsOf<Value>& heads, std::int64_t head,
                          std::int64_t block) const {
    const std::int64_t first = block * kQueries;
    return {heads.row(head, first), heads.tokenStride,
            std::min<std::int64_t>(kQueries, sizes.tokens - first)};
  }
  template <class Value>
  RowsOf<Value> keyRows(const HeadsOf<Value>& heads, std::int64_t head, std::int64_t block) const {
    const std::int64_t first = block * kKeys;
    return {heads.row(head, first), heads.tokenStride,
            std::min<std::int64_t>(kKeys, sizes.keys - first)};
  }

  AttentionSizes sizes;
  std::int64_t queryBlocks = 0;
  std::int64_t keyBlocks = 0;
  std::int64_t queryBlockWords = 0;
  std::int64_t keyBlockWords = 0;
  float scale = 0.0F;  // of scores in units of ln 2
};

}  // namespace ropescope::cpu::blocks
