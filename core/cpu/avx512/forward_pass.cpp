#include "core/cpu/aligned_buffer.h"
#include "core/cpu/avx512/attention_layout.h"
#include "core/cpu/avx512/attention_passes.h"

namespace ropescope::cpu::blocks {
namespace {

class ForwardPass {
 public:
  ForwardPass(const AttentionSizes& sizes, const AttentionForward& pass,
              const BlockKernels& kernels)
      : m_layout(sizes),
        m_pass(pass),
        m_kernels(kernels),
        m_keyRows(sizes.kvHeads * m_layout.keyBlocks * m_layout.keyBlockWords),
        m_valueLanes(sizes.kvHeads * m_layout.keyBlocks * m_layout.keyBlockWords) {}

  void run(const ParallelFor& parallelFor) const {
    parallelFor(m_layout.sizes.kvHeads * m_layout.keyBlocks,
                [this](std::int64_t begin, std::int64_t end) {
                  for (std::int64_t item = begin; item < end; ++item) packKeys(item);
                });
    // A causal block costs what it sees. The first goes with the last, the second with the last
    // but one: then equal counts are equal work.
    const std::int64_t pairs = (m_layout.queryBlocks + 1) / 2;
    parallelFor(m_layout.sizes.heads * pairs, [this, pairs](std::int64_t begin, std::int64_t end) {
      const AlignedBuffer<float> scratch(m_kernels.forwardScratchFloats(m_layout.sizes.headDim));
      const KernelsAtWork atWork(m_kernels);
      for (std::int64_t item = begin; item < end; ++item) {
        const std::int64_t head = item / pairs;
        const std::int64_t block = item % pairs;
        const std::int64_t partner = m_layout.queryBlocks - 1 - block;
        attend(head, block, scratch.get());
        if (partner != block) attend(head, partner, scratch.get());
      }
    });
  }

 private:
  void packKeys(std::int64_t item) const {
    const std::int64_t head = item / m_layout.keyBlocks;
    const std::int64_t block = item % m_layout.keyBlocks;
    const std::int64_t at = item * m_layout.keyBlockWords;
    const int headDim = m_layout.sizes.headDim;
    packKeyRows(m_layout.keyRows(m_pass.k, head, block), headDim, m_keyRows.get() + at);
    packKeyLanes(m_layout.keyRows(m_pass.v, head, block), headDim, m_valueLanes.get() + at);
  }

  void attend(std::int64_t head, std::int64_t queryBlock, float* scratch) const {
    const std::int64_t kvHead = head / m_layout.groupHeads();
    const std::int64_t at = kvHead * m_layout.keyBlocks * m_layout.keyBlockWords;
    const std::int64_t first = queryBlock * kQueries;
    const AttentionSizes& sizes = m_layout.sizes;
    const Rows queries = m_layout.queryRows(m_pass.q, head, queryBlock);
    Visible visible{.keys = sizes.keys, .ahead = sizes.keys};
    if (sizes.mask == Mask::Causal) {
      visible.ahead = m_layout.past() + first;
      visible.keys = visible.ahead + queries.count;
    }
    m_kernels.attendBlock({.queries = queries,
                           .keyRows = m_keyRows.get() + at,
                           .valueLanes = m_valueLanes.get() + at,
                           .visible = visible,
                           .headDim = sizes.headDim,
                           .scale = m_layout.scale,
                           .output = m_layout.queryRows(m_pass.output, head, queryBlock),
                           .logSumExp = m_pass.logSumExp + head * sizes.tokens + first},
                          scratch);
  }

  AttentionLayout m_layout;
  AttentionForward m_pass;
  BlockKernels m_kernels;
  AlignedBuffer<std::uint32_t> m_keyRows;     // [G][blocks][kKeys][D / 2]
  AlignedBuffer<std::uint32_t> m_valueLanes;  // [G][blocks][D][kKeys / 2]
};

}  // namespace

void runForward(const AttentionSizes& sizes, const AttentionForward& pass,
                const BlockKernels& kernels, const ParallelFor& parallelFor) {
  ForwardPass(sizes, pass, kernels).run(parallelFor);
}

}  // namespace ropescope::cpu::blocks
