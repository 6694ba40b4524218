// What only sweep takes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ropescope::cli {

struct SweepOptions {
  std::optional<std::filesystem::path> settings;
  std::optional<std::filesystem::path> books;  // folder
  std::vector<std::filesystem::path> report;   // result files to make tables from
  std::vector<std::string> compare;            // "psc/lora"
};

}  // namespace ropescope::cli
