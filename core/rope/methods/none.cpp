// Plain RoPE: theta_i = base^(-2 i / D).  Su et al. 2021, arXiv:2104.09864, section 3.2.2.
#include "core/rope/rope_math.h"

namespace ropescope::rope {
namespace {

class NoScaling final : public RopeMethod {
 public:
  MethodInfo info() const override {
    return {.id = "none",
            .title = "No scaling",
            .reference = "arXiv:2104.09864",
            .summary = "Every pair turns as in training, also beyond the trained length.",
            .takesFactor = false,
            .configTypes = {"default"}};
  }

  Result<RotaryPlan> plan(const RopeContext& context, const ParameterValues&) const override {
    return plainPlan(context, "none");
  }
};

}  // namespace

std::unique_ptr<RopeMethod> make_none() { return std::make_unique<NoScaling>(); }

}  // namespace ropescope::rope
