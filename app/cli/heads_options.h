// What only heads takes.
#pragma once

#include <cstdint>

namespace ropescope::cli {

struct HeadsOptions {
  std::int64_t repeat = 0;  // tokens; 0: what fits
  int prompts = 5;
};

}  // namespace ropescope::cli
