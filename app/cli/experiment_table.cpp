// Commands and options of experiment.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {
namespace {

// "2:5": layer 2, head 5.
Status setMaps(Options& options, std::string_view text) {
  return split(text, ',', [&](std::string_view item) -> Status {
    const auto colon = item.find(':');
    const auto layer = wholeNumber(item.substr(0, colon), 0, 9999);
    const auto head = colon == std::string_view::npos
                          ? Result<std::int64_t>(wanted(""))
                          : wholeNumber(item.substr(colon + 1), 0, 9999);
    if (!layer || !head) return wanted("LAYER:HEAD pairs such as 2:2,3:0");
    options.experiment.maps.push_back(
        {.layer = static_cast<int>(*layer), .head = static_cast<int>(*head)});
    return Done{};
  });
}

}  // namespace

std::vector<CommandSpec> experimentCommands() {
  return {
      {.name = "experiment new",
       .usage = "experiment new --document F --methods 'M;M;...' --out FILE",
       .summary = "Ask, measure and draw under several settings; keep it all in one file.",
       .run = runExperimentNew,
       .options = {"--document", "--document-tokens", "--methods", "--question", "--lengths",
                   "--maps", "--size", "--reduce", "--context", "--max-new-tokens", "--temperature",
                   "--top-p", "--top-k", "--out"},
       .usesPlan = false,
       .required = {"--document", "--methods", "--out"},
       .examples = {"experiment new --document book.txt --methods 'pi:factor=4;yarn:factor=4' "
                    "--question 'Where was Rose born?' --lengths 1024,3000 --maps 2:2 --out "
                    "lesson.ropescope"},
       .results = {"out", "results"}},
      {.name = "experiment run",
       .usage = "experiment run FILE [--out FILE]",
       .summary = "Run an experiment again with its model; report what comes out differently.",
       .run = runExperimentRun,
       .options = {"--experiment", "--out"},
       .usesPlan = false,
       .required = {"--experiment"},
       .examples = {"experiment run lesson.ropescope"},
       .results = {"agrees", "differences"},
       .positional = "--experiment"},
      {.name = "experiment show",
       .usage = "experiment show FILE",
       .summary = "What an experiment asked and recorded; needs no model.",
       .run = runExperimentShow,
       .options = {"--experiment"},
       .usesModel = false,
       .usesPlan = false,
       .required = {"--experiment"},
       .examples = {"experiment show lesson.ropescope", "experiment show pictures/perplexity.png"},
       .results = {"plan", "results"},
       .positional = "--experiment"},
  };
}

std::vector<OptionSpec> experimentOptions() {
  using enum Arity;
  return {
      {"--experiment", "FILE",
       "an experiment's file, or a picture made of one (its name alone will do)", Once,
       setPath<&Options::experiment, &ExperimentOptions::file>},
      {"--maps", "L:H,L:H,...",
       "layer and head of the attention maps to keep, over the whole document", Once, setMaps},
  };
}

}  // namespace ropescope::cli
