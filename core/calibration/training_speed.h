// How fast a training step is, for benchmarks.
#pragma once

#include <cstdint>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/engine.h"

namespace ropescope::calibration {

struct TrainingSpeed {
  std::int64_t tokens = 0;
  double seconds = 0.0;        // of the best step: one window forward and backward, and the update
  double operations = 0.0;     // multiplications and additions that such a step cannot do without
  std::int64_t peakBytes = 0;  // resident memory of the process so far
};

// PSC modules and LoRA pairs of rank 8 over random ids: one step untimed, then the best of
// `repeats`. Operations: two per weight and token forward and two for the gradient of a frozen
// linear's input, six for a trained weight, and causal attention with 2.5 times the forward in the
// backward. What checkpointing computes again is not counted.
Result<TrainingSpeed> measureTrainingStep(const Engine& engine, const rope::MethodChoice& choice,
                                          std::int64_t tokens, int repeats, const JobControl& job);

}  // namespace ropescope::calibration
