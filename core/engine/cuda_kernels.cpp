#include "core/engine/cuda_kernels.h"

#include <memory>
#include <string>
#include <system_error>

#include <dlfcn.h>

namespace ropescope {
namespace {

constexpr const char* kLibraryName = "libropescope_cuda.so";

std::string loaderText() {
  const char* text = dlerror();
  return text == nullptr ? "no reason given" : text;
}

// Empty when the system does not tell.
std::filesystem::path programFolder() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path() : program.parent_path();
}

template <class Function>
bool find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  return function != nullptr;
}

Error wrongLibrary(const std::string& name, const std::string& what) {
  return Error{ErrorCode::CorruptFile,
               name + ": " + what + "; build it again together with this program"};
}

struct CloseLibrary {
  void operator()(void* library) const { dlclose(library); }
};

Result<CudaKernels> functionsOf(void* opened, const std::string& name) {
  std::unique_ptr<void, CloseLibrary> library(opened);
  int (*version)() = nullptr;
  if (!find(opened, "ropescopeCudaKernelsVersion", version)) {
    return wrongLibrary(name, "is no RopeScope kernel library");
  }
  if (const int found = version(); found != kCudaKernelsVersion) {
    return wrongLibrary(name, "holds kernels of version " + std::to_string(found) + ", wanted is " +
                                  std::to_string(kCudaKernelsVersion));
  }
  CudaKernels kernels;
  if (!find(opened, "ropescopeCudaAttentionMap", kernels.attentionMap) ||
      !find(opened, "ropescopeCudaRotate", kernels.rotate) ||
      !find(opened, "ropescopeCudaErrorText", kernels.errorText)) {
    return wrongLibrary(name, "lacks a kernel");
  }
  static_cast<void>(library.release());  // stays for as long as the program runs
  return kernels;
}

}  // namespace

Result<CudaKernels> loadCudaKernelsFrom(const std::filesystem::path& library) {
  dlerror();
  void* opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) {
    return Error{ErrorCode::Device,
                 "the CUDA kernels could not be loaded (the ATen path serves): " + loaderText()};
  }
  return functionsOf(opened, library.string());
}

Result<CudaKernels> loadCudaKernels() {
  std::error_code error;
  const auto beside = programFolder() / kLibraryName;
  if (std::filesystem::exists(beside, error)) return loadCudaKernelsFrom(beside);
  if (void* opened = dlopen(kLibraryName, RTLD_NOW | RTLD_LOCAL); opened != nullptr) {
    return functionsOf(opened, kLibraryName);
  }
  return Error{ErrorCode::NotFound,
               "the CUDA kernels were not built (no nvcc at build time): the ATen path is used"};
}

Status cudaStatus(const CudaKernels& kernels, const char* call, int error) {
  if (error == 0) return Done{};
  return Error{ErrorCode::Device, std::string(call) + ": the GPU reported '" +
                                      kernels.errorText(error) + "' (CUDA error " +
                                      std::to_string(error) + ")"};
}

}  // namespace ropescope
