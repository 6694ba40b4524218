#include "core/engine/attention_map_torch.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "core/engine/kernel_map_torch.h"
#include "core/probe/tile_pooling.h"

namespace ropescope {
namespace {

constexpr std::int64_t kTileRows = 128;
constexpr std::int64_t kTileColumns = 2048;

Error outOfRange(const std::string& what, const std::string& wanted) {
  return Error{ErrorCode::InvalidArgument, "attention map: " + what + "; " + wanted};
}

std::string rangeText(const TokenRange& range) {
  return std::to_string(range.begin) + ":" + std::to_string(range.end);
}

Status checkRequest(const Session::State& state, const MapRequest& request) {
  const ModelConfig& c = state.engine->config();
  const auto position = static_cast<std::int64_t>(state.tokens.size());
  if (request.layer < 0 || request.layer >= c.layers) {
    return outOfRange("layer " + std::to_string(request.layer),
                      "the model has layers 0 to " + std::to_string(c.layers - 1));
  }
  if (!state.captures.contains(request.layer)) {
    return outOfRange("layer " + std::to_string(request.layer) + " was not captured",
                      "start the session with this layer in captureLayers");
  }
  if (request.head < 0 || request.head >= c.heads) {
    return outOfRange("head " + std::to_string(request.head),
                      "the model has query heads 0 to " + std::to_string(c.heads - 1));
  }
  for (const TokenRange& range : {request.queries, request.keys}) {
    if (range.begin < 0 || range.begin >= range.end || range.end > position) {
      return outOfRange("the token range " + rangeText(range),
                        "a range within the " + std::to_string(position) +
                            " processed tokens is wanted");
    }
  }
  if (request.width < 1 || request.height < 1) {
    return outOfRange("a picture of " + std::to_string(request.width) + " x " +
                          std::to_string(request.height) + " cells",
                      "at least 1 x 1 is wanted");
  }
  return Done{};
}

// A run of row cells that is worked on as one: about kTileRows queries, at least one cell.
struct RowGroup {
  int firstCell = 0;
  int lastCell = 0;  // inclusive
};

std::vector<RowGroup> groupRows(const MapRequest& request) {
  std::vector<RowGroup> groups;
  for (int cell = 0; cell < request.height; ++cell) {
    const auto rowsSo = [&](const RowGroup& group) {
      return cellBegin(request.queries, request.height, cell + 1) -
             cellBegin(request.queries, request.height, group.firstCell);
    };
    if (!groups.empty() && rowsSo(groups.back()) <= kTileRows) {
      groups.back().lastCell = cell;
    } else {
      groups.push_back({cell, cell});
    }
  }
  return groups;
}

// What one head's picture is drawn from.
struct HeadData {
  const Session::State& state;
  const MapRequest& request;
  at::Tensor keys;       // [S, D] float32 (float64 in a float64 session), scaled by 1 / sqrt(D)
  at::Tensor logSumExp;  // [n] float32 on the CPU
  bool wide = false;     // float64 session

  // [rows, D] rotated queries of the head.
  at::Tensor queries(std::int64_t first, std::int64_t rows) const {
    const LayerCapture& capture = state.captures.at(request.layer);
    const at::Tensor input = capture.input.narrow(0, first, rows);
    return queriesOf(state.context(), request.layer, input, first)
        .select(1, request.head)
        .to(keys.scalar_type());
  }
};

HeadData headData(const Session::State& state, const MapRequest& request) {
  const ModelConfig& c = state.engine->config();
  const bool wide = state.engine->state().placement.dtype == at::kDouble;
  const auto type = wide ? at::kDouble : at::kFloat;
  const std::int64_t group = request.head / (c.heads / c.kvHeads);
  const double scale = 1.0 / std::sqrt(static_cast<double>(c.headDim));
  return {state, request,
          state.cache.keys.select(0, request.layer)
                  .select(0, group)
                  .narrow(0, 0, request.keys.end)
                  .to(type) *
              scale,
          state.captures.at(request.layer).logSumExp.select(0, request.head).to(at::kCPU).contiguous(),
          wide};
}

// Scores of `rows` queries from `first` against keys [firstKey, endKey), minus their log-sum-exp:
// log weights, float32 on the CPU.
at::Tensor logWeights(const HeadData& head, const at::Tensor& queries, std::int64_t first,
                      std::int64_t firstKey, std::int64_t endKey) {
  const at::Tensor keys = head.keys.narrow(0, firstKey, endKey - firstKey);
  at::Tensor scores = at::mm(queries, keys.t()).to(at::kCPU);
  scores.sub_(head.logSumExp.narrow(0, first, queries.size(0)).unsqueeze(1));
  return scores.to(at::kFloat).contiguous();
}

void drawRows(const HeadData& head, const RowGroup& group, PooledRows& pooled) {
  const MapRequest& r = head.request;
  const std::int64_t begin = cellBegin(r.queries, r.height, group.firstCell);
  const std::int64_t end = cellBegin(r.queries, r.height, group.lastCell + 1);
  for (std::int64_t first = begin; first < end; first += kTileRows) {
    const std::int64_t rows = std::min(kTileRows, end - first);
    const at::Tensor queries = head.queries(first, rows);
    const std::int64_t endKey = std::min(r.keys.end, first + rows);  // later keys are masked
    for (std::int64_t key = r.keys.begin; key < endKey; key += kTileColumns) {
      const std::int64_t stop = std::min(key + kTileColumns, endKey);
      at::Tensor tile = logWeights(head, queries, first, key, stop);
      if (r.reducer == Reducer::Mean) tile.exp_();
      pooled.add({.values = tile.const_data_ptr<float>(),
                  .rows = rows,
                  .columns = stop - key,
                  .firstQuery = first,
                  .firstKey = key});
    }
  }
}

}  // namespace

Result<AttentionMap> drawAttentionMap(const Session::State& state, const MapRequest& wanted,
                                      const JobControl& job) {
  if (Status valid = checkRequest(state, wanted); !valid) return valid.error();
  AttentionMap map{.request = wanted, .values = {}};
  MapRequest& request = map.request;
  request.width = static_cast<int>(std::min<std::int64_t>(request.width, request.keys.size()));
  request.height = static_cast<int>(std::min<std::int64_t>(request.height, request.queries.size()));
  map.values.resize(static_cast<std::size_t>(request.width) *
                    static_cast<std::size_t>(request.height));
  if (const auto& kernels = state.engine->state().kernels; kernels && kernelMapServes(state)) {
    if (Status drawn = drawKernelMap(*kernels, state, request, map.values, job); !drawn) {
      return drawn.error();
    }
    return map;
  }
  const HeadData head = headData(state, request);
  const std::vector<RowGroup> groups = groupRows(request);
  const auto count = static_cast<std::int64_t>(groups.size());
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stopped{false};
  const auto work = [&](std::int64_t, std::int64_t) {
    const at::NoGradGuard noGrad;  // thread-local
    for (std::int64_t i = next++; i < count && !stopped; i = next++) {
      if (job.stopRequested()) stopped = true;
      // Later rows see more keys: the long ones go first, so that threads end together.
      const RowGroup& group = groups[static_cast<std::size_t>(count - 1 - i)];
      PooledRows pooled(request, group.firstCell, group.lastCell);
      drawRows(head, group, pooled);
      pooled.write(map.values);
    }
  };
  if (state.engine->state().placement.device.is_cpu()) {
    at::parallel_for(0, at::get_num_threads(), 1, work);
  } else {
    work(0, 1);
  }
  if (stopped) return Error{ErrorCode::Cancelled, "drawing the attention map was stopped"};
  return map;
}

}  // namespace ropescope
