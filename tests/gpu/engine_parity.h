// A model on the CPU against the same model on the GPU, through the public engine.
#pragma once

#include <filesystem>
#include <string>

#include "tests/gpu/report.h"

namespace ropescope::gpu {

struct ParityInput {
  std::filesystem::path model;  // folder
  std::string text;             // of which the first tokens are read
  std::string device = "cuda";  // what is compared with the CPU
  bool halfTypes = true;        // bfloat16 and float16 too
};

void checkModel(const ParityInput& input, Report& report);

}  // namespace ropescope::gpu
