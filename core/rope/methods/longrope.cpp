// LongRoPE: a divisor of its own for every pair, found by search.  Ding et al. 2024,
// arXiv:2402.13753, sections 3.2 and 3.3.
//
//   theta'_i = theta_i / lambda_i,  lambda = the long list when the planned length is beyond the
//   trained one, else the short list (strictly: n > L).  Attention factor sqrt(1 + ln s / ln L), the
//   authors' code and transformers, for both lists.  Positions below n-hat keep plain RoPE.
//
// The choice is made once, by the planned length: keys cached under one list cannot be read under the
// other, since deeper layers were computed from them.
#include <cmath>

#include "core/rope/factor_file.h"
#include "core/rope/rope_math.h"

namespace ropescope::rope {
namespace {

Result<RescaleFactors> factorsFrom(const ParameterValues& values) {
  RescaleFactors factors;
  if (const auto file = values.find("factors"); file != values.end()) {
    auto loaded = readFactorFile(std::get<std::string>(file->second));
    if (!loaded) return loaded;
    factors = *std::move(loaded);
  }
  for (const auto& [name, list] : {std::pair{"short_factor", &factors.shortFactor},
                                   std::pair{"long_factor", &factors.longFactor}}) {
    const auto given = values.find(name);
    if (given != values.end()) *list = std::get<std::vector<double>>(given->second);
  }
  return factors;
}

Status checkList(const std::vector<double>& list, const char* name, const RopeContext& context) {
  const auto pairs = static_cast<std::size_t>(context.headDim / 2);
  if (list.size() != pairs) {
    return Error{ErrorCode::InvalidArgument,
                 std::string("longrope: ") + name + " has " + std::to_string(list.size()) +
                     " factors, the model has " + std::to_string(pairs) +
                     " rotary pairs; give one factor per pair"};
  }
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    if (!(list[pair] > 0.0) || !std::isfinite(list[pair])) {
      return Error{ErrorCode::InvalidArgument,
                   std::string("longrope: ") + name + "[" + std::to_string(pair) + "] is " +
                       valueText(list[pair]) + "; factors are positive numbers"};
    }
  }
  return Done{};
}

class LongRope final : public RopeMethod {
 public:
  MethodInfo info() const override {
    return {.id = "longrope",
            .title = "LongRoPE",
            .reference = "arXiv:2402.13753",
            .summary = "Divides every pair by a searched factor of its own; needs factors from the "
                       "model's config or a file.",
            .dependsOnLength = true,
            .monotone = false,
            .distanceOnly = false,
            .configTypes = {"longrope", "su"},
            .configOriginalLength = true};
  }

  std::vector<ParameterSpec> parameters() const override {
    return {{.name = "factors",
             .title = "Factor file",
             .help = "CSV (one factor per pair) or JSON (short_factor, long_factor, as in "
                     "config.json).",
             .kind = ParameterKind::File},
            {.name = "long_factor",
             .title = "Long factors",
             .help = "One divisor per pair, used when the planned length is beyond the trained "
                     "length.",
             .kind = ParameterKind::Numbers},
            {.name = "short_factor",
             .title = "Short factors",
             .help = "One divisor per pair, used up to the trained length; left out: all 1.",
             .kind = ParameterKind::Numbers},
            {.name = "attention_factor",
             .title = "Attention factor",
             .help = "On cos and sin, used as given; left out: the factor file's, else sqrt(1 + "
                     "ln(factor) / ln(trained length)).",
             .minimum = 1e-3,
             .maximum = 1e3},
            {.name = "n_hat",
             .title = "Unscaled first tokens",
             .help = "Positions below this keep plain RoPE; left out: the factor file's n_hat, else "
                     "0.",
             .minimum = 0.0,
             .maximum = 1e6,
             .unit = "tokens"}};
  }

  Result<RotaryPlan> plan(const RopeContext& context,
                          const ParameterValues& values) const override {
    auto factors = factorsFrom(values);
    if (!factors) return factors.error();
    if (factors->longFactor.empty() && factors->shortFactor.empty()) {
      return Error{ErrorCode::Unsupported,
                   "longrope needs a factor for every rotary pair and the model's config has none; "
                   "give a CSV or JSON file with --rope-param factors=FILE"};
    }
    const bool useLong = context.plannedLength > context.originalLength;
    auto& list = useLong ? factors->longFactor : factors->shortFactor;
    const char* name = useLong ? "long_factor" : "short_factor";
    if (list.empty() && useLong) {
      return Error{ErrorCode::Unsupported,
                   "longrope: only short factors are given, the planned length of " +
                       std::to_string(context.plannedLength) + " tokens is beyond the trained " +
                       std::to_string(context.originalLength) + "; give long_factor too"};
    }
    if (list.empty()) list.assign(static_cast<std::size_t>(context.headDim / 2), 1.0);
    if (Status fits = checkList(list, name, context); !fits) return fits.error();
    RotaryPlan plan = plainPlan(context, "longrope");
    for (std::size_t pair = 0; pair < list.size(); ++pair) plan.invFreq[pair] /= list[pair];
    const double formula =
        context.factor <= 1.0 ? 1.0
                              : std::sqrt(1.0 + std::log(context.factor) /
                                                    std::log(static_cast<double>(
                                                        context.originalLength)));
    plan.attentionFactor =
        numberOr(values, "attention_factor", factors->attentionFactor.value_or(formula));
    const double unscaled =
        numberOr(values, "n_hat", static_cast<double>(factors->unscaledTokens.value_or(0)));
    if (unscaled != std::floor(unscaled)) {
      return Error{ErrorCode::InvalidArgument,
                   "longrope: n_hat is " + valueText(unscaled) + "; a whole number of tokens is "
                   "wanted"};
    }
    plan.unscaledTokens = static_cast<std::int64_t>(unscaled);
    plan.note = std::string(useLong ? "long" : "short") + " factors: planned " +
                std::to_string(context.plannedLength) + (useLong ? " > " : " <= ") +
                std::to_string(context.originalLength) + " trained tokens";
    return plan;
  }
};

}  // namespace

std::unique_ptr<RopeMethod> make_longrope() { return std::make_unique<LongRope>(); }

}  // namespace ropescope::rope
