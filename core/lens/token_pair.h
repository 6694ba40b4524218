// Two tokens and one head of a session: what each rotary pair adds to the score between them.
//
// With z = x[p] + i x[p + P] of q and of k before the rotation, pair p of a query at m and a key at
// n adds   t(m) t(n) / sqrt(D) * A_p cos(phi_p + angle_p(m) - angle_p(n)),
//        A_p = |z_q| |z_k|,   phi_p = arg z_q - arg z_k.        RoFormer, arXiv:2104.09864, 3.4.3
// The score is the sum over p. q and k before the rotation do not depend on a method in layer 0;
// deeper layers read hidden states that the session's own rotation has shaped, so another plan's
// numbers are exact in layer 0 and an approximation above: only this layer and head are done anew.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/session.h"
#include "core/rope/rope_method.h"

namespace ropescope {

struct PairRequest {
  int layer = 0;
  int head = 0;            // query head
  std::int64_t query = 0;  // position
  std::int64_t key = 0;    // position, at most query
  bool operator==(const PairRequest&) const = default;
};

// q and k of one head before the rotation.
struct HeadContents {
  std::vector<double> query;  // [D]
  std::vector<double> key;    // [D]
};

// A score and what the softmax makes of it within the query's row.
struct RowScore {
  double score = 0.0;      // q . k / sqrt(D), rotated
  double logSumExp = 0.0;  // over the keys 0 … query
  double weight() const { return std::exp(score - logSumExp); }
};

struct TokenPair {
  PairRequest request;
  HeadContents contents;      // as the session used them: LoRA and PSC included
  HeadContents uncalibrated;  // without PSC (LoRA included); the same without a calibration
  RowScore used;              // as the session's attention had them
};

// From captured data; no prefill.
// Errors: InvalidArgument (layer not captured, head, positions), Cancelled.
Result<TokenPair> tokenPair(const Session& session, const PairRequest& request,
                            const JobControl& job);

// The mean q and the mean k of a head over `tokens` evenly spaced positions. The score is linear in
// both: their curve is the mean over all tokens * tokens couples.
struct HeadMean {
  HeadContents contents;
  std::int64_t tokens = 0;  // sampled
  std::int64_t stride = 1;  // every stride-th position from 0 on
};
Result<HeadMean> headMean(const Session& session, int layer, int head, std::int64_t mostTokens,
                          const JobControl& job);

// What a row would be: rotation and PSC of this one layer and head done anew on the captured
// inputs.
struct RowChange {
  rope::RotaryPlan plan;
  double pscStrength = 1.0;
};
Result<RowScore> rowUnder(const Session& session, const PairRequest& request,
                          const RowChange& change, const JobControl& job);

// [P] signed shares of the score of a query at `query` and a key at `key`; they sum to it.
std::vector<double> contributions(const HeadContents& contents, const rope::RotaryPlan& plan,
                                  std::int64_t query, std::int64_t key);

struct PairShare {
  double amplitude = 0.0;  // A
  double phase = 0.0;      // phi, rad
};
std::vector<PairShare> pairShares(const HeadContents& contents);

// s(d) = t^2 / sqrt(D) * sum of A_p cos(phi_p + d w_p), for tokens behind the first unscaled ones
// (n-hat) of a plan that has such.
std::vector<double> scoreCurve(std::span<const PairShare> shares, const rope::RotaryPlan& plan,
                               std::span<const std::int64_t> distances);

}  // namespace ropescope
