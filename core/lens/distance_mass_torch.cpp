#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/engine/session_torch.h"
#include "core/lens/distance_mass.h"
#include "core/model/guard_torch.h"

namespace ropescope {
namespace {

constexpr std::int64_t kRows = 32;  // queries at a time: 32 x n scores are kept

Error refused(const std::string& what, const std::string& wanted) {
  return Error{ErrorCode::InvalidArgument, "attention by distance: " + what + "; " + wanted};
}

Status checkRequest(const Session& session, const DistanceMassRequest& request) {
  const Session::State& state = session.state();
  const ModelConfig& config = state.engine->config();
  const TokenRange& rows = request.queries;
  if (rows.begin < 0 || rows.begin >= rows.end || rows.end > session.position()) {
    return refused(
        "queries " + std::to_string(rows.begin) + ":" + std::to_string(rows.end),
        "a range within the " + std::to_string(session.position()) + " processed tokens is wanted");
  }
  if (request.heads.isEmpty()) return refused("no heads are chosen", "choose at least one");
  for (const WeightedHead& head : request.heads.heads()) {
    if (head.head.head < 0 || head.head.head >= config.heads) {
      return refused("head " + std::to_string(head.head.head),
                     "the model has query heads 0 to " + std::to_string(config.heads - 1));
    }
    if (!state.captures.contains(head.head.layer)) {
      return refused("layer " + std::to_string(head.head.layer) + " was not captured",
                     "start the session with this layer in captureLayers");
    }
  }
  if (request.plan && request.plan->invFreq.size() != session.plan().invFreq.size()) {
    return refused(
        "the edited rotation has " + std::to_string(request.plan->invFreq.size()) + " pairs",
        "the model has " + std::to_string(session.plan().invFreq.size()));
  }
  return Done{};
}

// Queries and keys of one layer, under the session's rotation or the edited one.
class LayerRows {
 public:
  LayerRows(const Session::State& state, int layer, const rope::RotaryTables* turn)
      : m_state(state),
        m_layer(layer),
        m_turn(turn),
        m_type(state.engine->state().placement.dtype == at::kDouble ? at::kDouble : at::kFloat) {}

  // [rows, H, D] scaled by 1 / sqrt(D).
  at::Tensor queries(std::int64_t first, std::int64_t rows) const {
    const at::Tensor input = m_state.captures.at(m_layer).input.narrow(0, first, rows);
    at::Tensor q = queriesOf(m_state.context(), m_layer, input, first).to(m_type);
    if (m_turn != nullptr) q = rope::rotate(q, *m_turn, first);
    return q * (1.0 / std::sqrt(static_cast<double>(q.size(2))));
  }

  // [end, D] of the key head that `head` reads.
  const at::Tensor& keys(int head, std::int64_t end) {
    const ModelConfig& c = m_state.engine->config();
    const int group = head / (c.heads / c.kvHeads);
    at::Tensor& keys = m_keys[group];
    if (keys.defined()) return keys;
    keys = m_state.cache.keys.select(0, m_layer).select(0, group).narrow(0, 0, end).to(m_type);
    if (m_turn != nullptr) keys = rope::rotate(keys.unsqueeze(1), *m_turn, 0).squeeze(1);
    return keys;
  }

  // Natural log of the softmax's denominator, one for each row of `scores` (queries first …).
  at::Tensor logSumExp(int head, std::int64_t first, const at::Tensor& scores) const {
    if (m_turn == nullptr) {
      return m_state.captures.at(m_layer).logSumExp.select(0, head).narrow(0, first,
                                                                           scores.size(0));
    }
    std::vector<at::Tensor> sums;
    for (std::int64_t row = 0; row < scores.size(0); ++row) {
      sums.push_back(at::logsumexp(scores.select(0, row).narrow(0, 0, first + row + 1), 0));
    }
    return at::stack(sums);
  }

 private:
  const Session::State& m_state;
  int m_layer;
  const rope::RotaryTables* m_turn;
  at::ScalarType m_type;
  std::map<int, at::Tensor> m_keys;  // by key head
};

// Adds the weights [rows, first + rows] of queries first …, each times `share`.
void addRows(const at::Tensor& weights, std::int64_t first, double share,
             std::int64_t ignoredTokens, DistanceMass& mass) {
  const auto columns = static_cast<std::size_t>(weights.size(1));
  const double* values = weights.const_data_ptr<double>();
  for (std::int64_t row = 0; row < weights.size(0); ++row, values += columns) {
    const auto query = static_cast<std::size_t>(first + row);
    const std::size_t begin = std::min(query + 1, static_cast<std::size_t>(ignoredTokens));
    mass.ignored += share * std::accumulate(values, values + begin, 0.0);
    for (std::size_t key = begin; key <= query; ++key) {
      const double weight = share * values[key];
      mass.byDistance[query - key] += weight;
      mass.byKey[key] += weight;
    }
  }
}

Status addLayer(LayerRows& layer, int index, const DistanceMassRequest& request,
                const JobControl& job, DistanceMass& mass) {
  const TokenRange& range = request.queries;
  for (std::int64_t first = range.begin; first < range.end; first += kRows) {
    if (job.stopRequested()) {
      return Error{ErrorCode::Cancelled, "attention by distance was stopped"};
    }
    const std::int64_t rows = std::min(kRows, range.end - first);
    const at::Tensor queries = layer.queries(first, rows);
    for (const WeightedHead& head : request.heads.heads()) {
      if (head.head.layer != index) continue;
      const at::Tensor keys = layer.keys(head.head.head, range.end).narrow(0, 0, first + rows);
      at::Tensor scores = at::mm(queries.select(1, head.head.head), keys.t());
      scores.sub_(layer.logSumExp(head.head.head, first, scores).unsqueeze(1));
      addRows(scores.exp_().to(at::kCPU, at::kDouble).contiguous(), first,
              head.weight / static_cast<double>(range.size()), request.ignoredTokens, mass);
    }
  }
  return Done{};
}

}  // namespace

double DistanceMass::atLeast(std::int64_t distance) const {
  const auto size = static_cast<std::int64_t>(byDistance.size());
  const auto from = std::clamp<std::int64_t>(distance, 0, size);
  return std::accumulate(byDistance.begin() + from, byDistance.end(), 0.0);
}

Result<DistanceMass> distanceMass(const Session& session, const DistanceMassRequest& request,
                                  const JobControl& job) {
  if (Status valid = checkRequest(session, request); !valid) return valid.error();
  return guardTorch("adding up attention by distance", [&]() -> Result<DistanceMass> {
    const at::NoGradGuard noGrad;
    const Session::State& state = session.state();
    const auto tokens = static_cast<std::size_t>(request.queries.end);
    DistanceMass mass{.queries = request.queries,
                      .byDistance = std::vector<double>(tokens),
                      .byKey = std::vector<double>(tokens)};
    rope::RotaryTables turn;
    if (request.plan) {
      turn = rope::turnTables(session.plan(), *request.plan, request.queries.end,
                              state.tables.cos.device(), state.tables.cos.scalar_type());
    }
    for (const int layer : request.heads.layers()) {
      LayerRows rows(state, layer, request.plan ? &turn : nullptr);
      if (Status added = addLayer(rows, layer, request, job, mass); !added) return added.error();
    }
    return mass;
  });
}

}  // namespace ropescope
