// Facts that nobody can know beforehand, in the wording that the bundled model was trained on
// (resources/models/bookworm-11m/recipe/questions.py, fact()).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace ropescope {

struct PlantedFact {
  std::string sentence;
  // (question, answer): every one that the sentence answers.
  std::vector<std::pair<std::string, std::string>> questions;
};

enum class FactKind {
  PassKey,
  MagicNumber,
  SecretNumber,
  Colour,
  Animal,
  Birthplace,
  Trade,
  HidingPlace,
  Marriage,
  Food,
  Password,
  Price,
  Arrival,  // the last one
};
inline constexpr std::uint64_t kFactKinds = 13;

// `words`: what passwords and magic numbers are about; not empty.
PlantedFact drawFact(FactKind kind, const std::vector<std::string>& words, SplitMix& random);

}  // namespace ropescope
