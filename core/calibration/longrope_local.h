// Small steps from the best factors: many fewer evaluations than an evolution, for targets at which
// one costs seconds. Not from a paper.
#pragma once

#include <optional>

#include "core/calibration/longrope_operators.h"
#include "core/calibration/longrope_space.h"
#include "core/calibration/random.h"

namespace ropescope::calibration {

// A step stretches or shrinks the factors around a pair by a share that falls off linearly to 0 at
// a distance of `width` pairs, moves the others just so far that all stay monotone, and rounds to
// the grid. What helped is tried again, larger; what did not makes the next steps smaller.
class LocalSteps {
 public:
  LocalSteps(const SearchSpace& space, std::uint64_t seed);

  // A new candidate near `best`; none when none was found in many tries.
  std::optional<Candidate> next(const Candidate& best, const IsNew& isNew);
  // Whether the last one became the best.
  void report(bool better);

 private:
  struct Step {
    int center = 0;      // pair
    int width = 1;       // pairs to either side
    double share = 0.0;  // of the centre's factor; below 0: smaller factors
  };
  Step draw();
  Candidate moved(const Candidate& from, const Step& step) const;

  const SearchSpace& m_space;
  SplitMix m_random;
  Step m_last;
  bool m_again = false;
  double m_size = 0.25;  // share of a typical step
};

}  // namespace ropescope::calibration
