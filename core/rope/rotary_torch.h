// From a plan to cos/sin tables, and the rotation of queries and keys.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/rope/rope_method.h"

namespace ropescope::rope {

// cos and sin of every position, times the attention factor. Angles are built in double and rounded
// once: to float32, or kept in double for float64 sessions.
struct RotaryTables {
  at::Tensor cos;  // [N, P]
  at::Tensor sin;  // [N, P]
};

RotaryTables rotaryTables(const RotaryPlan& plan, std::int64_t positions, const at::Device& device,
                          at::ScalarType dtype);

// What turns a tensor that is rotated under `from` into what `to` would have made of it: cos and sin of
// the difference of the angles, times the ratio of the attention factors.
RotaryTables turnTables(const RotaryPlan& from, const RotaryPlan& to, std::int64_t positions,
                        const at::Device& device, at::ScalarType dtype);

// Rotates pairs (p, p + P) of x [T, H, D] by the angles of positions first … first + T - 1:
//   x'[p] = x[p] cos - x[p + P] sin,   x'[p + P] = x[p + P] cos + x[p] sin.
// Computes in the tables' type and rounds once to x's. Returns a new tensor [T, H, D].
at::Tensor rotate(const at::Tensor& x, const RotaryTables& tables, std::int64_t first);

}  // namespace ropescope::rope
