// Loss and gradients of one window with memory for one layer's graph: gradient checkpointing.
//
// The forward keeps each layer's input, attention output and log-sum-exps: 2 E + 4 H bytes more
// than E per token and layer in 16 bits. The backward runs a layer again from its input, without
// its attention, and throws its graph away before the next. Only gradients of the calibration are
// made: the base is frozen, so linears need the gradient of their input alone.
#pragma once

#include <cstdint>

#include "core/calibration/corpus.h"
#include "core/model/decoder_torch.h"

namespace ropescope::calibration {

// Mean loss of the targets in nats, summed in double. `context.calibration` holds leaves that want
// gradients; theirs are added to. The same value as a graph over all layers would give.
double backwardThroughWindow(const DecoderContext& context, const TrainingWindow& window);

// The loss alone.
double lossOfWindow(const DecoderContext& context, const TrainingWindow& window);

}  // namespace ropescope::calibration
