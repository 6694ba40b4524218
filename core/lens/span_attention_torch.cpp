#include <algorithm>
#include <cmath>

#include <ATen/core/grad_mode.h>

#include "core/engine/attention_map_torch.h"
#include "core/lens/span_attention.h"
#include "core/model/guard_torch.h"

namespace ropescope {
namespace {

// Queries of a long span are taken in slabs of so many rows of cells: as many threads can work, and
// memory stays a few numbers per key.
constexpr std::int64_t kCellQueries = 128;
constexpr std::int64_t kSlabCells = 8;

std::string layersText(const std::vector<int>& layers) {
  std::string text;
  for (const int layer : layers) text += (text.empty() ? "" : ", ") + std::to_string(layer);
  return text.empty() ? "none" : text;
}

// The heads that can be served.
Result<HeadSet> servedHeads(const Session& session, const SpanRequest& request) {
  const TokenRange& span = request.span;
  if (span.begin < 0 || span.begin >= span.end || span.end > session.position()) {
    return Error{ErrorCode::InvalidArgument, "the span " + std::to_string(span.begin) + ":" +
                                                 std::to_string(span.end) + " is not within the " +
                                                 std::to_string(session.position()) +
                                                 " processed tokens; choose one that is"};
  }
  if (request.heads.isEmpty()) {
    return Error{ErrorCode::InvalidArgument, "no head was chosen; choose at least one"};
  }
  const std::vector<int>& captured = session.options().captureLayers;
  HeadSet served = request.heads.within(captured);
  if (!served.isEmpty()) return served;
  return Error{ErrorCode::InvalidArgument,
               "the chosen heads are in layer " + layersText(request.heads.layers()) +
                   ", captured are " + layersText(captured) +
                   "; choose heads of a captured layer, or start a session that captures theirs"};
}

// One layer's share of a set.
struct LayerHeads {
  int layer = 0;
  std::vector<int> heads;
  std::vector<double> weights;
};

std::vector<LayerHeads> byLayer(const HeadSet& set) {
  std::vector<LayerHeads> layers;
  for (const WeightedHead& each : set.heads()) {
    if (layers.empty() || layers.back().layer != each.head.layer) {
      layers.push_back({each.head.layer, {}, {}});
    }
    layers.back().heads.push_back(each.head.head);
    layers.back().weights.push_back(each.weight);
  }
  return layers;
}

// Calls use(map, weight) for every head of the layer, with the means of the request's cells.
Status forEachMap(const Session& session, const LayerHeads& layer, MapRequest request,
                  const JobControl& job, const auto& use) {
  request.layer = layer.layer;
  request.reducer = Reducer::Mean;
  const auto maps = drawAttentionMaps(session.state(), request, layer.heads, job);
  if (!maps) return maps.error();
  for (std::size_t i = 0; i < maps->size(); ++i) use((*maps)[i], layer.weights[i]);
  return Done{};
}

// Adds the sums over the slab's queries to every key's number. A cell's mean runs over the queries
// that see the key: times their number it is the sum.
Status addSlab(const Session& session, const LayerHeads& layer, const TokenRange& slab,
               std::vector<double>& sums, const JobControl& job) {
  const std::int64_t cells = (slab.size() + kCellQueries - 1) / kCellQueries;
  const MapRequest request{.queries = slab,
                           .keys = {0, slab.end},
                           .width = static_cast<int>(slab.end),
                           .height = static_cast<int>(cells)};
  return forEachMap(session, layer, request, job, [&](const AttentionMap& map, double weight) {
    const float* cell = map.values.data();
    for (int row = 0; row < map.request.height; ++row) {
      const std::int64_t begin = cellBegin(slab, map.request.height, row);
      const std::int64_t end = cellBegin(slab, map.request.height, row + 1);
      for (std::int64_t key = 0; key < slab.end; ++key, ++cell) {
        const std::int64_t queries = end - std::max(begin, key);
        if (queries <= 0) continue;
        sums[static_cast<std::size_t>(key)] +=
            weight * static_cast<double>(*cell) * static_cast<double>(queries);
      }
    }
  });
}

Status addReads(const Session& session, SpanAttention& result, const JobControl& job) {
  constexpr std::int64_t kSlab = kCellQueries * kSlabCells;
  const TokenRange& span = result.span;
  for (const LayerHeads& layer : byLayer(result.heads)) {
    for (std::int64_t begin = span.begin; begin < span.end; begin += kSlab) {
      const TokenRange slab{begin, std::min(begin + kSlab, span.end)};
      if (Status added = addSlab(session, layer, slab, result.weights, job); !added) return added;
    }
  }
  for (double& weight : result.weights) weight /= static_cast<double>(span.size());
  return Done{};
}

// Rows of one query each, one column for the span.
Status addReaders(const Session& session, SpanAttention& result, const JobControl& job) {
  const TokenRange& span = result.span;
  const TokenRange queries{span.begin, session.position()};
  const MapRequest request{
      .queries = queries, .keys = span, .width = 1, .height = static_cast<int>(queries.size())};
  for (const LayerHeads& layer : byLayer(result.heads)) {
    const auto add = [&](const AttentionMap& map, double weight) {
      for (std::int64_t query = queries.begin; query < queries.end; ++query) {
        const float mean = map.values[static_cast<std::size_t>(query - queries.begin)];
        const std::int64_t keys = std::min(span.end, query + 1) - span.begin;
        result.weights[static_cast<std::size_t>(query)] +=
            weight * static_cast<double>(mean) * static_cast<double>(keys);
      }
    };
    if (Status added = forEachMap(session, layer, request, job, add); !added) return added;
  }
  return Done{};
}

Result<SpanAttention> measured(const Session& session, const SpanRequest& request,
                               const JobControl& job, const auto& add) {
  auto heads = servedHeads(session, request);
  if (!heads) return heads.error();
  return guardTorch("adding up attention", [&]() -> Result<SpanAttention> {
    const at::NoGradGuard noGrad;
    SpanAttention result{
        .span = request.span,
        .heads = *std::move(heads),
        .leftOutHeads = 0,
        .weights = std::vector<double>(static_cast<std::size_t>(session.position()))};
    result.leftOutHeads =
        static_cast<int>(request.heads.heads().size() - result.heads.heads().size());
    if (Status added = add(session, result, job); !added) return added.error();
    return result;
  });
}

}  // namespace

Result<SpanAttention> attentionFrom(const Session& session, const SpanRequest& request,
                                    const JobControl& job) {
  return measured(session, request, job, addReads);
}

Result<SpanAttention> attentionTo(const Session& session, const SpanRequest& request,
                                  const JobControl& job) {
  return measured(session, request, job, addReaders);
}

}  // namespace ropescope
