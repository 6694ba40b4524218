#include "core/probe/angle_coverage.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/rope/rope_math.h"

namespace ropescope {
namespace {

constexpr double kTurn = 2.0 * std::numbers::pi;
// The angle of distance s L under a factor s is the end of the arc, but for rounding.
constexpr double kRounding = 1e-12;  // relative

double limitOf(const TrainedArc& arc) {
  return arc.endAngle * (1.0 - kRounding);
}

}  // namespace

std::vector<TrainedArc> trainedArcs(const rope::RopeContext& context) {
  std::vector<TrainedArc> arcs;
  for (const double frequency : rope::plainInvFreq(context)) {
    arcs.push_back({.endAngle = static_cast<double>(context.originalLength) * frequency,
                    .fullTurn = rope::turns(frequency, context.originalLength) >= 1.0});
  }
  return arcs;
}

bool isUnseen(const TrainedArc& arc, double angle) {
  return !arc.fullTurn && angle >= limitOf(arc);
}

ClockHand clockHand(const TrainedArc& arc, double angle) {
  ClockHand hand{.angle = angle,
                 .direction = wrapAngle(angle),
                 .trainedSweep = arc.fullTurn ? kTurn : arc.endAngle,
                 .unseen = isUnseen(arc, angle)};
  if (hand.unseen) hand.unseenSweep = std::min(angle, kTurn) - hand.trainedSweep;
  return hand;
}

std::vector<ClockHand> clockHands(const rope::RotaryPlan& plan, std::int64_t position) {
  const std::vector<TrainedArc> arcs = trainedArcs(plan.context);
  std::vector<ClockHand> hands;
  for (std::size_t pair = 0; pair < plan.invFreq.size(); ++pair) {
    hands.push_back(clockHand(arcs[pair], plan.angle(position, pair)));
  }
  return hands;
}

std::vector<UnseenFrom> unseenFrom(const rope::RotaryPlan& plan) {
  const std::vector<TrainedArc> arcs = trainedArcs(plan.context);
  std::vector<UnseenFrom> pairs(plan.invFreq.size());
  for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
    const double frequency = plan.invFreq[pair];
    if (arcs[pair].fullTurn || !(frequency > 0.0)) continue;
    pairs[pair] = static_cast<std::int64_t>(std::ceil(limitOf(arcs[pair]) / frequency));
  }
  return pairs;
}

int unseenPairs(const std::vector<UnseenFrom>& pairs, std::int64_t distance) {
  return static_cast<int>(std::count_if(pairs.begin(), pairs.end(), [&](const UnseenFrom& from) {
    return from && distance >= *from;
  }));
}

UnseenFrom firstUnseen(const std::vector<UnseenFrom>& pairs) {
  UnseenFrom first;
  for (const UnseenFrom& from : pairs) {
    if (from && (!first || *from < *first)) first = from;
  }
  return first;
}

double wrapAngle(double angle) {
  const double rest = std::fmod(angle, kTurn);
  if (rest >= 0.0) return rest;
  return rest + kTurn < kTurn ? rest + kTurn : 0.0;  // -1e-30 + 2 pi rounds to 2 pi
}

}  // namespace ropescope
