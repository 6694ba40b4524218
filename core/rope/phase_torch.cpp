#include "core/rope/phase_torch.h"

#include <ATen/ATen.h>

namespace ropescope::rope {

at::Tensor shiftPhase(const at::Tensor& x, const PhaseModule& module, double strength) {
  if (!module.defined() || strength == 0.0) return x;
  const at::Tensor perHead = x.transpose(0, 1);                                // [H, T, D]
  const at::Tensor hidden = at::silu(at::bmm(perHead, module.up));             // [H, T, D]
  const at::Tensor gate = at::tanh(at::bmm(hidden, module.down)) * (strength / 2.0) + 1.0;
  return (perHead * gate).transpose(0, 1);
}

}  // namespace ropescope::rope
