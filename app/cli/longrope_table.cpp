// Commands and options of longrope search.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {
namespace {

Status setVariant(Options& options, std::string_view text) {
  const auto variant = calibration::findVariant(text);
  if (!variant) return wanted("one of paper, piecewise, critical, local");
  options.longrope.variant = *variant;
  return Done{};
}

Status setObjective(Options& options, std::string_view text) {
  if (text != "perplexity" && text != "needle") return wanted("perplexity or needle");
  options.longrope.objective =
      text == "needle" ? SearchObjective::Needle : SearchObjective::Perplexity;
  return Done{};
}

Status setPositions(Options& options, std::string_view text) {
  if (text != "all" && text != "second-half") return wanted("all or second-half");
  options.longrope.positions =
      text == "all" ? calibration::ScoredPositions::All : calibration::ScoredPositions::SecondHalf;
  return Done{};
}

Status addJudge(Options& options, std::string_view text) {
  if (text.empty()) return wanted("a file name");
  options.longrope.judge.emplace_back(text);
  return Done{};
}

}  // namespace

std::vector<CommandSpec> longropeCommands() {
  return {
      {.name = "longrope search",
       .usage = "longrope search --corpus FILES... --context N --out FILE [--judge FILES...]",
       .summary = "Search LongRoPE factors for a target length.",
       .run = runLongropeSearch,
       .options = {"--corpus", "--evaluations", "--max-minutes", "--out", "--resume",
                   "--search-variant", "--search-population", "--search-unscaled", "--objective",
                   "--search-samples", "--search-positions", "--other-factors", "--judge",
                   "--judge-windows"},
       .required = {"--corpus", "--context", "--out"},
       .examples = {"longrope search --corpus books/*.txt --context 4096 --search-variant local "
                    "--evaluations 300 --search-samples 8 --out factors.json --judge held-out.txt",
                    "longrope search --corpus books/*.txt --context 4096 --evaluations 300 "
                    "--search-samples 8 --out factors.json --resume --max-minutes 30"},
       .results = {"factors", "unscaled_tokens", "loss", "seed_losses", "is_seed", "evaluations",
                   "history", "judge"},
       .refused = {"--rope", "--rope-param"},
       .dtype = "bfloat16"},
  };
}

std::vector<OptionSpec> longropeOptions() {
  using O = Options;
  using L = LongropeOptions;
  using enum Arity;
  constexpr auto longrope = &O::longrope;
  return {
      {"--evaluations", "E",
       "candidates to score in all, over resumed calls too (default 1344, as in the paper)", Once,
       setWholeWithin<1, kMost, longrope, &L::evaluations>},
      {"--search-variant", "NAME",
       "paper (default): evolution as in arXiv:2402.13753; piecewise: with its alpha and beta "
       "genes; critical: LongRoPE2, arXiv:2502.20082; local: steps from the best, for few "
       "evaluations",
       Once, setVariant},
      {"--search-population", "P", "candidates of a generation (default 64; local has none)", Once,
       setWholeWithin<8, 65536, longrope, &L::population>},
      {"--search-unscaled", "", "search the number of unscaled first tokens (n-hat) too", Flag,
       setFlag<longrope, &L::searchUnscaled>},
      {"--objective", "NAME",
       "perplexity (default) of windows of the corpus, or needle: of the answers to planted facts "
       "alone",
       Once, setObjective},
      {"--search-samples", "K", "windows or needles that a candidate is scored on (default 5)",
       Once, setWholeWithin<1, 65536, longrope, &L::samples>},
      {"--search-positions", "NAME", "score all (default) or the second-half of every window", Once,
       setPositions},
      {"--other-factors", "FILE",
       "the list that is not searched here, long or short, for a .json --out with both", Once,
       setPath<longrope, &L::otherFactors>},
      {"--judge", "F", "texts that the search must not see: found factors against PI, NTK, YaRN",
       Many, addJudge},
      {"--judge-windows", "K", "windows per --judge text, spread evenly (default: all)", Once,
       setWholeWithin<1, kMost, longrope, &L::judgeWindows>},
  };
}

}  // namespace ropescope::cli
