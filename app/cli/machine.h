// The machine that a measurement was made on.
#pragma once

#include <string>

namespace ropescope::cli {

std::string processorName();  // "unknown processor" when the system does not tell

}  // namespace ropescope::cli
