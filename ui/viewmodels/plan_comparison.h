// The other methods under a plan's factor and planned length.
#pragma once

#include <QString>
#include <span>
#include <vector>

#include "core/engine/engine.h"

namespace ropescope::ui {

struct PlanComparison {
  std::vector<rope::RotaryPlan> plans;  // without the current plan's method
  QString leftOut;                      // "LongRoPE is not drawn", empty when all are
  QString reasons;                      // why not, in sentences
};

// Every other method as the first of `known` has it, LongRoPE's factors say, else with its
// defaults; where it takes a factor, under the current one.
PlanComparison comparePlans(const Engine& engine, const rope::RotaryPlan& current,
                            std::span<const rope::MethodChoice> known);

}  // namespace ropescope::ui
