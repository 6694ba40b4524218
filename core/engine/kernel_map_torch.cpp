#include "core/engine/kernel_map_torch.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "core/engine/cuda_kernels_torch.h"

namespace ropescope {
namespace {

constexpr std::int64_t kSliceQueries = 4096;  // drawn by one launch, unless a single cell is taller
constexpr std::int64_t kProjectRows = 1024;   // queries made at a time

// Rotated queries of a layer, positions first … end - 1: [end - first, H, D].
at::Tensor layerQueries(const Session::State& state, int layer, std::int64_t first,
                        std::int64_t end) {
  std::vector<at::Tensor> parts;
  for (std::int64_t row = first; row < end; row += kProjectRows) {
    const at::Tensor input =
        state.captures.at(layer).input.narrow(0, row, std::min(kProjectRows, end - row));
    parts.push_back(queriesOf(state.context(), layer, input, row));
  }
  return parts.size() == 1 ? parts.front() : at::cat(parts, 0);
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

Status drawKernelMaps(const CudaKernels& kernels, const Session::State& state,
                      std::vector<AttentionMap>& maps, const JobControl& job) {
  const MapRequest& request = maps.front().request;  // all alike, but for the head
  const ModelConfig& config = state.engine->config();
  const at::Tensor keys = state.cache.keys.select(0, request.layer);  // [G, capacity, D]
  const at::Tensor sums =
      state.captures.at(request.layer).logSumExp.to(at::kFloat).contiguous();  // [H, capacity]
  const at::Tensor pictures =
      at::empty({static_cast<std::int64_t>(maps.size()), request.height, request.width},
                keys.options().dtype(at::kFloat));
  for (int row = 0; row < request.height;) {
    if (job.stopRequested()) {
      return Error{ErrorCode::Cancelled, "drawing the attention map was stopped"};
    }
    const int end = sliceEnd(request, row);
    const std::int64_t first = cellBegin(request.queries, request.height, row);
    const std::int64_t endQuery = cellBegin(request.queries, request.height, end);
    const at::Tensor queries =
        layerQueries(state, request.layer, first, endQuery).to(keys.scalar_type());
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const std::int64_t head = maps[i].request.head;
      const MapRows rows{
          .q = queries.select(1, head),
          .k =
              keys.select(0, head / (config.heads / config.kvHeads)).narrow(0, 0, request.keys.end),
          .lse = sums.select(0, head).narrow(0, first, endQuery - first),
          .firstQuery = first};
      const at::Tensor picture = pictures.select(0, static_cast<std::int64_t>(i));
      if (Status drawn = drawMapRows(kernels, request, rows, row, end, picture); !drawn) {
        return drawn;
      }
    }
    row = end;
  }
  const at::Tensor onCpu = pictures.to(at::kCPU);  // waits for the GPU
  const float* values = onCpu.const_data_ptr<float>();
  for (AttentionMap& map : maps) {
    map.values.assign(values, values + onCpu.stride(0));
    values += onCpu.stride(0);
  }
  return Done{};
}

}  // namespace ropescope
