#include "core/calibration/adamw_torch.h"

#include <cmath>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace ropescope::calibration {

void adamwStep(std::map<std::string, at::Tensor>& parameters,
               const std::map<std::string, at::Tensor>& gradients, double rate,
               const AdamWConfig& config, AdamWState& state) {
  const at::NoGradGuard noGrad;
  const auto step = static_cast<double>(++state.steps);
  const double firstCorrection = 1.0 - std::pow(config.beta1, step);
  const double secondCorrection = std::sqrt(1.0 - std::pow(config.beta2, step));
  for (const auto& [name, gradient] : gradients) {
    at::Tensor& parameter = parameters.at(name);
    at::Tensor& first = state.first[name];
    at::Tensor& second = state.second[name];
    if (!first.defined()) first = at::zeros_like(parameter);
    if (!second.defined()) second = at::zeros_like(parameter);
    if (config.weightDecay != 0.0) parameter.mul_(1.0 - rate * config.weightDecay);
    first.mul_(config.beta1).add_(gradient, 1.0 - config.beta1);
    second.mul_(config.beta2).addcmul_(gradient, gradient, 1.0 - config.beta2);
    const at::Tensor scale = second.sqrt().div_(secondCorrection).add_(config.epsilon);
    parameter.addcdiv_(first, scale, -rate / firstCorrection);
  }
}

double gradientNorm(const std::map<std::string, at::Tensor>& gradients) {
  std::vector<at::Tensor> squares;  // read back together: a GPU is waited for once
  for (const auto& [name, gradient] : gradients) {
    squares.push_back(gradient.to(at::kDouble).square().sum());
  }
  if (squares.empty()) return 0.0;
  const at::Tensor onCpu = at::stack(squares).to(at::kCPU);
  const double* values = onCpu.const_data_ptr<double>();
  return std::sqrt(std::accumulate(values, values + onCpu.numel(), 0.0));
}

}  // namespace ropescope::calibration
