// Position Interpolation: f'(x, m) = f(x, m L / L').  Chen et al. 2023, arXiv:2306.15595, eq. 4.
#include "core/rope/rope_math.h"

namespace ropescope::rope {
namespace {

class PositionInterpolation final : public RopeMethod {
 public:
  MethodInfo info() const override {
    return {.id = "pi",
            .title = "Position Interpolation",
            .reference = "arXiv:2306.15595",
            .summary = "Divides every angle by the factor, so that all positions fall into the "
                       "trained range.",
            .configTypes = {"linear"}};
  }

  Result<RotaryPlan> plan(const RopeContext& context, const ParameterValues&) const override {
    RotaryPlan plan = plainPlan(context, "pi");
    for (double& frequency : plan.invFreq) frequency /= context.factor;  // (m/s) f = m (f/s)
    return plan;
  }
};

}  // namespace

std::unique_ptr<RopeMethod> make_pi() { return std::make_unique<PositionInterpolation>(); }

}  // namespace ropescope::rope
