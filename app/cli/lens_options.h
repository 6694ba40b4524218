// What only contributions and gate take.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ropescope::cli {

struct LensOptions {
  std::optional<std::int64_t> query;  // positions
  std::optional<std::int64_t> key;
  std::vector<std::int64_t> distances;  // tokens
  std::vector<std::string> against;     // other methods
};

}  // namespace ropescope::cli
