// What an Engine holds.
#pragma once

#include <optional>

#include "core/cuda/cuda_kernels.h"
#include "core/engine/engine.h"
#include "core/model/weights_torch.h"

namespace ropescope {

struct Engine::State {
  std::filesystem::path folder;
  ModelConfig config;
  Weights weights;
  Placement placement;
  std::string device;
  std::string dtype;
  int threads = 1;
  std::optional<CudaKernels> kernels;  // on a GPU, when the kernel library was built
  PromptFormat promptFormat;
  Result<std::shared_ptr<const Tokenizer>> tokenizer{Error{}};
};

}  // namespace ropescope
