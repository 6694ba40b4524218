// AdamW, arXiv:1711.05101: Adam with decoupled weight decay, as torch.optim.AdamW computes it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <ATen/core/Tensor.h>

namespace ropescope::calibration {

struct AdamWConfig {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weightDecay = 0.0;
};

// First and second moments by the parameter's name, and the steps taken: all that a resumed run
// needs.
struct AdamWState {
  std::map<std::string, at::Tensor> first;
  std::map<std::string, at::Tensor> second;
  std::int64_t steps = 0;
};

// Changes `parameters` in place. A parameter without a gradient stays as it is.
void adamwStep(std::map<std::string, at::Tensor>& parameters,
               const std::map<std::string, at::Tensor>& gradients, double rate,
               const AdamWConfig& config, AdamWState& state);

// Length of all gradients taken as one vector, in double.
double gradientNorm(const std::map<std::string, at::Tensor>& gradients);

}  // namespace ropescope::calibration
