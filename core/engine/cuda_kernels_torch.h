// The CUDA kernels on tensors: shapes and types checked, on torch's current stream.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "core/base/result.h"
#include "core/cuda/cuda_kernels.h"
#include "core/probe/attention_map.h"
#include "core/rope/rotary_torch.h"

namespace ropescope {

// On a GPU and of a type that the kernels know: float32, bfloat16, float16. float64 takes ATen.
bool kernelsTake(const at::Tensor& x);

// Rotates x [T, H, D] IN PLACE by the angles of positions first … first + T - 1; bit-equal to
// rope::rotate(). Any strides, D contiguous; float32 tables. Autograd does not see it.
// Errors: InvalidArgument (shape, type, device), Device.
Status rotateInPlace(const CudaKernels& kernels, const at::Tensor& x,
                     const rope::RotaryTables& tables, std::int64_t first);

// What rows of a map are drawn from, all on one GPU.
struct MapRows {
  at::Tensor q;    // [Tq, D] of one head, rotated; row i is the query at firstQuery + i
  at::Tensor k;    // [S, D] of its KV head, rotated, from position 0; type as q
  at::Tensor lse;  // [Tq] float32 natural log-sum-exp of the whole row
  std::int64_t firstQuery = 0;
};

// Draws the rows rowBegin … rowEnd - 1 of `picture` [height, width] float32, contiguous, on the
// GPU; width and height as in the request, which must not exceed its tokens. Does not wait for the
// GPU. Errors: InvalidArgument (shape, type, rows whose queries or keys are missing), Device.
Status drawMapRows(const CudaKernels& kernels, const MapRequest& request, const MapRows& rows,
                   int rowBegin, int rowEnd, const at::Tensor& picture);

}  // namespace ropescope
