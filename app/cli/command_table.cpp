#include <algorithm>

#include "app/app_info.h"
#include "app/cli/commands.h"
#include "app/cli/option_table.h"
#include "app/cli/text.h"

namespace ropescope::cli {
namespace {

constexpr std::size_t kHelpWidth = 98;
constexpr std::size_t kOptionColumn = 29;

std::vector<CommandSpec> makeCommandTable() {
  return {
      {.name = "ask",
       .usage = "ask --document F --question Q [--question Q2 ...] [--chat]",
       .summary = "Answer questions about a document.",
       .run = runAsk,
       .options = {"--document", "--document-tokens", "--question", "--chat", "--max-new-tokens",
                   "--temperature", "--top-p", "--top-k"},
       .required = {"--document", "--question"},
       .examples = {"ask --document book.txt --question 'What is the pass key?' --rope yarn",
                    "ask --document book.txt --document-tokens 0:3000 --question 'Where was Rose "
                    "born?' --rope yarn --factor 4 --json answer.json"},
       .results = {"answers"}},
      {.name = "generate",
       .usage = "generate (--prompt T | --tokens FILE)",
       .summary = "Continue a text.",
       .run = runGenerate,
       .options = {"--prompt", "--tokens", "--max-new-tokens", "--temperature", "--top-p",
                   "--top-k"},
       .required = {"--prompt|--tokens"},
       .examples = {"generate --prompt 'It was a dark and' --max-new-tokens 60",
                    "generate --prompt 'It was' --temperature 0.8 --top-p 0.95 --seed 7"},
       .results = {"token_ids", "text"}},
      {.name = "score",
       .usage = "score (--document F | --tokens FILE) [--last-logits]",
       .summary = "Loss of every token of a text, in nats.",
       .run = runScore,
       .options = {"--document", "--document-tokens", "--tokens", "--last-logits"},
       .required = {"--document|--tokens"},
       .examples = {"score --document book.txt --document-tokens 0:4096 --rope yarn --json s.json"},
       .results = {"tokens", "nll", "mean_nll", "perplexity", "last_logits"}},
      {.name = "perplexity",
       .usage = "perplexity --document F [F2 ...] [--lengths N,N,...] [--methods 'M;M;...']",
       .summary = "Perplexity against context length, one curve per method.",
       .run = runPerplexity,
       .options = {"--document", "--document-tokens", "--lengths", "--methods", "--protocol",
                   "--stride", "--csv", "--wide-csv", "--published"},
       .required = {"--document"},
       .examples = {"perplexity --document book.txt --lengths 1024,2048,4096 --methods "
                    "'none;pi;yarn:factor=4' --csv curves.csv",
                    "perplexity --document a.txt b.txt --lengths 2048 --methods yarn:factor=auto "
                    "--protocol sliding --stride 512",
                    "perplexity --document book.txt --published yarn-llama-2-7b-64k-proofpile"},
       .results = {"protocol", "curves", "published"}},
      {.name = "attention",
       .usage = "attention (--document F | --tokens FILE) --layer L --head H",
       .summary = "Where one head looks, pooled to a picture.",
       .run = runAttention,
       .options = {"--document", "--document-tokens", "--tokens", "--layer", "--head", "--queries",
                   "--keys", "--size", "--reduce", "--png"},
       .required = {"--document|--tokens", "--layer", "--head"},
       .examples = {"attention --document book.txt --document-tokens 0:4000 --layer 3 --head 2 "
                    "--rope yarn --png map.png"},
       .results = {"width", "height", "queries", "keys", "values"}},
      {.name = "angles",
       .usage = "angles [--position N]",
       .summary = "Frequency, wavelength and angle of every rotary pair.",
       .run = runAngles,
       .options = {"--position"},
       .examples = {"angles --rope yarn --factor 4", "angles --rope pi --context 8192 --json -"},
       .results = {"attention_factor", "pairs", "unseen_pairs"},
       .refused = {"--calibration", "--psc-strength", "--lora", "--force"}},
      {.name = "inspect",
       .usage = "inspect [--model DIR]",
       .summary = "The model in words: shapes, RoPE methods and their parameters, memory.",
       .run = runInspect,
       .examples = {"inspect", "inspect --model ~/models/llama --rope yarn --context 32768"}},
      {.name = "tokenize",
       .usage = "tokenize (--text T | --document F)",
       .summary = "Text to token ids, pieces and byte ranges.",
       .run = runTokenize,
       .options = {"--text", "--document", "--document-tokens"},
       .usesPlan = false,
       .required = {"--text|--document"},
       .examples = {"tokenize --text 'Once upon a time'"},
       .results = {"tokens", "pieces", "spans"}},
      {.name = "bench",
       .usage = "bench [--lengths N,N,...]",
       .summary = "Speed of this machine on this model, beside the machine's own limits.",
       .run = runBench,
       .options = {"--lengths"},
       .examples = {"bench --lengths 1024,4096,16384 --rope yarn --json bench.json"},
       .results = {"machine", "prefill", "decode", "attention_map", "peak_rss"}},
      {.name = "render",
       .usage = "render --out DIR [--document F | --experiment FILE]",
       .summary = "The pictures (attention map, angles, perplexity) as PNG files.",
       .run = runRender,
       .options = {"--out", "--document", "--document-tokens", "--layer", "--head", "--experiment"},
       .required = {"--out"},
       .examples = {"render --out pictures",
                    "render --out pictures --document book.txt --rope yarn",
                    "render --out pictures --experiment lesson.ropescope"},
       .results = {"files"}},
  };
}

std::vector<CommandSpec> makeWholeTable() {
  auto table = makeCommandTable();
  for (const auto& group :
       {headsCommands(), readsCommands(), lensCommands(), pscCommands(), longropeCommands(),
        retrievalCommands(), sweepCommands(), experimentCommands()}) {
    table.insert(table.end(), group.begin(), group.end());
  }
  return table;
}

std::string optionLine(const OptionSpec& option) {
  std::string head = "  " + std::string(option.name);
  if (!option.value.empty()) head += " " + std::string(option.value);
  const std::string blanks = head.size() + 1 < kOptionColumn
                                 ? std::string(kOptionColumn - head.size(), ' ')
                                 : "\n" + std::string(kOptionColumn, ' ');
  return head + blanks + wrapped(option.help, kOptionColumn, kHelpWidth - kOptionColumn) + "\n";
}

std::string optionLines(const std::vector<std::string_view>& names) {
  std::string text;
  for (const auto name : names) text += optionLine(*findOption(name));
  return text;
}

}  // namespace

const std::vector<CommandSpec>& commandTable() {
  static const std::vector<CommandSpec> table = makeWholeTable();
  return table;
}

const CommandSpec* findCommand(std::string_view name) {
  const auto& table = commandTable();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const CommandSpec& command) { return command.name == name; });
  return found == table.end() ? nullptr : &*found;
}

const std::vector<std::string_view>& commonOptions() {
  static const std::vector<std::string_view> names = {"--model",   "--device", "--dtype",
                                                      "--threads", "--seed",   "--json"};
  return names;
}

const std::vector<std::string_view>& planOptions() {
  static const std::vector<std::string_view> names = {
      "--context",     "--rope",         "--factor", "--rope-param",
      "--calibration", "--psc-strength", "--lora", "--force"};
  return names;
}

bool takesOption(const CommandSpec& command, std::string_view option) {
  const auto holds = [&](const std::vector<std::string_view>& names) {
    return std::find(names.begin(), names.end(), option) != names.end();
  };
  return holds(command.options) || holds(commonOptions()) ||
         (command.usesPlan && holds(planOptions()) && !holds(command.refused));
}

std::string commandHelp(const CommandSpec& command) {
  std::string text = std::string(command.summary) + "\n\nUsage: ropescope-cli " +
                     std::string(command.usage) + " [options]\n";
  if (!command.options.empty()) text += "\nOptions:\n" + optionLines(command.options);
  if (command.usesPlan) {
    std::vector<std::string_view> plan;
    for (const auto option : planOptions()) {
      if (takesOption(command, option)) plan.push_back(option);
    }
    text += "\nThe plan (how positions are rotated):\n" + optionLines(plan);
  }
  text += "\nCommon:\n" + optionLines(commonOptions());
  text += "\nExamples:\n";
  for (const auto example : command.examples) {
    text += "  ropescope-cli " + std::string(example) + "\n";
  }
  return text;
}

std::string generalHelp() {
  std::string text = std::string(kAppName) + " " + kAppVersion +
                     " reads documents far longer than a model was trained for, and shows why it "
                     "works or breaks.\n\nUsage: ropescope-cli COMMAND [options]\n\nCommands:\n";
  for (const auto& command : commandTable()) {
    std::string name = "  " + std::string(command.name);
    name.resize(19, ' ');
    text += name + std::string(command.summary) + "\n";
  }
  text += "\nCommon options (--help after a command lists its own):\n" +
          optionLines(commonOptions()) + "\nThe plan (how positions are rotated):\n" +
          optionLines(planOptions());
  text +=
      "\nExamples:\n"
      "  ropescope-cli ask --document book.txt --question 'What is the pass key?' --rope yarn\n"
      "  ropescope-cli perplexity --document book.txt --lengths 1024,2048,4096 "
      "--methods 'none;pi;yarn'\n"
      "  ropescope-cli attention --document book.txt --layer 3 --head 2 --rope yarn --png "
      "map.png\n"
      "  ropescope-cli render --out pictures\n"
      "  ropescope-cli inspect\n"
      "\nExit status: 0 done, 1 failed, 2 the command line was not understood, 130 "
      "interrupted.\n";
  return text;
}

}  // namespace ropescope::cli
