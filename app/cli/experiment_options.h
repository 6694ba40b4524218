// What only the experiment commands take.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "core/experiment/experiment.h"

namespace ropescope::cli {

struct ExperimentOptions {
  std::optional<std::filesystem::path> file;
  std::vector<experiment::MapChoice> maps;  // layer and head; cells and reducer are options of maps
};

}  // namespace ropescope::cli
