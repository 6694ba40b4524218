// What only longrope search takes.
#pragma once

namespace ropescope::cli {

struct LongropeOptions {};

}  // namespace ropescope::cli
