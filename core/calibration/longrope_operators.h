// How a search for LongRoPE factors makes new candidates from old ones.
#pragma once

#include <functional>
#include <optional>

#include "core/calibration/longrope_space.h"
#include "core/calibration/random.h"

namespace ropescope::calibration {

using IsNew = std::function<bool(const Candidate&)>;

// Everything it returns is monotone, within the bounds and new; none after too many tries, which
// means that the space around the parents is used up.
//
// Mutation and crossover follow the authors' code (github.com/microsoft/LongRoPE), which the
// paper's section 3.2 describes:
//   mutation   every gene in turn with p = 0.3 takes a value of the 0.01 grid between its current
//              neighbours, uniformly; passes accumulate until the candidate is new and monotone
//   crossover  the child starts as the better parent; every gene in turn, with p = 0.3 and then
//   0.5,
//              takes the other's value; after every such step the child is returned if it is new
//              and monotone, so that few genes move
// Differences: the last factor is bounded by 1.25 s as in the paper (the code: about 1 + s), and in
// the piecewise variant the last two pairs mutate too.
class CandidateOperators {
 public:
  CandidateOperators(const SearchSpace& space, const SearchSettings& settings, SplitMix& random);

  std::optional<Candidate> mutate(const Candidate& parent, const IsNew& isNew);
  std::optional<Candidate> crossover(const Candidate& better, const Candidate& other,
                                     const IsNew& isNew);

 private:
  int pairs() const { return m_space.context.headDim / 2; }
  bool drawn(double probability) { return m_random.uniform() < probability; }
  int between(int first, int last);
  double roughlyNormal();
  void redrawShape(Candidate& candidate);
  void mutateFactor(Candidate& candidate, int pair);
  void mutatePass(Candidate& candidate);
  void mutateUnscaled(Candidate& candidate);
  // The pairs below the critical one follow from it.
  void complete(Candidate& candidate) const;

  const SearchSpace& m_space;
  SearchVariant m_variant;
  SplitMix& m_random;
};

}  // namespace ropescope::calibration
