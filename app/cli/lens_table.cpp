// Commands and options that look at single tokens of a read document: contributions, gate.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {
namespace {

Status setDistances(Options& options, std::string_view text) {
  return split(text, ',', [&](std::string_view item) -> Status {
    const auto distance = wholeNumber(item, 0, kMostTokens);
    if (!distance) return wanted("token counts from 0 on with commas, such as 0,1,128,4096");
    options.lens.distances.push_back(*distance);
    return Done{};
  });
}

Status setAgainst(Options& options, std::string_view text) {
  return split(text, ';', [&](std::string_view item) -> Status {
    if (!item.empty()) options.lens.against.emplace_back(item);
    return Done{};
  });
}

}  // namespace

std::vector<CommandSpec> lensCommands() {
  return {
      {.name = "contributions",
       .usage = "contributions (--document F | --tokens FILE) --layer L --head H --query I --key J",
       .summary = "What each rotary pair adds to the score of two tokens.",
       .run = runContributions,
       .options = {"--document", "--document-tokens", "--tokens", "--layer", "--head", "--query",
                   "--key", "--against", "--distances"},
       .required = {"--document|--tokens", "--layer", "--head", "--query", "--key"},
       .examples = {"contributions --document book.txt --document-tokens 0:3000 --layer 2 --head 2 "
                    "--query 2900 --key 40 --rope yarn --against 'none;pi:factor=4'"},
       .results = {"query", "key", "score", "log_sum_exp", "weight", "pairs", "others"}},
      {.name = "gate",
       .usage = "gate (--document F | --tokens FILE) --layer L --calibration FILE [--position N]",
       .summary = "What a PSC calibration does to q and k of one layer.",
       .run = runGate,
       .options = {"--document", "--document-tokens", "--tokens", "--layer", "--position"},
       .required = {"--document|--tokens", "--layer"},
       .examples = {"gate --document book.txt --document-tokens 0:3000 --layer 2 --position 900 "
                    "--rope yarn --factor 4 --calibration yarn-4x-psc-seed0.safetensors"},
       .results = {"sample", "q", "k"}},
  };
}

std::vector<OptionSpec> lensOptions() {
  using O = Options;
  using enum Arity;
  return {
      {"--query", "I", "position of the token that looks, counted from 0 with BOS", Once,
       setWholeWithin<0, kMostTokens - 1, &O::lens, &LensOptions::query>},
      {"--key", "J", "position of the token that it looks at; at most --query", Once,
       setWholeWithin<0, kMostTokens - 1, &O::lens, &LensOptions::key>},
      {"--distances", "N,N,...",
       "also the score that these two tokens would have at such distances", Once, setDistances},
      {"--against", "M;M;...",
       "the same q and k rotated by other methods: METHOD[:NAME=VALUE,...] as in --methods",
       Repeated, setAgainst},
  };
}

}  // namespace ropescope::cli
