#include "core/rope/rotary_torch.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/rope/rope_math.h"

namespace ropescope::rope {
namespace {

at::Tensor asTensor(const std::vector<double>& values) {
  return at::tensor(values, at::TensorOptions().dtype(at::kDouble));
}

// The rotation by cos, sin [T, 1, P] of x [T, H, D]; by -sin it is its own transpose.
at::Tensor turned(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const std::int64_t pairs = x.size(2) / 2;
  const at::Tensor left = x.narrow(2, 0, pairs).to(cos.scalar_type());
  const at::Tensor right = x.narrow(2, pairs, pairs).to(cos.scalar_type());
  return at::cat({left * cos - right * sin, right * cos + left * sin}, 2).to(x.scalar_type());
}

// A gradient turns back by the same angles: nothing of x needs to be kept for it.
class Rotation : public torch::autograd::Function<Rotation> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& cos, const at::Tensor& sin) {
    context->save_for_backward({cos, sin});
    return turned(x, cos, sin);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto tables = context->get_saved_variables();
    return {turned(gradients[0], tables[0], -tables[1]), at::Tensor(), at::Tensor()};
  }
};

// In double, on the CPU.
struct Angles {
  at::Tensor angle;   // [N, P] rad
  at::Tensor factor;  // [N, 1] attention factor
};

Angles anglesOf(const RotaryPlan& plan, std::int64_t positions) {
  const at::Tensor position = at::arange(positions, at::TensorOptions().dtype(at::kDouble));
  at::Tensor angle = at::outer(position, asTensor(plan.invFreq));
  at::Tensor factor = at::full({positions, 1}, plan.attentionFactor, position.options());
  const std::int64_t unscaled = std::min(plan.unscaledTokens, positions);
  if (unscaled > 0) {
    angle.narrow(0, 0, unscaled)
        .copy_(at::outer(position.narrow(0, 0, unscaled), asTensor(plainInvFreq(plan.context))));
    factor.narrow(0, 0, unscaled).fill_(1.0);
  }
  return {angle, factor};
}

}  // namespace

RotaryTables rotaryTables(const RotaryPlan& plan, std::int64_t positions, const at::Device& device,
                          at::ScalarType dtype) {
  const Angles of = anglesOf(plan, positions);
  return {(of.angle.cos() * of.factor).to(device, dtype),
          (of.angle.sin() * of.factor).to(device, dtype)};
}

RotaryTables turnTables(const RotaryPlan& from, const RotaryPlan& to, std::int64_t positions,
                        const at::Device& device, at::ScalarType dtype) {
  const Angles before = anglesOf(from, positions);
  const Angles after = anglesOf(to, positions);
  const at::Tensor angle = after.angle - before.angle;
  const at::Tensor factor = after.factor / before.factor;
  return {(angle.cos() * factor).to(device, dtype), (angle.sin() * factor).to(device, dtype)};
}

at::Tensor rotate(const at::Tensor& x, const RotaryTables& tables, std::int64_t first) {
  const at::Tensor cos = tables.cos.narrow(0, first, x.size(0)).unsqueeze(1);  // [T, 1, P]
  const at::Tensor sin = tables.sin.narrow(0, first, x.size(0)).unsqueeze(1);
  if (at::GradMode::is_enabled() && x.requires_grad()) return Rotation::apply(x, cos, sin);
  return turned(x, cos, sin);
}

}  // namespace ropescope::rope
