// Commands and options of passkey, needle and questions.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"
#include "core/tokenizer/utf8.h"

namespace ropescope::cli {
namespace {

constexpr std::int64_t kMostTrials = 10'000;
constexpr std::int64_t kMostQuestions = 100'000;

Status addDepths(Options& options, std::string_view text) {
  return split(text, ',', [&](std::string_view item) -> Status {
    const auto depth = realNumber(item);
    if (!depth || *depth < 0.0 || *depth > 1.0) {
      return wanted("fractions from 0 (start) to 1 (end) with commas, such as 0,0.5,1");
    }
    options.retrieval.depths.push_back(*depth);
    return Done{};
  });
}

Status setRecipe(Options& options, std::string_view text) {
  const auto recipe = findRecipe(text);
  if (!recipe) return wanted("one of yarn, pi, longrope, bookworm");
  options.retrieval.recipe = *recipe;
  return Done{};
}

Status setThreshold(Options& options, std::string_view text) {
  const auto share = realNumber(text);
  if (!share || !(*share > 0.0 && *share <= 1.0)) {
    return wanted("a share above 0 and up to 1, such as 0.9");
  }
  options.retrieval.threshold = *share;
  return Done{};
}

template <auto field>
Status setSentence(Options& options, std::string_view text) {
  if (text.find_first_not_of(" \t\n") == std::string_view::npos) return wanted("some text");
  if (firstInvalidUtf8(text)) return wanted("UTF-8 text");
  options.retrieval.*field = std::string(text);
  return Done{};
}

Status addTypes(Options& options, std::string_view text) {
  return split(text, ',', [&](std::string_view item) -> Status {
    const auto type = findQuestionType(item);
    if (!type) return wanted("some of fact,word,quote,sentence");
    options.retrieval.types.push_back(*type);
    return Done{};
  });
}

}  // namespace

std::vector<CommandSpec> retrievalCommands() {
  return {
      {.name = "passkey",
       .usage = "passkey --lengths N,N,... --out FILE [--depths D,D,...] [--methods 'M;M;...']",
       .summary = "Find a number hidden in a long text, by length and depth.",
       .run = runPasskey,
       .options = {"--lengths", "--depths", "--trials", "--methods", "--recipe", "--document",
                   "--document-tokens", "--threshold", "--out", "--resume", "--csv"},
       .required = {"--lengths", "--out"},
       .examples = {"passkey --document book.txt --lengths 1024,2048,4096 --methods "
                    "'none;yarn:factor=4' --out passkey.jsonl",
                    "passkey --recipe yarn --model ~/models/llama --lengths 4096,8192 --depths "
                    "0,0.5,1 --trials 5 --methods 'none;yarn:factor=2' --out llama.jsonl"},
       .results = {"cells", "effective_context"},
       .refused = {"--context"}},
      {.name = "needle",
       .usage =
           "needle --document F --needle S --question Q --answer A --lengths N,N,... --out FILE",
       .summary = "Find your own sentence in your own document, by length and depth.",
       .run = runNeedle,
       .options = {"--document", "--document-tokens", "--needle", "--question", "--answer",
                   "--lengths", "--depths", "--trials", "--methods", "--threshold", "--out",
                   "--resume", "--csv"},
       .required = {"--document", "--needle", "--question", "--answer", "--lengths", "--out"},
       .examples = {"needle --document book.txt --needle 'Rose Winter was born in Vienna.' "
                    "--question 'Where was Rose Winter born?' --answer Vienna --lengths 1024,4096 "
                    "--methods 'none;yarn:factor=4' --out needle.jsonl"},
       .results = {"cells", "effective_context"},
       .refused = {"--context"}},
      {.name = "questions",
       .usage =
           "questions --document F [F2 ...] --lengths N,N,... --out FILE [--methods 'M;M;...']",
       .summary = "Questions of the bundled model's kinds about any book, by type and length.",
       .run = runQuestions,
       .options = {"--document", "--document-tokens", "--lengths", "--methods", "--count",
                   "--types", "--out", "--resume", "--csv"},
       .required = {"--document", "--lengths", "--out"},
       .examples = {"questions --document book.txt --lengths 1024,4096 --methods "
                    "'none;yarn:factor=4' --count 40 --out questions.jsonl",
                    "questions --document a.txt b.txt --lengths 2048 --types fact --rope yarn "
                    "--factor 4 --count 100 --out facts.jsonl --resume"},
       .results = {"accuracy"},
       .refused = {"--context"}},
  };
}

std::vector<OptionSpec> retrievalOptions() {
  using O = Options;
  using R = RetrievalOptions;
  using enum Arity;
  return {
      {"--depths", "D,D,...",
       "share of the text before the hidden sentence, 0 start to 1 end (default 0,0.25,0.5,0.75,1)",
       Once, addDepths},
      {"--trials", "N", "prompts for every cell (default 10; needle: 1)", Once,
       setWholeWithin<1, kMostTrials, &O::retrieval, &R::trials>},
      {"--recipe", "NAME",
       "prompt: yarn, pi, longrope (as published) or bookworm (the model's own format, the key "
       "hidden in --document); default: bookworm when the model brings a prompt_format.json and "
       "--document is given, else yarn",
       Once, setRecipe},
      {"--threshold", "X",
       "share of trials at every depth that makes a length count as found (default 1; 0.2 with "
       "the pi recipe, as in its paper)",
       Once, setThreshold},
      {"--needle", "S", "the sentence to hide", Once, setSentence<&R::needle>},
      {"--answer", "A", "what the model must say, to the word", Once, setSentence<&R::answer>},
      {"--count", "N", "questions of every type at every length (default 40)", Once,
       setWholeWithin<1, kMostQuestions, &O::retrieval, &R::count>},
      {"--types", "T,T,...", "some of fact,word,quote,sentence (default all)", Once, addTypes},
  };
}

}  // namespace ropescope::cli
