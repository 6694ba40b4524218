// What a Phase Shift Calibration does to q and k before they are rotated: the gate of every
// component, and what it means for a rotary pair. arXiv:2505.12423, section 3
//
//   gate = 1 + P tanh(SiLU(x U) W) / 2      between 1 - P/2 and 1 + P/2; depends on the content x
//   only
//
// A pair's two components get gates whose ratio is below 3 at P = 1: its direction turns by less
// than 30 degrees (asin 1/2) and its length changes by less than half either way.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/session.h"

namespace ropescope {

struct GateRequest {
  int layer = 0;
  std::int64_t position = 0;
  double strength = 1.0;  // P: 1 as trained, 0 identity
};

// q or k of one token in one layer.
struct SideGates {
  int heads = 0;
  int headDim = 0;
  std::vector<double> contents;  // [heads, D] before the gate, LoRA included
  std::vector<double> gates;     // [heads, D]
  std::span<const double> contentsOf(int head) const { return row(contents, head); }
  std::span<const double> gatesOf(int head) const { return row(gates, head); }

 private:
  std::span<const double> row(const std::vector<double>& values, int head) const {
    const auto size = static_cast<std::size_t>(headDim);
    return std::span(values).subspan(static_cast<std::size_t>(head) * size, size);
  }
};

struct TokenGates {
  GateRequest request;
  SideGates query;  // H heads
  SideGates key;    // G heads
};

// Errors: InvalidArgument (no calibration with phase modules in use, layer not captured, position,
// strength), Cancelled.
Result<TokenGates> tokenGates(const Session& session, const GateRequest& request,
                              const JobControl& job);

// What the gates of one head do to its pairs (p, p + P).
struct PairTurn {
  double degrees = 0.0;  // of the direction, signed; 0 for a pair without a length
  double length = 1.0;   // after / before
};
std::vector<PairTurn> pairTurns(std::span<const double> contents, std::span<const double> gates);

enum class GateSide { Query, Key };

// How a head's gates vary over what was read.
struct SpreadRequest {
  int layer = 0;
  GateSide side = GateSide::Query;
  int head = 0;  // query head, or key head of its own count
  double strength = 1.0;
  std::int64_t mostTokens = 1024;
};

// Shares of the sampled tokens that lie below.
struct Quantiles {
  double low = 0.0;      // 5 %
  double quarter = 0.0;  // 25 %
  double median = 0.0;
  double threeQuarters = 0.0;
  double high = 0.0;  // 95 %
};

struct GateSpread {
  SpreadRequest request;
  std::int64_t tokens = 0;  // sampled: positions 0, stride, 2 stride, …
  std::int64_t stride = 1;
  std::vector<Quantiles> gates;  // [D]
  std::vector<Quantiles> turns;  // [P] degrees
  Quantiles all;                 // gates of all components
};
Result<GateSpread> gateSpread(const Session& session, const SpreadRequest& request,
                              const JobControl& job);

}  // namespace ropescope
