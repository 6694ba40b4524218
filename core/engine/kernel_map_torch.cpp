#include "core/engine/kernel_map_torch.h"

#include <algorithm>
#include <cstring>

#include <ATen/ATen.h>

#include "core/engine/cuda_kernels_torch.h"

namespace ropescope {
namespace {

constexpr std::int64_t kSliceQueries = 4096;  // drawn by one launch, unless a single cell is taller
constexpr std::int64_t kProjectRows = 1024;   // queries made at a time, for all heads

// Rotated queries of one head, positions first … end - 1: [end - first, D].
at::Tensor headQueries(const Session::State& state, const MapRequest& request, std::int64_t first,
                       std::int64_t end) {
  const LayerCapture& capture = state.captures.at(request.layer);
  std::vector<at::Tensor> parts;
  for (std::int64_t row = first; row < end; row += kProjectRows) {
    const at::Tensor input = capture.input.narrow(0, row, std::min(kProjectRows, end - row));
    parts.push_back(
        queriesOf(state.context(), request.layer, input, row).select(1, request.head).clone());
  }
  return at::cat(parts, 0);
}

// The end of a run of row cells from `row` on: about kSliceQueries queries, at least one cell.
int sliceEnd(const MapRequest& request, int row) {
  const std::int64_t first = cellBegin(request.queries, request.height, row);
  int end = row + 1;
  while (end < request.height &&
         cellBegin(request.queries, request.height, end + 1) - first <= kSliceQueries) {
    ++end;
  }
  return end;
}

}  // namespace

bool kernelMapServes(const Session::State& state) {
  return kernelsTake(state.cache.keys);
}

Status drawKernelMap(const CudaKernels& kernels, const Session::State& state,
                     const MapRequest& request, std::vector<float>& values, const JobControl& job) {
  const ModelConfig& config = state.engine->config();
  const std::int64_t group = request.head / (config.heads / config.kvHeads);
  MapRows rows;
  rows.k =
      state.cache.keys.select(0, request.layer).select(0, group).narrow(0, 0, request.keys.end);
  const at::Tensor logSumExp = state.captures.at(request.layer)
                                   .logSumExp.select(0, request.head)
                                   .to(at::kFloat)
                                   .contiguous();
  const at::Tensor picture =
      at::empty({request.height, request.width}, rows.k.options().dtype(at::kFloat));
  for (int row = 0; row < request.height;) {
    if (job.stopRequested()) {
      return Error{ErrorCode::Cancelled, "drawing the attention map was stopped"};
    }
    const int end = sliceEnd(request, row);
    rows.firstQuery = cellBegin(request.queries, request.height, row);
    const std::int64_t endQuery = cellBegin(request.queries, request.height, end);
    rows.q = headQueries(state, request, rows.firstQuery, endQuery).to(rows.k.scalar_type());
    rows.lse = logSumExp.narrow(0, rows.firstQuery, endQuery - rows.firstQuery);
    if (Status drawn = drawMapRows(kernels, request, rows, row, end, picture); !drawn) {
      return drawn;
    }
    row = end;
  }
  const at::Tensor onCpu = picture.to(at::kCPU);  // waits for the GPU
  values.resize(static_cast<std::size_t>(onCpu.numel()));
  std::memcpy(values.data(), onCpu.const_data_ptr<float>(), values.size() * sizeof(float));
  return Done{};
}

}  // namespace ropescope
