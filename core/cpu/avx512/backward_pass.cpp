#include <cstring>
#include <vector>

#include "core/cpu/aligned_buffer.h"
#include "core/cpu/avx512/attention_layout.h"
#include "core/cpu/avx512/attention_passes.h"

namespace ropescope::cpu::blocks {
namespace {

// Key heads at work at once, and parts of work that are worth having: both bound the memory and
// are the same for any number of threads, because each part has query sums of its own.
constexpr std::int64_t kHeadsAtOnce = 8;
constexpr std::int64_t kParts = 8;
constexpr std::int64_t kKeyBlocksPerPart = 4;
// What key blocks and their sums may take of the level-2 cache (1 MiB or more per core) while query
// blocks and theirs come from farther away.
constexpr std::int64_t kNearBytes = 384 * 1024;

// Key blocks begin … end - 1 and the query sums that they add to.
struct Part {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t firstQueryBlock = 0;  // earlier ones see none of the keys
  std::int64_t offset = 0;           // of the sums, in blocks of [D][kQueries]
};

std::int64_t firstQueryBlock(const AttentionLayout& layout, std::int64_t keyBlock) {
  return std::max<std::int64_t>(0, keyBlock * kKeys - layout.past()) / kQueries;
}

// Cuts one head's key blocks into parts of about equal work.
std::vector<Part> cutKeys(const AttentionLayout& layout, std::int64_t heads) {
  const std::int64_t count = std::clamp<std::int64_t>(
      kParts / heads, 1, std::max<std::int64_t>(1, layout.keyBlocks / kKeyBlocksPerPart));
  const auto steps = [&](std::int64_t keyBlock) {
    return layout.queryBlocks - firstQueryBlock(layout, keyBlock);
  };
  std::int64_t all = 0;
  for (std::int64_t block = 0; block < layout.keyBlocks; ++block) all += steps(block);
  std::vector<Part> parts;
  std::int64_t done = 0;
  std::int64_t offset = 0;
  for (std::int64_t block = 0; block < layout.keyBlocks; ++block) {
    const auto wanted = static_cast<std::int64_t>(parts.size());
    if (wanted < count && done * count >= all * wanted) {
      const std::int64_t first = firstQueryBlock(layout, block);
      parts.push_back({block, block, first, offset});
      offset += layout.queryBlocks - first;
    }
    parts.back().end = block + 1;
    done += steps(block);
  }
  return parts;
}

std::int64_t sumBlocks(const std::vector<Part>& parts, const AttentionLayout& layout) {
  return parts.back().offset + layout.queryBlocks - parts.back().firstQueryBlock;
}

// Three packings and two sums per key block. The order of additions is the same for any count.
std::int64_t keyBlocksAtOnce(const AttentionLayout& layout) {
  constexpr std::int64_t kPackings = 3;
  constexpr std::int64_t kSums = 2;
  const std::int64_t bytes =
      kPackings * layout.keyBlockWords * std::int64_t{sizeof(std::uint32_t)} +
      kSums * 2 * layout.keyBlockWords * std::int64_t{sizeof(float)};
  return std::max<std::int64_t>(1, kNearBytes / bytes);
}

class BackwardPass {
 public:
  BackwardPass(const AttentionSizes& sizes, const AttentionBackward& pass,
               const BlockKernels& kernels)
      : m_layout(sizes),
        m_pass(pass),
        m_kernels(kernels),
        m_heads(std::min(sizes.kvHeads, kHeadsAtOnce)),
        m_keyBlocks(keyBlocksAtOnce(m_layout)),
        m_parts(cutKeys(m_layout, m_heads)),
        m_sumBlocks(sumBlocks(m_parts, m_layout)),
        m_keys(m_heads * m_layout.keyBlocks, m_layout.keyBlockWords),
        m_queries(m_heads * m_layout.queryBlocks, m_layout.queryBlockWords),
        m_gradQueries(m_heads * m_sumBlocks * 2 * m_layout.queryBlockWords) {}

  // One query head of every key head at a time: a group's sums are added in the order of its heads.
  void run(const ParallelFor& parallelFor) {
    const auto forEach = [&](std::int64_t count, auto work) {
      parallelFor(count, [&work](std::int64_t begin, std::int64_t end) {
        for (std::int64_t item = begin; item < end; ++item) work(item);
      });
    };
    const std::int64_t kvHeads = m_layout.sizes.kvHeads;
    const auto parts = static_cast<std::int64_t>(m_parts.size());
    for (m_firstHead = 0; m_firstHead < kvHeads; m_firstHead += m_heads) {
      const std::int64_t heads = std::min(m_heads, kvHeads - m_firstHead);
      forEach(heads * m_layout.keyBlocks, [this](std::int64_t item) { packKeys(item); });
      for (m_member = 0; m_member < m_layout.groupHeads(); ++m_member) {
        forEach(heads * m_layout.queryBlocks, [this](std::int64_t item) { packQueries(item); });
        forEach(heads * parts, [this](std::int64_t item) { addPart(item); });
        forEach(heads * m_layout.queryBlocks, [this](std::int64_t item) { storeQueries(item); });
      }
    }
  }

 private:
  struct PackedKeys {
    PackedKeys(std::int64_t blocks, std::int64_t words)
        : rows(blocks * words),
          valueRows(blocks * words),
          lanes(blocks * words),
          grad(blocks * words * 2),
          gradValues(blocks * words * 2) {}
    AlignedBuffer<std::uint32_t> rows;
    AlignedBuffer<std::uint32_t> valueRows;
    AlignedBuffer<std::uint32_t> lanes;
    AlignedBuffer<float> grad;
    AlignedBuffer<float> gradValues;
  };
  struct PackedQueries {
    PackedQueries(std::int64_t blocks, std::int64_t words)
        : lanes(blocks * words),
          gradLanes(blocks * words),
          pairs(blocks * words),
          gradPairs(blocks * words),
          logSumExp(blocks * kQueries),
          delta(blocks * kQueries) {}
    AlignedBuffer<std::uint32_t> lanes;
    AlignedBuffer<std::uint32_t> gradLanes;
    AlignedBuffer<std::uint32_t> pairs;
    AlignedBuffer<std::uint32_t> gradPairs;
    AlignedBuffer<float> logSumExp;
    AlignedBuffer<float> delta;
  };

  // The query head at work that shares key head `local` of the heads at work.
  std::int64_t queryHead(std::int64_t local) const {
    return (m_firstHead + local) * m_layout.groupHeads() + m_member;
  }

  void packKeys(std::int64_t item) const {
    const std::int64_t head = m_firstHead + item / m_layout.keyBlocks;
    const std::int64_t block = item % m_layout.keyBlocks;
    const std::int64_t at = item * m_layout.keyBlockWords;
    const int headDim = m_layout.sizes.headDim;
    const Rows keys = m_layout.keyRows(m_pass.k, head, block);
    packKeyRows(keys, headDim, m_keys.rows.get() + at);
    packKeyLanes(keys, headDim, m_keys.lanes.get() + at);
    packKeyRows(m_layout.keyRows(m_pass.v, head, block), headDim, m_keys.valueRows.get() + at);
  }

  void packQueries(std::int64_t item) const {
    const std::int64_t head = queryHead(item / m_layout.queryBlocks);
    const std::int64_t block = item % m_layout.queryBlocks;
    const std::int64_t at = item * m_layout.queryBlockWords;
    const int headDim = m_layout.sizes.headDim;
    const Rows queries = m_layout.queryRows(m_pass.q, head, block);
    const Rows gradients = m_layout.queryRows(m_pass.gradOutput, head, block);
    packQueryLanes(queries, headDim, m_queries.lanes.get() + at);
    packQueryPairs(queries, headDim, m_queries.pairs.get() + at);
    packQueryLanes(gradients, headDim, m_queries.gradLanes.get() + at);
    packQueryPairs(gradients, headDim, m_queries.gradPairs.get() + at);
    rowProducts(gradients, m_layout.queryRows(m_pass.output, head, block), headDim,
                m_queries.delta.get() + item * kQueries);
    // A weight of 2^(0 - 1e30) is 0: lanes without a query add nothing.
    constexpr float kNoQuery = 1e30F;
    const float* from = m_pass.logSumExp + head * m_layout.sizes.tokens + block * kQueries;
    float* to = m_queries.logSumExp.get() + item * kQueries;
    for (std::int64_t i = 0; i < kQueries; ++i) {
      to[i] = i < queries.count
                  ? static_cast<float>(static_cast<double>(from[i]) * std::numbers::log2e)
                  : kNoQuery;
    }
  }

  // The query sums of one part of one head, from query block 0 on if there were such.
  float* querySums(std::int64_t local, const Part& part, std::int64_t queryBlock) const {
    const std::int64_t block =
        local * m_sumBlocks + part.offset + queryBlock - part.firstQueryBlock;
    return m_gradQueries.get() + block * 2 * m_layout.queryBlockWords;
  }

  void addPart(std::int64_t item) const {
    const auto parts = static_cast<std::int64_t>(m_parts.size());
    const std::int64_t local = item / parts;
    const Part& part = m_parts[static_cast<std::size_t>(item % parts)];
    const std::int64_t sums =
        (m_layout.queryBlocks - part.firstQueryBlock) * 2 * m_layout.queryBlockWords;
    std::memset(querySums(local, part, part.firstQueryBlock), 0,
                static_cast<std::size_t>(sums) * sizeof(float));
    const AlignedBuffer<float> scratch(m_kernels.backwardScratchFloats());
    const KernelsAtWork atWork(m_kernels);
    for (std::int64_t block = part.begin; block < part.end; block += m_keyBlocks) {
      addKeyBlocks(local, part, block, scratch.get());
    }
  }

  KeyBlock keyBlock(std::int64_t local, std::int64_t block) const {
    const std::int64_t at = (local * m_layout.keyBlocks + block) * m_layout.keyBlockWords;
    return {.keyRows = m_keys.rows.get() + at,
            .valueRows = m_keys.valueRows.get() + at,
            .keyLanes = m_keys.lanes.get() + at,
            .gradKeys = m_keys.grad.get() + 2 * at,
            .gradValues = m_keys.gradValues.get() + 2 * at};
  }

  void addKeyBlocks(std::int64_t local, const Part& part, std::int64_t first,
                    float* scratch) const {
    const std::int64_t end = std::min(part.end, first + m_keyBlocks);
    if (m_member == 0) {
      for (std::int64_t block = first; block < end; ++block) clearSums(keyBlock(local, block));
    }
    for (std::int64_t i = firstQueryBlock(m_layout, first); i < m_layout.queryBlocks; ++i) {
      const QueryBlock queries = queryBlock(local, part, i);
      for (std::int64_t block = first; block < end; ++block) {
        const Visible visible{
            .keys = std::min<std::int64_t>(kKeys, m_layout.sizes.keys - block * kKeys),
            .ahead = m_layout.past() + i * kQueries - block * kKeys};
        if (visible.ahead + kQueries <= 0) break;  // no query of the block sees these keys
        m_kernels.backwardStep({.queries = queries,
                                .keys = keyBlock(local, block),
                                .visible = visible,
                                .headDim = m_layout.sizes.headDim,
                                .scale = m_layout.scale},
                               scratch);
      }
    }
    if (m_member + 1 == m_layout.groupHeads()) {
      for (std::int64_t block = first; block < end; ++block) storeKeys(local, block);
    }
  }

  void clearSums(const KeyBlock& keys) const {
    const auto bytes = static_cast<std::size_t>(2 * m_layout.keyBlockWords) * sizeof(float);
    std::memset(keys.gradKeys, 0, bytes);
    std::memset(keys.gradValues, 0, bytes);
  }

  void storeKeys(std::int64_t local, std::int64_t block) const {
    const KeyBlock keys = keyBlock(local, block);
    const std::int64_t head = m_firstHead + local;
    const int headDim = m_layout.sizes.headDim;
    storeKeyRows(keys.gradKeys, static_cast<float>(m_layout.sizes.scale), headDim,
                 m_layout.keyRows(m_pass.gradK, head, block));
    storeKeyRows(keys.gradValues, 1.0F, headDim, m_layout.keyRows(m_pass.gradV, head, block));
  }

  QueryBlock queryBlock(std::int64_t local, const Part& part, std::int64_t block) const {
    const std::int64_t item = local * m_layout.queryBlocks + block;
    const std::int64_t at = item * m_layout.queryBlockWords;
    return {.queryLanes = m_queries.lanes.get() + at,
            .gradLanes = m_queries.gradLanes.get() + at,
            .queryPairs = m_queries.pairs.get() + at,
            .gradPairs = m_queries.gradPairs.get() + at,
            .logSumExp = m_queries.logSumExp.get() + item * kQueries,
            .delta = m_queries.delta.get() + item * kQueries,
            .gradQueries = querySums(local, part, block)};
  }

  void storeQueries(std::int64_t item) const {
    const std::int64_t local = item / m_layout.queryBlocks;
    const std::int64_t block = item % m_layout.queryBlocks;
    const float* sums[kParts];
    int count = 0;
    for (const Part& part : m_parts) {
      if (block >= part.firstQueryBlock) sums[count++] = querySums(local, part, block);
    }
    storeQueryRows({sums, count}, static_cast<float>(m_layout.sizes.scale), m_layout.sizes.headDim,
                   m_layout.queryRows(m_pass.gradQ, queryHead(local), block));
  }

  AttentionLayout m_layout;
  AttentionBackward m_pass;
  BlockKernels m_kernels;
  std::int64_t m_heads = 0;      // key heads at once
  std::int64_t m_keyBlocks = 0;  // key blocks at once
  std::vector<Part> m_parts;
  std::int64_t m_sumBlocks = 0;
  PackedKeys m_keys;
  PackedQueries m_queries;
  AlignedBuffer<float> m_gradQueries;  // [heads][m_sumBlocks][D][kQueries]
  std::int64_t m_firstHead = 0;
  std::int64_t m_member = 0;  // of the group
};

}  // namespace

void runBackward(const AttentionSizes& sizes, const AttentionBackward& pass,
                 const BlockKernels& kernels, const ParallelFor& parallelFor) {
  BackwardPass(sizes, pass, kernels).run(parallelFor);
}

}  // namespace ropescope::cpu::blocks
