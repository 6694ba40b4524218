#include "core/engine/attention_map_torch.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

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

Status checkBorders(const std::vector<std::int64_t>& borders, std::int64_t position) {
  const bool ascending =
      std::adjacent_find(borders.begin(), borders.end(), std::greater_equal<>()) == borders.end();
  if (ascending && borders.size() >= 2 && borders.front() >= 0 && borders.back() <= position) {
    return Done{};
  }
  return outOfRange("the borders of " + std::to_string(borders.size()) + " segments' tokens",
                    "two or more ascending positions within the " + std::to_string(position) +
                        " processed tokens are wanted");
}

Status checkRange(const TokenRange& range, const SegmentBorders& borders, std::int64_t position) {
  if (borders) {
    if (Status valid = checkBorders(*borders, position); !valid) return valid;
  }
  const std::int64_t units = borders ? std::ssize(*borders) - 1 : position;
  if (range.begin >= 0 && range.begin < range.end && range.end <= units) return Done{};
  return outOfRange(
      std::string("the ") + (borders ? "segment" : "token") + " range " + rangeText(range),
      "a range within the " + std::to_string(units) +
          (borders ? " segments is wanted" : " processed tokens is wanted"));
}

Status checkRequest(const Session::State& state, const MapRequest& request,
                    std::span<const int> heads) {
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
  for (const int head : heads) {
    if (head >= 0 && head < c.heads) continue;
    return outOfRange("head " + std::to_string(head),
                      "the model has query heads 0 to " + std::to_string(c.heads - 1));
  }
  for (const auto& [range, borders] : {std::pair{request.queries, request.queryBorders},
                                       std::pair{request.keys, request.keyBorders}}) {
    if (Status valid = checkRange(range, borders, position); !valid) return valid;
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
      return rowBegin(request, cell + 1) - rowBegin(request, group.firstCell);
    };
    if (!groups.empty() && rowsSo(groups.back()) <= kTileRows) {
      groups.back().lastCell = cell;
    } else {
      groups.push_back({cell, cell});
    }
  }
  return groups;
}

// What the pictures of some heads of one layer are drawn from.
struct LayerData {
  const Session::State& state;
  const MapRequest& request;  // its head is not looked at
  std::span<const int> heads;
  std::vector<at::Tensor> keys;  // of every head: [S, D] float32 (float64 in a float64 session)
  std::vector<at::Tensor> logSumExp;  // of every head: [n] on the CPU
  at::ScalarType type = at::kFloat;

  // [rows, H, D] rotated queries of the layer, scaled by 1 / sqrt(D).
  at::Tensor queries(std::int64_t first, std::int64_t rows) const {
    const at::Tensor input = state.captures.at(request.layer).input.narrow(0, first, rows);
    const at::Tensor q = queriesOf(state.context(), request.layer, input, first).to(type);
    return q * (1.0 / std::sqrt(static_cast<double>(q.size(2))));
  }
};

LayerData layerData(const Session::State& state, const MapRequest& request,
                    std::span<const int> heads) {
  const ModelConfig& c = state.engine->config();
  const bool wide = state.engine->state().placement.dtype == at::kDouble;
  LayerData data{state, request, heads, {}, {}, wide ? at::kDouble : at::kFloat};
  const at::Tensor cached = state.cache.keys.select(0, request.layer);  // [G, capacity, D]
  const at::Tensor sums = state.captures.at(request.layer).logSumExp;   // [H, capacity]
  std::map<int, at::Tensor> groups;  // heads that share a key head share its copy, if one is needed
  for (const int head : heads) {
    const int group = head / (c.heads / c.kvHeads);
    if (!groups.contains(group)) {
      groups[group] = cached.select(0, group).narrow(0, 0, keyTokens(request).end).to(data.type);
    }
    data.keys.push_back(groups[group]);
    data.logSumExp.push_back(sums.select(0, head).to(at::kCPU).contiguous());
  }
  return data;
}

// Some queries of one head, and what is needed to draw them.
struct HeadRows {
  at::Tensor queries;    // [rows, D] scaled
  at::Tensor keys;       // [S, D]
  at::Tensor logSumExp;  // [rows]
};

// Scores against keys [firstKey, endKey) minus the log-sum-exp: log weights, float32 on the CPU.
at::Tensor logWeights(const HeadRows& rows, std::int64_t firstKey, std::int64_t endKey) {
  const at::Tensor keys = rows.keys.narrow(0, firstKey, endKey - firstKey);
  at::Tensor scores = at::mm(rows.queries, keys.t()).to(at::kCPU);
  scores.sub_(rows.logSumExp.unsqueeze(1));
  return scores.to(at::kFloat).contiguous();
}

void drawHeadRows(const MapRequest& r, const HeadRows& head, std::int64_t first,
                  PooledRows& pooled) {
  const std::int64_t rows = head.queries.size(0);
  const TokenRange tokens = keyTokens(r);
  const std::int64_t endKey = std::min(tokens.end, first + rows);  // later keys are masked
  for (std::int64_t key = tokens.begin; key < endKey; key += kTileColumns) {
    const std::int64_t stop = std::min(key + kTileColumns, endKey);
    at::Tensor tile = logWeights(head, key, stop);
    if (r.reducer == Reducer::Mean) tile.exp_();
    pooled.add({.values = tile.const_data_ptr<float>(),
                .rows = rows,
                .columns = stop - key,
                .firstQuery = first,
                .firstKey = key});
  }
}

// `pooled`: one for every head. Queries are made once for all of them.
void drawRows(const LayerData& layer, const RowGroup& group, std::vector<PooledRows>& pooled) {
  const MapRequest& r = layer.request;
  const std::int64_t begin = rowBegin(r, group.firstCell);
  const std::int64_t end = rowBegin(r, group.lastCell + 1);
  for (std::int64_t first = begin; first < end; first += kTileRows) {
    const std::int64_t rows = std::min(kTileRows, end - first);
    const at::Tensor queries = layer.queries(first, rows);
    for (std::size_t i = 0; i < layer.heads.size(); ++i) {
      const HeadRows head{queries.select(1, layer.heads[i]), layer.keys[i],
                          layer.logSumExp[i].narrow(0, first, rows)};
      drawHeadRows(r, head, first, pooled[i]);
    }
  }
}

Status drawOnCpu(const LayerData& layer, std::vector<AttentionMap>& maps, const JobControl& job) {
  const std::vector<RowGroup> groups = groupRows(layer.request);
  const auto count = static_cast<std::int64_t>(groups.size());
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stopped{false};
  const auto work = [&](std::int64_t, std::int64_t) {
    const at::NoGradGuard noGrad;  // thread-local
    for (std::int64_t i = next++; i < count && !stopped; i = next++) {
      if (job.stopRequested()) stopped = true;
      // Later rows see more keys: the long ones go first, so that threads end together.
      const RowGroup& group = groups[static_cast<std::size_t>(count - 1 - i)];
      std::vector<PooledRows> pooled(maps.size(),
                                     PooledRows(layer.request, group.firstCell, group.lastCell));
      drawRows(layer, group, pooled);
      for (std::size_t head = 0; head < maps.size(); ++head) pooled[head].write(maps[head].values);
    }
  };
  if (layer.state.engine->state().placement.device.is_cpu()) {
    at::parallel_for(0, at::get_num_threads(), 1, work);
  } else {
    work(0, 1);
  }
  if (stopped) return Error{ErrorCode::Cancelled, "drawing the attention map was stopped"};
  return Done{};
}

}  // namespace

Result<std::vector<AttentionMap>> drawAttentionMaps(const Session::State& state,
                                                    const MapRequest& wanted,
                                                    std::span<const int> heads,
                                                    const JobControl& job) {
  if (Status valid = checkRequest(state, wanted, heads); !valid) return valid.error();
  if (heads.empty()) return std::vector<AttentionMap>();
  MapRequest request = wanted;
  request.width = static_cast<int>(std::min<std::int64_t>(request.width, request.keys.size()));
  request.height = static_cast<int>(std::min<std::int64_t>(request.height, request.queries.size()));
  std::vector<AttentionMap> maps;
  for (const int head : heads) {
    maps.push_back({.request = request, .values = {}});
    maps.back().request.head = head;
    maps.back().values.resize(static_cast<std::size_t>(request.width) *
                              static_cast<std::size_t>(request.height));
  }
  const auto& kernels = state.engine->state().kernels;
  // The kernels know equal cells alone.
  const bool equalCells = !request.queryBorders && !request.keyBorders;
  const Status drawn = kernels && equalCells && kernelMapServes(state)
                           ? drawKernelMaps(*kernels, state, maps, job)
                           : drawOnCpu(layerData(state, request, heads), maps, job);
  if (!drawn) return drawn.error();
  return maps;
}

Result<AttentionMap> drawAttentionMap(const Session::State& state, const MapRequest& request,
                                      const JobControl& job) {
  auto maps = drawAttentionMaps(state, request, std::span(&request.head, 1), job);
  if (!maps) return maps.error();
  return std::move(maps->front());
}

}  // namespace ropescope
