// Llama 3.1 scaling: pairs with a wavelength below L / high stay, above L / low are divided by s,
// between the share is linear in the number of turns within L.
//
//   x = (L / w - low) / (high - low),   theta' = (1 - x) theta / s + x theta
//
// Form and defaults of transformers' "llama3" rope type (Llama 3.1 model configuration).
#include <algorithm>

#include "core/rope/rope_math.h"

namespace ropescope::rope {
namespace {

class Llama3Scaling final : public RopeMethod {
 public:
  MethodInfo info() const override {
    return {.id = "llama3",
            .title = "Llama 3",
            .reference = "arXiv:2407.21783; transformers rope type llama3",
            .summary = "Keeps pairs that turn often within the trained length, divides those that "
                       "turn rarely, blends between.",
            .configTypes = {"llama3"},
            .configOriginalLength = true};
  }

  std::vector<ParameterSpec> parameters() const override {
    return {{.name = "low_freq_factor",
             .title = "Slow end",
             .help = "Pairs with fewer turns than this within the trained length are divided by "
                     "the factor.",
             .defaultValue = 1.0,
             .minimum = 1e-6,
             .maximum = 1e6,
             .unit = "turns"},
            {.name = "high_freq_factor",
             .title = "Fast end",
             .help = "Pairs with more turns than this keep their frequency; larger than the slow "
                     "end.",
             .defaultValue = 4.0,
             .minimum = 1e-6,
             .maximum = 1e6,
             .unit = "turns"}};
  }

  Result<RotaryPlan> plan(const RopeContext& context,
                          const ParameterValues& values) const override {
    const double low = numberOr(values, "low_freq_factor", 1.0);
    const double high = numberOr(values, "high_freq_factor", 4.0);
    if (!(high > low)) {
      return Error{ErrorCode::InvalidArgument,
                   "llama3: high_freq_factor is " + valueText(high) + ", low_freq_factor " +
                       valueText(low) + "; high must be larger than low"};
    }
    RotaryPlan plan = plainPlan(context, "llama3");
    for (double& frequency : plan.invFreq) {
      const double share = std::clamp(
          (turns(frequency, context.originalLength) - low) / (high - low), 0.0, 1.0);
      frequency *= (1.0 - share) / context.factor + share;  // exactly 1 at s = 1
    }
    return plan;
  }
};

}  // namespace

std::unique_ptr<RopeMethod> make_llama3() { return std::make_unique<Llama3Scaling>(); }

}  // namespace ropescope::rope
