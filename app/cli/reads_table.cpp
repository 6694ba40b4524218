// Command and options of reads.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {
namespace {

Status setSpan(Options& options, std::string_view text) {
  const auto colon = text.find(':');
  TokenRange span;
  const bool good =
      colon != std::string_view::npos && readNumber(text.substr(0, colon), span.begin) &&
      readNumber(text.substr(colon + 1), span.end) && span.begin >= 0 && span.begin < span.end;
  if (!good) return wanted("tokens A:B of the answer, A below B, counted from 0, such as 0:5");
  options.reads.span = span;
  return Done{};
}

Status setHeads(Options& options, std::string_view text) {
  return split(text, ',', [&](std::string_view item) -> Status {
    const auto colon = item.find(':');
    HeadRef head;
    const bool good =
        colon != std::string_view::npos && readNumber(item.substr(0, colon), head.layer) &&
        readNumber(item.substr(colon + 1), head.head) && head.layer >= 0 && head.head >= 0;
    if (!good) return wanted("LAYER:HEAD pairs with commas, such as 3:2,4:0");
    options.reads.heads.push_back(head);
    return Done{};
  });
}

}  // namespace

std::vector<CommandSpec> readsCommands() {
  return {
      {.name = "reads",
       .usage = "reads --document F --question Q [--span A:B] [--heads L:H,L:H,...]",
       .summary = "Where an answer was read from: attention of its tokens over the document.",
       .run = runReads,
       .options = {"--document", "--document-tokens", "--question", "--max-new-tokens", "--span",
                   "--heads", "--keys"},
       .required = {"--document", "--question"},
       .examples = {"reads --document book.txt --question 'What is the pass key?' --rope yarn",
                    "reads --document book.txt --question 'Where was Rose born?' --span 0:2 "
                    "--heads 3:2,4:0 --json reads.json"},
       .results = {"answer", "parts", "span", "heads", "left_out_heads", "weights", "mass",
                   "sentences", "read_by", "by_distance", "beyond_trained"}},
  };
}

std::vector<OptionSpec> readsOptions() {
  return {
      {"--span", "A:B", "tokens of the answer (default: all of them)", Arity::Once, setSpan},
      {"--heads", "L:H,L:H,...", "heads to average, LAYER:HEAD (default: all)", Arity::Repeated,
       setHeads},
  };
}

}  // namespace ropescope::cli
