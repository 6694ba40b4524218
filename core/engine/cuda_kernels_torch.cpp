#include "core/engine/cuda_kernels_torch.h"

#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "core/engine/cuda_kernels.h"
#include "core/model/guard_torch.h"

namespace ropescope {
namespace {

// Only after kernelsTake().
cuda::ElementType elementType(const at::Tensor& x) {
  if (x.scalar_type() == at::kBFloat16) return cuda::ElementType::BFloat16;
  if (x.scalar_type() == at::kHalf) return cuda::ElementType::Float16;
  return cuda::ElementType::Float32;
}

void* currentStream(const at::Device& device) {
  const c10::impl::VirtualGuardImpl guard(device.type());
  return guard.getStream(device).native_handle();
}

std::string shapeText(const at::Tensor& x) {
  std::string text = "[";
  for (const std::int64_t size : x.sizes()) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  }
  return text + "] " + at::toString(x.scalar_type()) + " on " + x.device().str();
}

Error refused(const char* name, const at::Tensor& found, const std::string& wanted) {
  return Error{ErrorCode::InvalidArgument, std::string("CUDA kernel: '") + name + "' is " +
                                               shapeText(found) + ", wanted is " + wanted};
}

bool isFloatBeside(const at::Tensor& x, const at::Tensor& other) {
  return x.scalar_type() == at::kFloat && x.device() == other.device() && x.is_contiguous();
}

// Tables cut to T rows: [T, P] float32, contiguous.
Status checkRotation(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  if (!kernelsTake(x) || x.dim() != 3 || x.size(2) % 2 != 0 || x.stride(2) != 1) {
    return refused("x", x, "[T, H, D] float32, bfloat16 or float16 on a GPU, D even, contiguous");
  }
  const std::vector<std::int64_t> shape{x.size(0), x.size(2) / 2};
  const std::string wanted = "[T, D / 2] float32 beside x, contiguous";
  if (cos.sizes() != at::IntArrayRef(shape) || !isFloatBeside(cos, x)) {
    return refused("cos", cos, wanted);
  }
  if (sin.sizes() != at::IntArrayRef(shape) || !isFloatBeside(sin, x)) {
    return refused("sin", sin, wanted);
  }
  return Done{};
}

Status checkMap(const MapRequest& request, const MapRows& rows, int rowBegin, int rowEnd,
                const at::Tensor& picture) {
  const at::Tensor& q = rows.q;
  if (!kernelsTake(q) || q.dim() != 2 || q.stride(1) != 1) {
    return refused("q", q, "[Tq, D] float32, bfloat16 or float16 on a GPU, D contiguous");
  }
  if (rows.k.dim() != 2 || rows.k.size(1) != q.size(1) || rows.k.stride(1) != 1 ||
      rows.k.scalar_type() != q.scalar_type() || rows.k.device() != q.device() ||
      rows.k.size(0) < request.keys.end) {
    return refused("k", rows.k,
                   "[S, D] of q's type, S at least " + std::to_string(request.keys.end));
  }
  if (rows.lse.dim() != 1 || rows.lse.size(0) != q.size(0) || !isFloatBeside(rows.lse, q)) {
    return refused("lse", rows.lse, "[Tq] float32, contiguous");
  }
  if (picture.dim() != 2 || picture.size(0) != request.height || picture.size(1) != request.width ||
      !isFloatBeside(picture, q)) {
    return refused("picture", picture, "[height, width] float32, contiguous");
  }
  const std::int64_t first = cellBegin(request.queries, request.height, rowBegin);
  const std::int64_t end = cellBegin(request.queries, request.height, rowEnd);
  if (first < rows.firstQuery || end > rows.firstQuery + q.size(0)) {
    return refused("q", q, "queries " + std::to_string(first) + " to " + std::to_string(end));
  }
  return Done{};
}

}  // namespace

bool kernelsTake(const at::Tensor& x) {
  const at::ScalarType type = x.scalar_type();
  return x.is_cuda() && (type == at::kFloat || type == at::kBFloat16 || type == at::kHalf);
}

Status rotateInPlace(const CudaKernels& kernels, const at::Tensor& x,
                     const rope::RotaryTables& tables, std::int64_t first) {
  return guardTorch("rotating on the GPU", [&]() -> Status {
    const at::Tensor cos = tables.cos.narrow(0, first, x.size(0));
    const at::Tensor sin = tables.sin.narrow(0, first, x.size(0));
    if (const Status checked = checkRotation(x, cos, sin); !checked) return checked.error();
    const c10::DeviceGuard device(x.device());
    cuda::RotaryArgs args;
    args.x = x.data_ptr();
    args.cosTable = cos.const_data_ptr<float>();
    args.sinTable = sin.const_data_ptr<float>();
    args.tokens = x.size(0);
    args.tokenStride = x.stride(0);
    args.headStride = x.stride(1);
    args.heads = static_cast<std::int32_t>(x.size(1));
    args.pairs = static_cast<std::int32_t>(cos.size(1));
    args.type = elementType(x);
    args.device = x.get_device();
    return cudaStatus(kernels, "rotary kernel", kernels.rotate(&args, currentStream(x.device())));
  });
}

Status drawMapRows(const CudaKernels& kernels, const MapRequest& request, const MapRows& rows,
                   int rowBegin, int rowEnd, const at::Tensor& picture) {
  return guardTorch("drawing a map on the GPU", [&]() -> Status {
    if (const Status checked = checkMap(request, rows, rowBegin, rowEnd, picture); !checked) {
      return checked.error();
    }
    const c10::DeviceGuard device(rows.q.device());
    cuda::AttentionMapArgs args;
    args.q = rows.q.const_data_ptr();
    args.k = rows.k.const_data_ptr();
    args.lse = rows.lse.const_data_ptr<float>();
    args.out = picture.mutable_data_ptr<float>();
    args.queryStride = rows.q.stride(0);
    args.keyStride = rows.k.stride(0);
    args.firstQuery = rows.firstQuery;
    args.queryBegin = request.queries.begin;
    args.queryEnd = request.queries.end;
    args.keyBegin = request.keys.begin;
    args.keyEnd = request.keys.end;
    args.height = request.height;
    args.width = request.width;
    args.rowBegin = rowBegin;
    args.rowEnd = rowEnd;
    args.headDim = static_cast<std::int32_t>(rows.q.size(1));
    args.scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(rows.q.size(1))));
    args.type = elementType(rows.q);
    args.reducer = request.reducer == Reducer::Max ? cuda::MapReducer::Max : cuda::MapReducer::Mean;
    args.device = rows.q.get_device();
    return cudaStatus(kernels, "attention map kernel",
                      kernels.attentionMap(&args, currentStream(rows.q.device())));
  });
}

}  // namespace ropescope
