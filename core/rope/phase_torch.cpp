#include "core/rope/phase_torch.h"

#include <ATen/ATen.h>

namespace ropescope::rope {

at::Tensor phaseGate(const at::Tensor& x, const PhaseModule& module, double strength) {
  const at::Tensor hidden = at::silu(at::bmm(x.transpose(0, 1), module.up));  // [H, T, D]
  return at::tanh(at::bmm(hidden, module.down)) * (strength / 2.0) + 1.0;
}

at::Tensor shiftPhase(const at::Tensor& x, const PhaseModule& module, double strength) {
  if (!module.defined() || strength == 0.0) return x;
  return (x.transpose(0, 1) * phaseGate(x, module, strength)).transpose(0, 1);
}

}  // namespace ropescope::rope
