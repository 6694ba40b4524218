// What only sweep takes.
#pragma once

namespace ropescope::cli {

struct SweepOptions {};

}  // namespace ropescope::cli
