// Command and options of heads.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {
namespace {

constexpr std::int64_t kMostPrompts = 10'000;

}  // namespace

std::vector<CommandSpec> headsCommands() {
  return {{.name = "heads",
           .usage = "heads [--prompts N] [--repeat N]",
           .summary = "Which heads retrieve: a copy test of every head.",
           .run = runHeads,
           .options = {"--prompts", "--repeat"},
           .examples = {"heads", "heads --rope yarn --factor 4 --prompts 10 --json heads.json"},
           .results = {"repeat_tokens", "prompts", "heads"}}};
}

std::vector<OptionSpec> headsOptions() {
  using O = Options;
  using H = HeadsOptions;
  using enum Arity;
  return {
      {"--prompts", "N", "prompts of other random tokens each (default 5, at least 2)", Once,
       setWholeWithin<2, kMostPrompts, &O::heads, &H::prompts>},
      {"--repeat", "N",
       "tokens that are repeated (default: up to 256, as many as fit twice into the trained "
       "length)",
       Once, setWholeWithin<2, kMostTokens, &O::heads, &H::repeat>},
  };
}

}  // namespace ropescope::cli
