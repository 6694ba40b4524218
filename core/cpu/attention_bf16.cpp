#include "core/cpu/attention_bf16.h"

#include <new>
#include <string>

#ifdef ROPESCOPE_AVX512_BF16
#include "core/cpu/avx512/attention_passes.h"
#endif
#ifdef ROPESCOPE_AMX_BF16
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace ropescope::cpu {
namespace {

Status refuse(const std::string& text) {
  return Error{ErrorCode::InvalidArgument, "bfloat16 attention: " + text};
}

#ifdef ROPESCOPE_AMX_BF16
// Linux hands out the 8 KiB of tile registers to processes that ask; threads started later have
// them too. See the kernel's Documentation/arch/x86/xstate.rst.
bool kernelGrantsTiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILE_DATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#endif

#ifdef ROPESCOPE_AVX512_BF16
blocks::BlockKernels kernelsFor([[maybe_unused]] const AttentionSizes& sizes) {
  blocks::BlockKernels kernels;
#ifdef ROPESCOPE_AMX_BF16
  if (sizes.products == Products::Fastest && attentionTilesHeadSize(sizes.headDim) &&
      attentionTilesSupported()) {
    kernels.attendBlock = blocks::attendBlockInTiles;
    kernels.backwardScratchFloats = blocks::backwardScratchFloatsInTiles;
    kernels.backwardStep = blocks::backwardStepInTiles;
    kernels.begin = blocks::beginTiles;
    kernels.end = blocks::endTiles;
  }
#endif
  return kernels;
}
#endif

template <class Work>
Status runChecked(const AttentionSizes& sizes, const Work& work) {
  if (Status checked = checkAttentionSizes(sizes); !checked) return checked;
  if (!attentionBf16Supported()) {
    return Error{ErrorCode::Unsupported,
                 "bfloat16 attention: AVX512-BF16 is missing in this CPU or this build; "
                 "attentionBf16Supported() tells before"};
  }
  try {
    work();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::OutOfMemory, "bfloat16 attention: not enough memory for " +
                                             std::to_string(sizes.tokens) + " queries and " +
                                             std::to_string(sizes.keys) + " keys"};
  }
  return Done{};
}

}  // namespace

bool attentionBf16Supported() {
#ifdef ROPESCOPE_AVX512_BF16
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool attentionTilesSupported() {
#ifdef ROPESCOPE_AMX_BF16
  static const bool supported = attentionBf16Supported() && __builtin_cpu_supports("amx-tile") &&
                                __builtin_cpu_supports("amx-bf16") && kernelGrantsTiles();
  return supported;
#else
  return false;
#endif
}

Status checkAttentionSizes(const AttentionSizes& sizes) {
  if (sizes.kvHeads < 1 || sizes.heads < 1 || sizes.heads % sizes.kvHeads != 0) {
    return refuse(std::to_string(sizes.heads) + " query heads cannot share " +
                  std::to_string(sizes.kvHeads) + " key heads; the second must divide the first");
  }
  if (sizes.tokens < 1 || sizes.keys < 1) {
    return refuse("there are " + std::to_string(sizes.tokens) + " queries and " +
                  std::to_string(sizes.keys) + " keys; both must be at least 1");
  }
  if (!attentionHeadSize(sizes.headDim)) {
    return refuse("the head size is " + std::to_string(sizes.headDim) +
                  "; it must be a multiple of 16 from 16 to 256");
  }
  if (sizes.mask == Mask::Causal && sizes.tokens > sizes.keys) {
    return refuse("the causal mask needs a key for each of " + std::to_string(sizes.tokens) +
                  " queries, there are " + std::to_string(sizes.keys));
  }
  // Far above any score's scale, and far below where a hidden score, -1e30, would overflow.
  if (!(sizes.scale > 0.0 && sizes.scale <= 1e6)) {
    return refuse("the scale is " + std::to_string(sizes.scale) +
                  "; it must be above 0 and at most a million");
  }
  return Done{};
}

Status attendBf16(const AttentionSizes& sizes, [[maybe_unused]] const AttentionForward& pass,
                  [[maybe_unused]] const ParallelFor& parallelFor) {
  return runChecked(sizes, [&] {
#ifdef ROPESCOPE_AVX512_BF16
    blocks::runForward(sizes, pass, kernelsFor(sizes), parallelFor);
#endif
  });
}

Status attendBf16Backward(const AttentionSizes& sizes,
                          [[maybe_unused]] const AttentionBackward& pass,
                          [[maybe_unused]] const ParallelFor& parallelFor) {
  if (sizes.mask != Mask::Causal) {
    return refuse("the backward pass is written for the causal mask alone");
  }
  return runChecked(sizes, [&] {
#ifdef ROPESCOPE_AVX512_BF16
    blocks::runBackward(sizes, pass, kernelsFor(sizes), parallelFor);
#endif
  });
}

}  // namespace ropescope::cpu
