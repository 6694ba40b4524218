// What every lens does first: is the layer there, does the head exist, where do positions end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/base/result.h"
#include "core/engine/session_torch.h"

namespace ropescope::lens {

// Errors: InvalidArgument with `what` as the subject, found, wanted and the cure.
Status checkLayer(const Session::State& state, int layer, const std::string& what);
Status checkHead(const Session::State& state, int head, const std::string& what);
Status checkPosition(const Session::State& state, std::int64_t position, const std::string& what);

// Key head that a query head reads.
int keyHeadOf(const ModelConfig& config, int head);

// A tensor's values in double.
std::vector<double> doubles(const at::Tensor& values);

}  // namespace ropescope::lens
