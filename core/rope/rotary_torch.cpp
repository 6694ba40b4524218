#include "core/rope/rotary_torch.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/rope/rope_math.h"

namespace ropescope::rope {
namespace {

at::Tensor asTensor(const std::vector<double>& values) {
  return at::tensor(values, at::TensorOptions().dtype(at::kDouble));
}

}  // namespace

RotaryTables rotaryTables(const RotaryPlan& plan, std::int64_t positions, const at::Device& device,
                          at::ScalarType dtype) {
  const at::Tensor position = at::arange(positions, at::TensorOptions().dtype(at::kDouble));
  at::Tensor angle = at::outer(position, asTensor(plan.invFreq));  // [N, P] rad
  at::Tensor factor = at::full({positions, 1}, plan.attentionFactor, position.options());
  const std::int64_t unscaled = std::min(plan.unscaledTokens, positions);
  if (unscaled > 0) {
    angle.narrow(0, 0, unscaled)
        .copy_(at::outer(position.narrow(0, 0, unscaled), asTensor(plainInvFreq(plan.context))));
    factor.narrow(0, 0, unscaled).fill_(1.0);
  }
  return {(angle.cos() * factor).to(device, dtype), (angle.sin() * factor).to(device, dtype)};
}

at::Tensor rotate(const at::Tensor& x, const RotaryTables& tables, std::int64_t first) {
  const std::int64_t tokens = x.size(0);
  const std::int64_t pairs = x.size(2) / 2;
  const at::Tensor cos = tables.cos.narrow(0, first, tokens).unsqueeze(1);  // [T, 1, P]
  const at::Tensor sin = tables.sin.narrow(0, first, tokens).unsqueeze(1);
  const at::Tensor left = x.narrow(2, 0, pairs).to(cos.scalar_type());
  const at::Tensor right = x.narrow(2, pairs, pairs).to(cos.scalar_type());
  return at::cat({left * cos - right * sin, right * cos + left * sin}, 2).to(x.scalar_type());
}

}  // namespace ropescope::rope
