// Commands and options of passkey, needle and questions.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {

std::vector<CommandSpec> retrievalCommands() {
  return {};
}

std::vector<OptionSpec> retrievalOptions() {
  return {};
}

}  // namespace ropescope::cli
