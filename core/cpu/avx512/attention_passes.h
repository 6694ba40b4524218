// Both passes over all blocks, for sizes that have been checked on a CPU that has been asked.
#pragma once

#include "core/cpu/attention_bf16.h"
#include "core/cpu/avx512/block_kernels.h"

namespace ropescope::cpu::blocks {

void runForward(const AttentionSizes& sizes, const AttentionForward& pass,
                const BlockKernels& kernels, const ParallelFor& parallelFor);
void runBackward(const AttentionSizes& sizes, const AttentionBackward& pass,
                 const BlockKernels& kernels, const ParallelFor& parallelFor);

}  // namespace ropescope::cpu::blocks
