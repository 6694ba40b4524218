// The planned length of commands that read no text.
#pragma once

#include <cstdint>

#include "app/cli/run.h"

namespace ropescope::cli {

// --context; else trained length times --factor; else what the config allows. Says which.
Result<std::int64_t> plannedLengthWithoutInput(Run& run);

}  // namespace ropescope::cli
