// Commands and options of psc train.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {

std::vector<CommandSpec> pscCommands() {
  return {};
}

std::vector<OptionSpec> pscOptions() {
  return {};
}

}  // namespace ropescope::cli
