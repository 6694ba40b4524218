#include "core/probe/angle_table.h"

#include "core/rope/rope_math.h"

namespace ropescope {

std::vector<AngleRow> angleTable(const rope::RotaryPlan& plan, std::int64_t position) {
  const std::vector<double> plain = rope::plainInvFreq(plan.context);
  std::vector<AngleRow> rows(plan.invFreq.size());
  for (std::size_t pair = 0; pair < rows.size(); ++pair) {
    AngleRow& row = rows[pair];
    row.index = static_cast<int>(pair);
    row.invFreq = plan.invFreq[pair];
    row.wavelength = rope::wavelength(row.invFreq);
    row.turnsInTrainedLength = rope::turns(row.invFreq, plan.context.originalLength);
    if (row.invFreq != 0.0) row.scale = plain[pair] / row.invFreq;
    row.angle = plan.angle(position, pair);
  }
  return rows;
}

}  // namespace ropescope
