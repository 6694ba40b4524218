// From logits to the next token.
#pragma once

#include <random>
#include <span>

#include "core/engine/generation.h"

namespace ropescope {

// One answer's randomness: the same seed and logits give the same tokens on every machine.
class Sampler {
 public:
  explicit Sampler(const GenerationConfig& config);
  // Greedy at temperature 0 (the lowest id among equals); else softmax(logits / temperature), cut to
  // the topK best, then to the smallest set whose probability reaches topP.
  GeneratedToken draw(std::span<const float> logits);

 private:
  GenerationConfig m_config;
  std::mt19937_64 m_engine;
};

}  // namespace ropescope
