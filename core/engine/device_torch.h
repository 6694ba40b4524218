// Where a model runs and in which type.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/model/weights_torch.h"

namespace ropescope {

// "auto", "cpu", "cuda", "cuda:N" and "auto", "float32", … to a placement. auto takes the first GPU
// if there is one, and bfloat16 on a GPU, float32 on a CPU.
// Errors: Device when a GPU is asked for and none works; Unsupported for float16 on a CPU.
Result<Placement> choosePlacement(const std::string& device, const std::string& dtype,
                                  const LogSink& log);

std::string dtypeName(at::ScalarType dtype);
std::string deviceText(const at::Device& device);  // "cpu", "cuda:0"

// Memory that can still be taken without swapping, on the device; -1 when unknown.
std::int64_t availableBytes(const at::Device& device);

// The most that this process has held: resident memory on a CPU, tensors on a GPU.
std::int64_t peakBytes(const at::Device& device);

}  // namespace ropescope
