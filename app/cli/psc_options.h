// What only psc train takes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace ropescope::cli {

struct PscOptions {
  std::int64_t steps = 500;
  int loraRank = 8;
  std::optional<double> loraAlpha;
  bool loraAlone = false;
  std::optional<std::filesystem::path> init;
  double rate = 2e-4;
  int warmup = 20;
  int accumulate = 4;
  double clip = 1.0;
  std::int64_t saveEvery = 10;
};

}  // namespace ropescope::cli
