// What the other methods would do with the session's context.
#pragma once

#include <QString>
#include <vector>

#include "core/engine/engine.h"
#include "core/rope/rope_method.h"

namespace ropescope::ui {

struct MethodPlan {
  QString title;  // "YaRN × 4"
  rope::RotaryPlan plan;
};

// Every method that has a plan for this context, under the same factor, in the order of
// allMethods(); the one in use is the plan itself. Methods that lack something (a factor file) are
// left out.
std::vector<MethodPlan> methodPlans(const Engine& engine, const rope::RotaryPlan& inUse);

}  // namespace ropescope::ui
