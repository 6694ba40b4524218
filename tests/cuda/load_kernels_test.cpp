// Finding the kernel library, with and without it; no GPU needed.
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "core/engine/cuda_kernels.h"

namespace ropescope {
namespace {

// The build's own library; empty when it was built without nvcc.
std::filesystem::path builtLibrary() {
  for (auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
       folder != folder.root_path(); folder = folder.parent_path()) {
    const auto library = folder / "app" / "libropescope_cuda.so";
    if (std::filesystem::exists(library)) return library;
  }
  return {};
}

TEST(CudaKernelLibrary, ThatDoesNotLoadIsADeviceErrorWithTheReason) {
  const auto kernels = loadCudaKernelsFrom("/nowhere/libropescope_cuda.so");
  ASSERT_FALSE(kernels);
  EXPECT_EQ(kernels.error().code, ErrorCode::Device);
  EXPECT_NE(kernels.error().message.find("/nowhere/libropescope_cuda.so"), std::string::npos);
}

TEST(CudaKernelLibrary, OfSomeoneElseIsRefusedByName) {
  const auto kernels = loadCudaKernelsFrom("libc.so.6");
  ASSERT_FALSE(kernels);
  EXPECT_EQ(kernels.error().code, ErrorCode::CorruptFile);
  EXPECT_NE(kernels.error().message.find("libc.so.6"), std::string::npos);
}

TEST(CudaKernelLibrary, OfThisBuildHasEveryKernelAndRefusesBadArguments) {
  if (builtLibrary().empty()) GTEST_SKIP() << "built without nvcc";
  const auto kernels = loadCudaKernelsFrom(builtLibrary());
  ASSERT_TRUE(kernels) << kernels.error().message;
  ASSERT_NE(kernels->attentionMap, nullptr);
  ASSERT_NE(kernels->rotate, nullptr);

  const cuda::AttentionMapArgs noMap;  // null pointers
  const Status map = cudaStatus(*kernels, "map", kernels->attentionMap(&noMap, nullptr));
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().code, ErrorCode::Device);
  EXPECT_EQ(map.error().message, "map: the GPU reported 'invalid argument' (CUDA error 1)");
  const cuda::RotaryArgs noRotation;
  EXPECT_NE(kernels->rotate(&noRotation, nullptr), 0);
  EXPECT_TRUE(cudaStatus(*kernels, "map", 0));
}

}  // namespace
}  // namespace ropescope
