// Commands and options of sweep.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {

std::vector<CommandSpec> sweepCommands() {
  return {};
}

std::vector<OptionSpec> sweepOptions() {
  return {};
}

}  // namespace ropescope::cli
