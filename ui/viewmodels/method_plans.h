// What the other methods would do with the session's context.
#pragma once

#include <QString>
#include <span>
#include <vector>

#include "core/engine/engine.h"
#include "core/rope/rope_method.h"

namespace ropescope::ui {

struct MethodPlan {
  QString title;  // "YaRN × 4"
  rope::RotaryPlan plan;
};

// Every method that has a plan for this context, under the same factor, in the order of
// allMethods(); the one in use is the plan itself, the others as comparePlans() has them. Methods
// that lack something (a factor file) are left out.
std::vector<MethodPlan> methodPlans(const Engine& engine, const rope::RotaryPlan& inUse,
                                    std::span<const rope::MethodChoice> known);

}  // namespace ropescope::ui
