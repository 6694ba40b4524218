#include "app/cli/commands.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ropescope::cli {

Command findCommandFunction(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Command>, 10> kCommands{{
      {"ask", runAsk},
      {"generate", runGenerate},
      {"score", runScore},
      {"perplexity", runPerplexity},
      {"attention", runAttention},
      {"angles", runAngles},
      {"inspect", runInspect},
      {"tokenize", runTokenize},
      {"bench", runBench},
      {"render", runRender},
  }};
  const auto found = std::find_if(kCommands.begin(), kCommands.end(),
                                  [&](const auto& command) { return command.first == name; });
  return found == kCommands.end() ? nullptr : found->second;
}

}  // namespace ropescope::cli
