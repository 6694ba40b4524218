#include "core/lens/psc_gate.h"

#include <cmath>
#include <numbers>

namespace ropescope {

std::vector<PairTurn> pairTurns(std::span<const double> contents, std::span<const double> gates) {
  const std::size_t pairs = contents.size() / 2;
  std::vector<PairTurn> turns(pairs);
  for (std::size_t p = 0; p < pairs; ++p) {
    const double x = contents[p];
    const double y = contents[p + pairs];
    const double before = std::hypot(x, y);
    if (before == 0.0) continue;
    const double gatedX = x * gates[p];
    const double gatedY = y * gates[p + pairs];
    // From (x, y) to the gated one: cross and dot product.
    const double turn = std::atan2(x * gatedY - y * gatedX, x * gatedX + y * gatedY);
    turns[p] = {turn * 180.0 / std::numbers::pi, std::hypot(gatedX, gatedY) / before};
  }
  return turns;
}

}  // namespace ropescope
