// Loss and gradients of one window with memory for one layer's graph: gradient checkpointing.
//
// The forward keeps, per token and layer, the layer's input, what it is after attention, and the
// attention's output and log-sum-exps: 6 E + 4 H bytes in 16 bits when H D = E. The backward runs
// each half of a layer again from these, without its attention, and throws its graph away before
// the next; the feed-forward half and the head go in slices of rows. Only gradients of the
// calibration are made: the base is frozen, so linears need the gradient of their input alone.
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
