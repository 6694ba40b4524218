// Phase Shift Calibration: a learned, content-dependent gate on q and k before they are rotated, on
// top of any method's plan.  arXiv:2505.12423, section 3, and the paper's code.
#pragma once

#include <ATen/core/Tensor.h>

namespace ropescope::rope {

// Weights of one layer's q or k side; undefined tensors mean identity.
struct PhaseModule {
  at::Tensor up;    // U [H, D, D]; zero at the start of training
  at::Tensor down;  // W [H, D, D]
  bool defined() const { return up.defined() && down.defined(); }
};

// h = SiLU(x U),  y = h W,  gate = 1 + P tanh(y) / 2, per head; x [T, H, D] -> [H, T, D].
// P: 1 as trained, 0 identity. The module must be defined.
at::Tensor phaseGate(const at::Tensor& x, const PhaseModule& module, double strength);

// out = x gate; x [T, H, D] -> [T, H, D]. x itself without a module or at strength 0.
at::Tensor shiftPhase(const at::Tensor& x, const PhaseModule& module, double strength);

}  // namespace ropescope::rope
