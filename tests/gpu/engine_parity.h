// A model on the CPU against the same model on the GPU, through the public engine.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/gpu/report.h"

namespace ropescope::gpu {

struct ParityInput {
  std::filesystem::path model;  // folder
  std::string text;             // of which the first tokens are read
  std::string device = "cuda";  // what is compared with the CPU
  std::vector<std::string> halfTypes = {"bfloat16", "float16"};
};

void checkModel(const ParityInput& input, Report& report);

}  // namespace ropescope::gpu
