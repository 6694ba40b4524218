// Every rotary pair of a plan in numbers, beside plain RoPE.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/rope/rope_method.h"

namespace ropescope {

struct AngleRow {
  int index = 0;                      // pair
  double invFreq = 0.0;               // rad per token
  double wavelength = 0.0;            // tokens per turn; infinite when the pair does not turn
  double turnsInTrainedLength = 0.0;
  std::optional<double> scale;        // plain / this frequency; none when this one is 0
  double angle = 0.0;                 // rad at the position, unwrapped
};

std::vector<AngleRow> angleTable(const rope::RotaryPlan& plan, std::int64_t position);

}  // namespace ropescope
