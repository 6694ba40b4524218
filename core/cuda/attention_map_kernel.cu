#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "core/cuda/attention_map_kernel.h"
#include "core/cuda/map_tile.h"

namespace ropescope::cuda {
namespace {

struct DeviceBlock {
  MapRegisters own;

  template <class Step>
  __device__ void each(Step step) {
    step(static_cast<int>(threadIdx.x), own);
    __syncthreads();
  }
};

// Row cells lie along x, which may be long; groups of column cells along y.
template <class Scalar, class Reducer>
__global__ void __launch_bounds__(kMapThreads) attentionMap(const AttentionMapArgs args) {
  __shared__ MapShared shared;
  DeviceBlock block;
  const int row = args.rowBegin + static_cast<int>(blockIdx.x);
  const MapBlock part = mapBlock(args, row, static_cast<int>(blockIdx.y));
  drawMapBlock<Scalar, Reducer>(args, part, shared, block);
}

template <class Scalar>
void launch(const AttentionMapArgs& args, cudaStream_t stream) {
  const int groups = groupCount(args.keyEnd - args.keyBegin, args.width);
  const dim3 grid(static_cast<unsigned>(args.rowEnd - args.rowBegin),
                  static_cast<unsigned>(groups));
  if (args.reducer == MapReducer::Max) {
    attentionMap<Scalar, MaxOfWeights><<<grid, kMapThreads, 0, stream>>>(args);
  } else {
    attentionMap<Scalar, MeanOfWeights><<<grid, kMapThreads, 0, stream>>>(args);
  }
}

constexpr int kMaxGridY = 65535;  // of every CUDA device

bool usable(const AttentionMapArgs& args) {
  const std::int64_t queries = args.queryEnd - args.queryBegin;
  const std::int64_t keys = args.keyEnd - args.keyBegin;
  return args.q != nullptr && args.k != nullptr && args.lse != nullptr && args.out != nullptr &&
         args.headDim > 0 && args.queryStride >= 0 && args.keyStride >= 0 && args.keyBegin >= 0 &&
         args.queryBegin >= 0 && args.width > 0 && args.height > 0 && args.width <= keys &&
         args.height <= queries && args.rowBegin >= 0 && args.rowBegin <= args.rowEnd &&
         args.rowEnd <= args.height &&
         args.firstQuery <=
             cellBorder(args.queryBegin, args.queryEnd, args.height, args.rowBegin) &&
         groupCount(keys, args.width) <= kMaxGridY &&
         (args.reducer == MapReducer::Max || args.reducer == MapReducer::Mean);
}

}  // namespace
}  // namespace ropescope::cuda

extern "C" int ropescopeCudaAttentionMap(const ropescope::cuda::AttentionMapArgs* args,
                                         void* stream) {
  using namespace ropescope::cuda;
  if (args == nullptr || !usable(*args)) return cudaErrorInvalidValue;
  if (const cudaError_t error = cudaSetDevice(args->device); error != cudaSuccess) return error;
  if (args->rowBegin == args->rowEnd) return cudaSuccess;
  const auto queue = static_cast<cudaStream_t>(stream);
  switch (args->type) {
    case ElementType::Float32:
      launch<float>(*args, queue);
      break;
    case ElementType::BFloat16:
      launch<__nv_bfloat16>(*args, queue);
      break;
    case ElementType::Float16:
      launch<__half>(*args, queue);
      break;
    default:
      return cudaErrorInvalidValue;
  }
  return cudaGetLastError();
}
