// The other methods under a plan's factor and planned length.
#pragma once

#include <QString>
#include <vector>

#include "core/engine/engine.h"

namespace ropescope::ui {

struct PlanComparison {
  std::vector<rope::RotaryPlan> plans;  // without the current plan's method
  QString leftOut;                      // "LongRoPE is not drawn", empty when all are
  QString reasons;                      // why not, in sentences
};

PlanComparison comparePlans(const Engine& engine, const rope::RotaryPlan& current);

}  // namespace ropescope::ui
