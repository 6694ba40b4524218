// Which rotation angles a pair met in training, and from which distance on a plan leaves them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/rope/rope_method.h"

namespace ropescope {

// What plain RoPE showed a pair in training: tokens stood 0 … L - 1 apart, L the trained length.
// The arc ends at L theta, so that interpolation by a factor s keeps a context of s L tokens within
// it.
struct TrainedArc {
  double endAngle = 0.0;  // rad, unwrapped: L theta, itself not met
  bool fullTurn = false;  // L theta >= 2 pi: it went round, so that every direction was met
};
std::vector<TrainedArc> trainedArcs(const rope::RopeContext& context);

// At or beyond the end of the trained arc of a pair that never went round.
bool isUnseen(const TrainedArc& arc, double angle);

// One hand of a clock at an angle, in rad.
struct ClockHand {
  double angle = 0.0;         // unwrapped
  double direction = 0.0;     // modulo 2 pi, in [0, 2 pi)
  double trainedSweep = 0.0;  // from 0: what training showed, 2 pi after a full turn
  double unseenSweep = 0.0;   // from trainedSweep on: how far beyond it the hand has been, at most
                              // the rest of the circle; 0 when nothing is unseen
  bool unseen = false;
};
ClockHand clockHand(const TrainedArc& arc, double angle);
// All pairs of a plan with a token at `position`, seen from position 0.
std::vector<ClockHand> clockHands(const rope::RotaryPlan& plan, std::int64_t position);

// From which distance on each pair of a plan turns by an unseen angle. None: it never does, because
// it went round in training or stands still. May lie beyond the planned length. Distances between
// two tokens that are both scaled: a plan's unscaled first tokens (n-hat) are looked at as if they
// were, too.
using UnseenFrom = std::optional<std::int64_t>;
std::vector<UnseenFrom> unseenFrom(const rope::RotaryPlan& plan);

// How many pairs are beyond what they saw at `distance`.
int unseenPairs(const std::vector<UnseenFrom>& pairs, std::int64_t distance);
// The first distance at which any pair is; none when there is no such distance.
UnseenFrom firstUnseen(const std::vector<UnseenFrom>& pairs);

// Modulo 2 pi, in [0, 2 pi).
double wrapAngle(double angle);

}  // namespace ropescope
