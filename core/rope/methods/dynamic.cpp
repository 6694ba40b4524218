// Dynamic NTK: b'(n) = b (s n / L - (s - 1))^(D / (D - 2)) with n = max(length, L).
//
// The form of transformers; with s = 1 it is the paper's s(n) = max(1, n / L) put into NTK-aware
// scaling (YaRN, arXiv:2309.00071, section 3.3). n is the planned length and stays fixed for a
// session: cached keys are rotated with one base, so a one-shot pass over n tokens is exact.
#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/rope/rope_math.h"

namespace ropescope::rope {
namespace {

class DynamicNtk final : public RopeMethod {
 public:
  MethodInfo info() const override {
    return {.id = "dynamic",
            .title = "Dynamic NTK",
            .reference = "arXiv:2309.00071, 3.3",
            .summary = "NTK-aware scaling whose base follows the planned length; plain up to the "
                       "trained length.",
            .dependsOnLength = true,
            .configTypes = {"dynamic"}};
  }

  Result<RotaryPlan> plan(const RopeContext& context, const ParameterValues&) const override {
    RotaryPlan plan = plainPlan(context, "dynamic");
    // Clamped at 1: a shorter length would raise a negative number to a fractional power.
    const double ratio = std::max(1.0, static_cast<double>(context.plannedLength) /
                                           static_cast<double>(context.originalLength));
    const double scale = context.factor * ratio - (context.factor - 1.0);
    const double base = ntkBase(context.base, scale, context.headDim);
    if (ratio > 1.0) plan.invFreq = plainInvFreq(base, context.headDim);
    std::ostringstream note;
    note << "base " << (ratio > 1.0 ? base : context.base) << ", decided by the planned length of "
         << context.plannedLength << " tokens";
    plan.note = note.str();
    return plan;
  }
};

}  // namespace

std::unique_ptr<RopeMethod> make_dynamic() { return std::make_unique<DynamicNtk>(); }

}  // namespace ropescope::rope
