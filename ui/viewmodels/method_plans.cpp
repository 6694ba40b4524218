#include "ui/viewmodels/method_plans.h"

#include <algorithm>

#include "ui/viewmodels/angle_view_model.h"
#include "ui/viewmodels/plan_comparison.h"

namespace ropescope::ui {

std::vector<MethodPlan> methodPlans(const Engine& engine, const rope::RotaryPlan& inUse,
                                    std::span<const rope::MethodChoice> known) {
  const std::vector<rope::RotaryPlan> others = comparePlans(engine, inUse, known).plans;
  std::vector<MethodPlan> plans;
  for (const auto& method : rope::allMethods()) {
    const std::string id = method->info().id;
    if (id == inUse.method) plans.push_back({planTitle(inUse), inUse});
    const auto other = std::find_if(others.begin(), others.end(),
                                    [&id](const auto& plan) { return plan.method == id; });
    if (other != others.end()) plans.push_back({planTitle(*other), *other});
  }
  return plans;
}

}  // namespace ropescope::ui
