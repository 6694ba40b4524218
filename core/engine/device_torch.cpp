#include "core/engine/device_torch.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <charconv>
#include <fstream>

#include "core/base/memory_size.h"

namespace ropescope {
namespace {

// Loads LibTorch's CUDA half only where a driver is. Returns the number of usable GPUs.
int cudaDevices(const LogSink& log) {
  if (::dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL) == nullptr) return 0;
  if (::dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = ::dlerror();
    logTo(log, LogLevel::Warning,
          std::string("an NVIDIA driver is here, but LibTorch's CUDA library is not usable: ") +
              (reason == nullptr ? "unknown reason" : reason) +
              "; run ./app/run again to install it");
    return 0;
  }
  return at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
}

Result<at::Device> chooseDevice(const std::string& name, const LogSink& log) {
  if (name == "cpu") return at::Device(at::kCPU);
  const bool automatic = name == "auto";
  int index = 0;
  if (!automatic && name != "cuda") {
    const std::string digits = name.rfind("cuda:", 0) == 0 ? name.substr(5) : std::string();
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
        index < 0) {
      return Error{ErrorCode::InvalidArgument,
                   "the device is '" + name + "'; auto, cpu, cuda or cuda:N is wanted"};
    }
  }
  const int devices = cudaDevices(log);
  if (automatic && devices == 0) return at::Device(at::kCPU);
  if (index >= devices) {
    return Error{ErrorCode::Device,
                 "the device is '" + name + "', and " +
                     (devices == 0 ? "no usable NVIDIA GPU was found"
                                   : "there are " + std::to_string(devices) + " GPUs") +
                     "; use --device cpu"};
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(index));
}

Result<at::ScalarType> chooseType(const std::string& name, const at::Device& device) {
  if (name == "auto") return device.is_cuda() ? at::kBFloat16 : at::kFloat;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf, at::kDouble}) {
    if (name != dtypeName(type)) continue;
    if (type == at::kHalf && device.is_cpu()) {
      return Error{ErrorCode::Unsupported,
                   "float16 is for GPUs; on a CPU use --dtype float32 (exact) or bfloat16 (half "
                   "the memory)"};
    }
    return type;
  }
  return Error{ErrorCode::InvalidArgument,
               "the dtype is '" + name +
                   "'; auto, float32, bfloat16, float16 or float64 is wanted"};
}

}  // namespace

Result<Placement> choosePlacement(const std::string& device, const std::string& dtype,
                                  const LogSink& log) {
  const auto where = chooseDevice(device, log);
  if (!where) return where.error();
  const auto type = chooseType(dtype, *where);
  if (!type) return type.error();
  return Placement{*where, *type};
}

std::string dtypeName(at::ScalarType dtype) {
  switch (dtype) {
    case at::kFloat: return "float32";
    case at::kBFloat16: return "bfloat16";
    case at::kHalf: return "float16";
    case at::kDouble: return "float64";
    default: return "unknown";
  }
}

std::string deviceText(const at::Device& device) {
  return device.is_cuda() ? "cuda:" + std::to_string(device.index()) : "cpu";
}

std::int64_t availableBytes(const at::Device& device) {
  if (device.is_cuda()) {
    // What the driver has left, and what freed tensors left to LibTorch for the next ones.
    auto* const allocator = at::getDeviceAllocator(at::kCUDA);
    const auto stats = allocator->getDeviceStats(device.index());
    const auto aggregate = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return static_cast<std::int64_t>(allocator->getMemoryInfo(device.index()).first) +
           stats.reserved_bytes[aggregate].current - stats.allocated_bytes[aggregate].current;
  }
  if (!device.is_cpu()) return -1;
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::int64_t kibibytes = 0;
  for (std::string unit; file >> name >> kibibytes && std::getline(file, unit);) {
    if (name == "MemAvailable:") return kibibytes * 1024;
  }
  return -1;
}

std::int64_t peakBytes(const at::Device& device) {
  if (!device.is_cuda()) return peakResidentBytes();
  const auto stats = at::getDeviceAllocator(at::kCUDA)->getDeviceStats(device.index());
  return stats.allocated_bytes[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)]
      .peak;
}

}  // namespace ropescope
