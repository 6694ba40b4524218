#include <algorithm>
#include <array>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/lens/captured_torch.h"
#include "core/lens/psc_gate.h"
#include "core/model/guard_torch.h"

namespace ropescope {
namespace {

using State = Session::State;

const char* const kWhat = "PSC gates";
constexpr std::int64_t kBlockRows = 256;

Status checkGates(const State& state, int layer, double strength) {
  const auto& calibration = state.options.calibration;
  if (!calibration || !calibration->info().hasPhase) {
    return Error{ErrorCode::InvalidArgument,
                 std::string(kWhat) + ": " +
                     (calibration ? calibration->info().path.string() + " holds no phase modules"
                                  : std::string("the session has no calibration")) +
                     "; start it with a PSC calibration (--calibration FILE)"};
  }
  if (Status valid = lens::checkLayer(state, layer, kWhat); !valid) return valid;
  if (strength >= 0.0 && strength <= 2.0) return Done{};
  return Error{ErrorCode::InvalidArgument,
               std::string(kWhat) + ": the strength is " + std::to_string(strength) +
                   "; 0 (identity) to 1 (as trained), at most 2, is wanted"};
}

const rope::PhaseModule& moduleOf(const State& state, int layer, Side side) {
  const auto& layers = state.options.calibration->tensors().layers;
  const LayerCalibration& own = layers[static_cast<std::size_t>(layer)];
  return side == Side::Query ? own.queryPhase : own.keyPhase;
}

// Contents [T, D] of one head before the gate, and gates [T, D]; both in double on the CPU.
struct HeadGates {
  at::Tensor contents;
  at::Tensor gates;
};

HeadGates headGates(const State& state, int layer, const at::Tensor& input, Side side, int head,
                    double strength) {
  const at::Tensor contents = unrotatedHead(state.context(), layer, input, side, head).projected;
  const rope::PhaseModule& module = moduleOf(state, layer, side);
  // A layer whose tensors the file lacks is left as it is.
  const at::Tensor gates =
      module.defined()
          ? rope::phaseGate(contents.unsqueeze(1),
                            {module.up.narrow(0, head, 1), module.down.narrow(0, head, 1)},
                            strength)
                .squeeze(0)
          : at::ones_like(contents);
  return {contents.to(at::kCPU, at::kDouble), gates.to(at::kCPU, at::kDouble)};
}

SideGates sideGates(const State& state, const GateRequest& request, Side side) {
  const ModelConfig& c = state.engine->config();
  SideGates gates{.heads = side == Side::Query ? c.heads : c.kvHeads,
                  .headDim = c.headDim,
                  .contents = {},
                  .gates = {}};
  const at::Tensor input = state.captures.at(request.layer).input.narrow(0, request.position, 1);
  for (int head = 0; head < gates.heads; ++head) {
    const HeadGates own = headGates(state, request.layer, input, side, head, request.strength);
    const auto append = [](std::vector<double>& all, const at::Tensor& values) {
      const auto row = lens::doubles(values);
      all.insert(all.end(), row.begin(), row.end());
    };
    append(gates.contents, own.contents);
    append(gates.gates, own.gates);
  }
  return gates;
}

// Between the two nearest values, as numpy and torch do by default.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - static_cast<double>(below));
}

Quantiles quantilesOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {.low = quantile(values, 0.05),
          .quarter = quantile(values, 0.25),
          .median = quantile(values, 0.5),
          .threeQuarters = quantile(values, 0.75),
          .high = quantile(values, 0.95)};
}

// Columns of samples: [component or pair][token].
using Columns = std::vector<std::vector<double>>;

std::vector<Quantiles> quantilesOf(Columns columns) {
  std::vector<Quantiles> all;
  all.reserve(columns.size());
  for (auto& column : columns) all.push_back(quantilesOf(std::move(column)));
  return all;
}

void addRows(const HeadGates& block, Columns& gates, Columns& turns) {
  const auto contents = lens::doubles(block.contents);
  const auto values = lens::doubles(block.gates);
  const std::size_t size = gates.size();
  for (std::size_t first = 0; first < values.size(); first += size) {
    const std::span row = std::span(values).subspan(first, size);
    const auto turned = pairTurns(std::span(contents).subspan(first, size), row);
    for (std::size_t i = 0; i < size; ++i) gates[i].push_back(row[i]);
    for (std::size_t p = 0; p < turned.size(); ++p) turns[p].push_back(turned[p].degrees);
  }
}

Result<GateSpread> computeSpread(const State& state, const SpreadRequest& r,
                                 const JobControl& job) {
  const auto tokens = static_cast<std::int64_t>(state.tokens.size());
  GateSpread spread{.request = r, .stride = (tokens + r.mostTokens - 1) / r.mostTokens};
  spread.tokens = (tokens + spread.stride - 1) / spread.stride;
  const at::Tensor rows =
      state.captures.at(r.layer).input.narrow(0, 0, tokens).slice(0, 0, tokens, spread.stride);
  const Side side = r.side == GateSide::Query ? Side::Query : Side::Key;
  const auto size = static_cast<std::size_t>(state.engine->config().headDim);
  Columns gates(size);
  Columns turns(size / 2);
  for (std::int64_t first = 0; first < rows.size(0); first += kBlockRows) {
    if (job.stopRequested()) return Error{ErrorCode::Cancelled, "the gates' spread was stopped"};
    const at::Tensor input =
        rows.narrow(0, first, std::min(kBlockRows, rows.size(0) - first)).contiguous();
    addRows(headGates(state, r.layer, input, side, r.head, r.strength), gates, turns);
  }
  std::vector<double> all;
  for (const auto& column : gates) all.insert(all.end(), column.begin(), column.end());
  spread.all = quantilesOf(std::move(all));
  spread.gates = quantilesOf(std::move(gates));
  spread.turns = quantilesOf(std::move(turns));
  return spread;
}

}  // namespace

Result<TokenGates> tokenGates(const Session& session, const GateRequest& request,
                              const JobControl& job) {
  const State& state = session.state();
  if (Status valid = checkGates(state, request.layer, request.strength); !valid) {
    return valid.error();
  }
  if (Status valid = lens::checkPosition(state, request.position, kWhat); !valid) {
    return valid.error();
  }
  if (job.stopRequested()) return Error{ErrorCode::Cancelled, "reading the gates was stopped"};
  return guardTorch("reading PSC gates", [&]() -> Result<TokenGates> {
    const at::NoGradGuard noGrad;
    return TokenGates{request, sideGates(state, request, Side::Query),
                      sideGates(state, request, Side::Key)};
  });
}

Result<GateSpread> gateSpread(const Session& session, const SpreadRequest& request,
                              const JobControl& job) {
  const State& state = session.state();
  if (Status valid = checkGates(state, request.layer, request.strength); !valid) {
    return valid.error();
  }
  if (Status valid = lens::checkPosition(state, 0, kWhat); !valid) return valid.error();
  const ModelConfig& c = state.engine->config();
  const int heads = request.side == GateSide::Query ? c.heads : c.kvHeads;
  if (request.head < 0 || request.head >= heads || request.mostTokens < 1) {
    return Error{ErrorCode::InvalidArgument,
                 std::string(kWhat) + ": head " + std::to_string(request.head) + " over " +
                     std::to_string(request.mostTokens) + " tokens; the " +
                     (request.side == GateSide::Query ? "query" : "key") + " side has heads 0 to " +
                     std::to_string(heads - 1) + ", and at least 1 token is wanted"};
  }
  return guardTorch("sampling PSC gates", [&]() -> Result<GateSpread> {
    const at::NoGradGuard noGrad;
    return computeSpread(state, request, job);
  });
}

}  // namespace ropescope
