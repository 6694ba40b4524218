// Commands and options of sweep.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {
namespace {

Status addReport(Options& options, std::string_view text) {
  if (text.empty()) return wanted("a result file");
  options.sweep.report.emplace_back(text);
  return Done{};
}

Status addCompare(Options& options, std::string_view text) {
  return split(text, ';', [&](std::string_view item) -> Status {
    const auto slash = item.find('/');
    if (slash == 0 || slash == std::string_view::npos || slash + 1 == item.size()) {
      return wanted("pairs of variants CANDIDATE/BASELINE, such as 'psc/lora;psc/untrained'");
    }
    options.sweep.compare.emplace_back(item);
    return Done{};
  });
}

}  // namespace

std::vector<CommandSpec> sweepCommands() {
  return {
      {.name = "sweep",
       .usage = "sweep (SETTINGS.json [--books DIR] | --report FILE...) [--out FILE]",
       .summary = "Measure many settings, lengths and books; make tables from the results.",
       .run = runSweep,
       .options = {"--settings", "--books", "--document", "--document-tokens", "--max-minutes",
                   "--report", "--compare", "--out"},
       .usesPlan = false,
       .required = {"--settings|--report"},
       .examples = {"sweep resources/sweeps/bookworm-11m.json --books books/eval --out "
                    "results.jsonl --max-minutes 30",
                    "sweep --report results.jsonl training.json --out REPORT.md"},
       .results = {"cells", "measured", "missing", "waiting", "out"},
       .positional = "--settings"},
  };
}

std::vector<OptionSpec> sweepOptions() {
  using O = Options;
  using S = SweepOptions;
  using enum Arity;
  constexpr auto sweep = &O::sweep;
  return {
      {"--settings", "FILE",
       "JSON: what to measure (its name alone will do). Cells that --out holds already are not "
       "measured again",
       Once, setPath<sweep, &S::settings>},
      {"--books", "DIR", "folder of the books that the settings name", Once,
       setPath<sweep, &S::books>},
      {"--report", "FILE",
       "make a Markdown report from results of sweep (.jsonl) and psc train --json", Many,
       addReport},
      {"--compare", "A/B;A/B;...",
       "variants whose losses the report sets against each other (default: psc, and what starts "
       "with it, against lora, lora-wide and untrained)",
       Once, addCompare},
  };
}

}  // namespace ropescope::cli
