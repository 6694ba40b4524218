// Losses without ever holding the logits of all positions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/model/decoder_torch.h"

namespace ropescope {

// -log p(targets[t] | …) in nats from hidden states [T, E]; the head runs in row blocks of at most
// 64 MiB of logits, log-sum-exp in double.
std::vector<double> tokenLosses(const DecoderContext& context, const at::Tensor& hidden,
                                std::span<const std::int32_t> targets);

}  // namespace ropescope
