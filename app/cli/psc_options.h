// What only psc train takes.
#pragma once

namespace ropescope::cli {

struct PscOptions {};

}  // namespace ropescope::cli
