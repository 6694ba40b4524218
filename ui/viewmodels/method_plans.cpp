#include "ui/viewmodels/method_plans.h"

#include "ui/viewmodels/angle_view_model.h"

namespace ropescope::ui {

std::vector<MethodPlan> methodPlans(const Engine& engine, const rope::RotaryPlan& inUse) {
  std::vector<MethodPlan> plans;
  for (const auto& method : rope::allMethods()) {
    const rope::MethodInfo info = method->info();
    if (info.id == inUse.method) {
      plans.push_back({planTitle(inUse), inUse});
      continue;
    }
    rope::MethodChoice choice{.id = info.id};
    if (info.takesFactor) choice.factor = inUse.context.factor;
    auto plan = engine.plan(choice, inUse.context.plannedLength);
    if (!plan) continue;
    const QString title = planTitle(*plan);
    plans.push_back({title, *std::move(plan)});
  }
  return plans;
}

}  // namespace ropescope::ui
