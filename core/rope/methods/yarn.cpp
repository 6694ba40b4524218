// YaRN: keep fast pairs, interpolate slow ones, ramp between, and scale the attention logits.
// Peng et al. 2023, arXiv:2309.00071, sections 3.2 and 3.4.
//
//   corr(r) = D ln(L / (2 pi r)) / (2 ln b)      the pair that makes r turns within L
//   theta'_i = theta_i (rho_i / s + 1 - rho_i)   rho_i: 0 keeps, 1 interpolates
//
// The paper's rho is linear in the turns of a pair (definition 2), the authors' code, transformers,
// vLLM and llama.cpp make it linear in the pair index between corr(beta_fast) and corr(beta_slow).
// Published checkpoints were tuned with the code, so that is our default; ramp=paper is the option.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/rope/rope_math.h"

namespace ropescope::rope {
namespace {

struct Ramp {
  double betaFast = 32.0;  // turns
  double betaSlow = 1.0;   // turns
  bool truncate = true;
  bool paper = false;
};

double pairWithTurns(double turnCount, const RopeContext& context) {
  return context.headDim *
         std::log(static_cast<double>(context.originalLength) /
                  (2.0 * std::numbers::pi * turnCount)) /
         (2.0 * std::log(context.base));
}

// rho of every pair, linear in the pair index, as the authors' code does it.
std::vector<double> sharesByIndex(const RopeContext& context, const Ramp& ramp) {
  double low = pairWithTurns(ramp.betaFast, context);
  double high = pairWithTurns(ramp.betaSlow, context);
  if (ramp.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(context.headDim - 1));  // D - 1, not P - 1: as the code
  if (low == high) high += 0.001;
  std::vector<double> shares(static_cast<std::size_t>(context.headDim / 2));
  for (std::size_t pair = 0; pair < shares.size(); ++pair) {
    shares[pair] = std::clamp((static_cast<double>(pair) - low) / (high - low), 0.0, 1.0);
  }
  return shares;
}

// rho of every pair, linear in its turns within L: 1 - gamma(r) of the paper's definition 2.
std::vector<double> sharesByTurns(const RopeContext& context, const Ramp& ramp) {
  std::vector<double> shares = plainInvFreq(context);
  for (double& share : shares) {
    const double turnCount = turns(share, context.originalLength);
    share = 1.0 - std::clamp((turnCount - ramp.betaSlow) / (ramp.betaFast - ramp.betaSlow), 0.0, 1.0);
  }
  return shares;
}

// g(s, m) = 0.1 m ln s + 1 for s > 1.  Section 3.4, with the code's m.
double mscaleOf(double factor, double weight) {
  return factor <= 1.0 ? 1.0 : 0.1 * weight * std::log(factor) + 1.0;
}

double attentionFactorOf(double factor, const ParameterValues& values) {
  if (hasValue(values, "attention_factor")) return numberOr(values, "attention_factor", 1.0);
  const double mscale = numberOr(values, "mscale", 0.0);
  const double allDim = numberOr(values, "mscale_all_dim", 0.0);
  // Both non-zero: the ratio, as in transformers; otherwise g(s, 1).
  if (mscale != 0.0 && allDim != 0.0) return mscaleOf(factor, mscale) / mscaleOf(factor, allDim);
  return mscaleOf(factor, 1.0);
}

class Yarn final : public RopeMethod {
 public:
  MethodInfo info() const override {
    return {.id = "yarn",
            .title = "YaRN",
            .reference = "arXiv:2309.00071",
            .summary = "Fast pairs stay, slow pairs are interpolated, with a ramp between and a "
                       "sharper attention.",
            .configTypes = {"yarn"},
            .configOriginalLength = true};
  }

  std::vector<ParameterSpec> parameters() const override {
    return {{.name = "beta_fast",
             .title = "Fast end",
             .help = "Pairs with more turns than this within the trained length stay as they are.",
             .defaultValue = 32.0,
             .minimum = 1e-3,
             .maximum = 1e6,
             .unit = "turns"},
            {.name = "beta_slow",
             .title = "Slow end",
             .help = "Pairs with fewer turns than this are interpolated fully.",
             .defaultValue = 1.0,
             .minimum = 1e-3,
             .maximum = 1e6,
             .unit = "turns"},
            {.name = "ramp",
             .title = "Ramp",
             .help = "code: linear in the pair index, as the authors' program; paper: linear in "
                     "the turns of a pair.",
             .kind = ParameterKind::Choice,
             .defaultValue = std::string("code"),
             .choices = {"code", "paper"}},
            {.name = "truncate",
             .title = "Whole pairs",
             .help = "Round the ends of the ramp to whole pairs (code ramp only).",
             .kind = ParameterKind::Flag,
             .defaultValue = true},
            {.name = "attention_factor",
             .title = "Attention factor",
             .help = "On cos and sin, used as given; left out: from mscale and mscale_all_dim, or "
                     "0.1 ln(factor) + 1.",
             .minimum = 1e-3,
             .maximum = 1e3},
            {.name = "mscale",
             .title = "mscale",
             .help = "Weight of ln(factor) in the attention factor; counts only together with "
                     "mscale_all_dim.",
             .minimum = 0.0,
             .maximum = 1e3},
            {.name = "mscale_all_dim",
             .title = "mscale (all)",
             .help = "Divisor of the attention factor; counts only together with mscale.",
             .minimum = 0.0,
             .maximum = 1e3}};
  }

  Result<RotaryPlan> plan(const RopeContext& context,
                          const ParameterValues& values) const override {
    Ramp ramp{.betaFast = numberOr(values, "beta_fast", 32.0),
              .betaSlow = numberOr(values, "beta_slow", 1.0),
              .truncate = flagOr(values, "truncate", true),
              .paper = hasValue(values, "ramp") &&
                       std::get<std::string>(values.at("ramp")) == "paper"};
    if (!(ramp.betaFast > ramp.betaSlow)) {
      return Error{ErrorCode::InvalidArgument,
                   "yarn: beta_fast is " + valueText(ramp.betaFast) + ", beta_slow " +
                       valueText(ramp.betaSlow) + "; beta_fast must be larger"};
    }
    RotaryPlan plan = plainPlan(context, "yarn");
    const auto shares = ramp.paper ? sharesByTurns(context, ramp) : sharesByIndex(context, ramp);
    for (std::size_t pair = 0; pair < shares.size(); ++pair) {
      plan.invFreq[pair] *= shares[pair] / context.factor + (1.0 - shares[pair]);
    }
    plan.attentionFactor = attentionFactorOf(context.factor, values);
    return plan;
  }
};

}  // namespace

std::unique_ptr<RopeMethod> make_yarn() { return std::make_unique<Yarn>(); }

}  // namespace ropescope::rope
