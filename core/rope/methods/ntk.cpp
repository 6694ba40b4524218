// NTK-aware scaling: plain RoPE with b' = b s^(D / (D - 2)): the first pair keeps its frequency, the
// last is divided by s exactly.  Formula as in YaRN, arXiv:2309.00071, section 3.1.
#include "core/rope/rope_math.h"

namespace ropescope::rope {
namespace {

class NtkAware final : public RopeMethod {
 public:
  MethodInfo info() const override {
    return {.id = "ntk",
            .title = "NTK-aware",
            .reference = "arXiv:2309.00071, 3.1",
            .summary = "Raises the base: fast pairs stay, slow pairs are interpolated. In practice "
                       "the factor must be larger than the length ratio."};
  }

  Result<RotaryPlan> plan(const RopeContext& context, const ParameterValues&) const override {
    RotaryPlan plan = plainPlan(context, "ntk");
    if (context.factor == 1.0) return plan;
    plan.invFreq =
        plainInvFreq(ntkBase(context.base, context.factor, context.headDim), context.headDim);
    return plan;
  }
};

}  // namespace

std::unique_ptr<RopeMethod> make_ntk() { return std::make_unique<NtkAware>(); }

}  // namespace ropescope::rope
