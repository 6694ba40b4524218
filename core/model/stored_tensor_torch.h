// From bytes in a safetensors file to a tensor where it is needed.
#pragma once

#include <ATen/core/Tensor.h>

#include "core/model/safetensors.h"
#include "core/model/weights_torch.h"

namespace ropescope {

// On the CPU and in the stored type, the tensor lies over the mapped file (which it keeps open);
// otherwise it is converted and copied. CorruptFile names a tensor that holds NaN or infinity.
Result<at::Tensor> toTensor(const SafetensorsFile& file, const std::string& name,
                            const StoredTensor& stored, const Placement& placement);

}  // namespace ropescope
