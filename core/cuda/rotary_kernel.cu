#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "core/cuda/map_cells.h"
#include "core/cuda/rotary_kernel.h"
#include "core/cuda/rotary_math.h"

namespace ropescope::cuda {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kMaxBlocks = 1 << 20;  // beyond that a thread takes several pairs

template <class Scalar>
__global__ void __launch_bounds__(kThreads) rotate(const RotaryArgs args, std::int64_t count) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  for (; index < count; index += step) rotatePair<Scalar>(args, index);
}

template <class Scalar>
void launch(const RotaryArgs& args, std::int64_t count, cudaStream_t stream) {
  const std::int64_t blocks = smaller((count + kThreads - 1) / kThreads, kMaxBlocks);
  rotate<Scalar><<<static_cast<unsigned>(blocks), kThreads, 0, stream>>>(args, count);
}

bool usable(const RotaryArgs& args) {
  return args.x != nullptr && args.cosTable != nullptr && args.sinTable != nullptr &&
         args.tokens >= 0 && args.heads > 0 && args.pairs > 0;
}

}  // namespace
}  // namespace ropescope::cuda

extern "C" int ropescopeCudaRotate(const ropescope::cuda::RotaryArgs* args, void* stream) {
  using namespace ropescope::cuda;
  if (args == nullptr || !usable(*args)) return cudaErrorInvalidValue;
  if (const cudaError_t error = cudaSetDevice(args->device); error != cudaSuccess) return error;
  const std::int64_t count = args->tokens * args->heads * args->pairs;
  if (count == 0) return cudaSuccess;
  const auto queue = static_cast<cudaStream_t>(stream);
  switch (args->type) {
    case ElementType::Float32:
      launch<float>(*args, count, queue);
      break;
    case ElementType::BFloat16:
      launch<__nv_bfloat16>(*args, count, queue);
      break;
    case ElementType::Float16:
      launch<__half>(*args, count, queue);
      break;
    default:
      return cudaErrorInvalidValue;
  }
  return cudaGetLastError();
}
