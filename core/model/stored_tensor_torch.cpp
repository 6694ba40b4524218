#include "core/model/stored_tensor_torch.h"

#include <ATen/ATen.h>

#include <cstring>

namespace ropescope {
namespace {

at::ScalarType scalarType(StoredType type) {
  switch (type) {
    case StoredType::F64: return at::kDouble;
    case StoredType::F32: return at::kFloat;
    case StoredType::F16: return at::kHalf;
    case StoredType::BF16: return at::kBFloat16;
  }
  return at::kFloat;
}

// In blocks, so that the mask of isfinite stays small beside the tensor.
bool allFinite(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.reshape(-1);
  constexpr std::int64_t kBlock = 1 << 22;
  for (std::int64_t at = 0; at < flat.numel(); at += kBlock) {
    const auto block = flat.narrow(0, at, std::min(kBlock, flat.numel() - at));
    if (!at::isfinite(block).all().item<bool>()) return false;
  }
  return true;
}

}  // namespace

Result<at::Tensor> toTensor(const SafetensorsFile& file, const std::string& name,
                            const StoredTensor& stored, const Placement& placement) {
  const auto type = scalarType(stored.type);
  const auto keepOpen = std::make_shared<SafetensorsFile>(file);
  auto* data = const_cast<std::byte*>(stored.bytes.data());
  // The format promises no alignment; a misaligned tensor is copied before any kernel reads it.
  const bool aligned = reinterpret_cast<std::uintptr_t>(data) %
                           static_cast<std::uintptr_t>(bytesPerValue(stored.type)) ==
                       0;
  at::Tensor mapped;
  if (aligned) {
    mapped = at::from_blob(data, stored.shape, [keepOpen](void*) {},
                           at::TensorOptions().dtype(type));
  } else {
    mapped = at::empty(stored.shape, at::TensorOptions().dtype(type));
    std::memcpy(mapped.data_ptr(), data, stored.bytes.size());
  }
  if (!allFinite(mapped)) {
    return Error{ErrorCode::CorruptFile, file.path().string() + ": '" + name +
                                             "' holds NaN or infinity; download the file again"};
  }
  const at::Tensor copy = mapped.to(placement.device, placement.dtype);  // itself when nothing changes
  // float16 overflows where the stored type does not.
  if (placement.dtype == at::kHalf && !allFinite(copy)) {
    return Error{ErrorCode::Unsupported, file.path().string() + ": '" + name +
                                             "' has values beyond float16's range; use bfloat16 "
                                             "or float32"};
  }
  return copy;
}

}  // namespace ropescope
