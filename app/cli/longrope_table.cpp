// Commands and options of longrope search.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {

std::vector<CommandSpec> longropeCommands() {
  return {};
}

std::vector<OptionSpec> longropeOptions() {
  return {};
}

}  // namespace ropescope::cli
