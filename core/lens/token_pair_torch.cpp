#include <algorithm>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/lens/captured_torch.h"
#include "core/lens/token_pair.h"
#include "core/model/guard_torch.h"

namespace ropescope {
namespace {

using State = Session::State;

constexpr std::int64_t kBlockRows = 1024;  // keys that are projected at a time
const char* const kWhat = "two tokens' score";

Status checkRequest(const State& state, const PairRequest& request) {
  if (Status valid = lens::checkLayer(state, request.layer, kWhat); !valid) return valid;
  if (Status valid = lens::checkHead(state, request.head, kWhat); !valid) return valid;
  if (Status valid = lens::checkPosition(state, request.query, kWhat); !valid) return valid;
  if (Status valid = lens::checkPosition(state, request.key, kWhat); !valid) return valid;
  if (request.key <= request.query) return Done{};
  return Error{ErrorCode::InvalidArgument,
               std::string(kWhat) + ": the key at position " + std::to_string(request.key) +
                   " lies behind the query at " + std::to_string(request.query) +
                   "; a token sees only itself and earlier ones, swap the two"};
}

Unrotated rowsOf(const DecoderContext& context, const State& state, int layer, Side side, int head,
                 TokenRange range) {
  const at::Tensor input = state.captures.at(layer).input.narrow(0, range.begin, range.size());
  return unrotatedHead(context, layer, input, side, head);
}

// q . k of the session's own rotated query and cached key, summed in double.
double usedScore(const State& state, const PairRequest& r) {
  const ModelConfig& c = state.engine->config();
  const at::Tensor input = state.captures.at(r.layer).input.narrow(0, r.query, 1);
  const auto q = lens::doubles(
      queriesOf(state.context(), r.layer, input, r.query).select(0, 0).select(0, r.head));
  const auto k = lens::doubles(
      state.cache.keys.select(0, r.layer).select(0, lens::keyHeadOf(c, r.head)).select(0, r.key));
  double sum = 0.0;
  for (std::size_t i = 0; i < q.size(); ++i) sum += q[i] * k[i];
  return sum / std::sqrt(static_cast<double>(c.headDim));
}

TokenPair readPair(const State& state, const PairRequest& r) {
  const int keyHead = lens::keyHeadOf(state.engine->config(), r.head);
  const DecoderContext context = state.context();
  const Unrotated q = rowsOf(context, state, r.layer, Side::Query, r.head, {r.query, r.query + 1});
  const Unrotated k = rowsOf(context, state, r.layer, Side::Key, keyHead, {r.key, r.key + 1});
  const at::Tensor logSumExp = state.captures.at(r.layer).logSumExp.select(0, r.head);
  return {.request = r,
          .contents = {lens::doubles(q.calibrated), lens::doubles(k.calibrated)},
          .uncalibrated = {lens::doubles(q.projected), lens::doubles(k.projected)},
          .used = {.score = usedScore(state, r),
                   .logSumExp = logSumExp.select(0, r.query).item<double>()}};
}

// [tokens, P] angle and [tokens, 1] attention factor of positions first …, in double.
struct Angles {
  at::Tensor angle;
  at::Tensor factor;
};

Angles anglesOf(const rope::RotaryPlan& plan, TokenRange range) {
  const auto pairs = static_cast<std::int64_t>(plan.invFreq.size());
  Angles angles{at::empty({range.size(), pairs}, at::kDouble),
                at::empty({range.size(), 1}, at::kDouble)};
  double* angle = angles.angle.mutable_data_ptr<double>();
  double* factor = angles.factor.mutable_data_ptr<double>();
  for (std::int64_t position = range.begin; position < range.end; ++position) {
    *factor++ = plan.attentionFactorAt(position);
    for (std::size_t pair = 0; pair < plan.invFreq.size(); ++pair) {
      *angle++ = plan.angle(position, pair);
    }
  }
  return angles;
}

// Scores of one query against keys [T, D] of the range, [T]: per pair
// (qx kx + qy ky) cos(turn) + (qx ky - qy kx) sin(turn), turn = angle(query) - angle(key).
at::Tensor scoresUnder(const at::Tensor& query, const Angles& at, const at::Tensor& keys,
                       const Angles& keyAngles) {
  const std::int64_t pairs = keys.size(1) / 2;
  const at::Tensor qx = query.narrow(1, 0, pairs);
  const at::Tensor qy = query.narrow(1, pairs, pairs);
  const at::Tensor kx = keys.narrow(1, 0, pairs);
  const at::Tensor ky = keys.narrow(1, pairs, pairs);
  const at::Tensor turn = at.angle - keyAngles.angle;
  const at::Tensor shares = (qx * kx + qy * ky) * turn.cos() + (qx * ky - qy * kx) * turn.sin();
  const double scale = 1.0 / std::sqrt(static_cast<double>(keys.size(1)));
  return (shares * at.factor * keyAngles.factor).sum(1) * scale;
}

Result<RowScore> computeRow(const State& state, const PairRequest& r, const RowChange& change,
                            const JobControl& job) {
  DecoderContext context = state.context();
  context.pscStrength = change.pscStrength;
  const int keyHead = lens::keyHeadOf(context.config, r.head);
  const TokenRange own{r.query, r.query + 1};
  const at::Tensor query = rowsOf(context, state, r.layer, Side::Query, r.head, own)
                               .calibrated.to(at::kCPU, at::kDouble);
  const Angles queryAngles = anglesOf(change.plan, own);
  RowScore row{.score = 0.0, .logSumExp = -std::numeric_limits<double>::infinity()};
  for (std::int64_t first = 0; first <= r.query; first += kBlockRows) {
    if (job.stopRequested()) return Error{ErrorCode::Cancelled, "the row's scores were stopped"};
    const TokenRange range{first, std::min(first + kBlockRows, r.query + 1)};
    const at::Tensor keys = rowsOf(context, state, r.layer, Side::Key, keyHead, range)
                                .calibrated.to(at::kCPU, at::kDouble);
    const at::Tensor scores = scoresUnder(query, queryAngles, keys, anglesOf(change.plan, range));
    const double block = at::logsumexp(scores, 0).item<double>();
    const double top = std::max(row.logSumExp, block);
    row.logSumExp = top + std::log(std::exp(row.logSumExp - top) + std::exp(block - top));
    if (r.key >= range.begin && r.key < range.end) {
      row.score = scores.select(0, r.key - range.begin).item<double>();
    }
  }
  return row;
}

Result<HeadMean> computeMean(const State& state, int layer, int head, std::int64_t mostTokens,
                             const JobControl& job) {
  const auto tokens = static_cast<std::int64_t>(state.tokens.size());
  const int keyHead = lens::keyHeadOf(state.engine->config(), head);
  HeadMean mean{.contents = {}, .stride = (tokens + mostTokens - 1) / mostTokens};
  mean.tokens = (tokens + mean.stride - 1) / mean.stride;
  const at::Tensor rows =
      state.captures.at(layer).input.narrow(0, 0, tokens).slice(0, 0, tokens, mean.stride);
  const DecoderContext context = state.context();
  at::Tensor query = at::zeros({context.config.headDim}, at::kDouble);
  at::Tensor key = at::zeros_like(query);
  for (std::int64_t first = 0; first < rows.size(0); first += kBlockRows) {
    if (job.stopRequested()) return Error{ErrorCode::Cancelled, "the head's mean was stopped"};
    const at::Tensor input =
        rows.narrow(0, first, std::min(kBlockRows, rows.size(0) - first)).contiguous();
    const auto add = [&](at::Tensor& sum, Side side, int which) {
      sum += unrotatedHead(context, layer, input, side, which)
                 .calibrated.to(at::kCPU, at::kDouble)
                 .sum(0);
    };
    add(query, Side::Query, head);
    add(key, Side::Key, keyHead);
  }
  const auto count = static_cast<double>(mean.tokens);
  mean.contents = {lens::doubles(query / count), lens::doubles(key / count)};
  return mean;
}

}  // namespace

Result<TokenPair> tokenPair(const Session& session, const PairRequest& request,
                            const JobControl& job) {
  const State& state = session.state();
  if (Status valid = checkRequest(state, request); !valid) return valid.error();
  if (job.stopRequested()) return Error{ErrorCode::Cancelled, "reading two tokens was stopped"};
  return guardTorch("reading two tokens", [&]() -> Result<TokenPair> {
    const at::NoGradGuard noGrad;
    return readPair(state, request);
  });
}

Result<RowScore> rowUnder(const Session& session, const PairRequest& request,
                          const RowChange& change, const JobControl& job) {
  const State& state = session.state();
  if (Status valid = checkRequest(state, request); !valid) return valid.error();
  const auto pairs = static_cast<std::size_t>(state.engine->config().headDim / 2);
  if (change.plan.invFreq.size() != pairs) {
    return Error{ErrorCode::InvalidArgument,
                 std::string(kWhat) + ": the other plan has " +
                     std::to_string(change.plan.invFreq.size()) + " rotary pairs; the model has " +
                     std::to_string(pairs) + ", make the plan for this model"};
  }
  return guardTorch("scoring a row anew", [&]() -> Result<RowScore> {
    const at::NoGradGuard noGrad;
    return computeRow(state, request, change, job);
  });
}

Result<HeadMean> headMean(const Session& session, int layer, int head, std::int64_t mostTokens,
                          const JobControl& job) {
  const State& state = session.state();
  const std::string what = "a head's mean";
  if (Status valid = lens::checkLayer(state, layer, what); !valid) return valid.error();
  if (Status valid = lens::checkHead(state, head, what); !valid) return valid.error();
  if (Status valid = lens::checkPosition(state, 0, what); !valid) return valid.error();
  if (mostTokens < 1) {
    return Error{ErrorCode::InvalidArgument, what + ": a sample of " + std::to_string(mostTokens) +
                                                 " tokens; at least 1 is wanted"};
  }
  return guardTorch("averaging a head", [&]() -> Result<HeadMean> {
    const at::NoGradGuard noGrad;
    return computeMean(state, layer, head, mostTokens, job);
  });
}

}  // namespace ropescope
