// Which of the blocks' kernels a pass calls.
#pragma once

#include "core/cpu/avx512/attention_blocks.h"

namespace ropescope::cpu::blocks {

struct BlockKernels {
  std::int64_t (*forwardScratchFloats)(int headDim) = blocks::forwardScratchFloats;
  void (*attendBlock)(const ForwardBlock& block, float* scratch) = blocks::attendBlock;
  std::int64_t (*backwardScratchFloats)() = blocks::backwardScratchFloats;
  void (*backwardStep)(const BackwardStep& step, float* scratch) = blocks::backwardStep;
  void (*begin)() = nullptr;  // of a thread's work
  void (*end)() = nullptr;
};

// A thread's work with the kernels, from construction to destruction.
class KernelsAtWork {
 public:
  explicit KernelsAtWork(const BlockKernels& kernels) : m_kernels(kernels) {
    if (m_kernels.begin != nullptr) m_kernels.begin();
  }
  ~KernelsAtWork() {
    if (m_kernels.end != nullptr) m_kernels.end();
  }
  KernelsAtWork(const KernelsAtWork&) = delete;
  KernelsAtWork& operator=(const KernelsAtWork&) = delete;

 private:
  const BlockKernels& m_kernels;
};

}  // namespace ropescope::cpu::blocks
