#include "app/cli/option_table.h"

#include <algorithm>

#include "app/cli/option_setters.h"
#include "app/cli/text.h"
#include "core/tokenizer/utf8.h"

namespace ropescope::cli {
namespace {

// "A:B"; either side may be left out: 0 and the end (kMost, cut to the size later).
Result<TokenRange> range(std::string_view text) {
  const Error error = wanted(
      "a range A:B with A below B, half-open and counted from 0, such as 0:1024 (':B' and 'A:' "
      "reach to the ends)");
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return error;
  TokenRange range{.begin = 0, .end = kMost};
  const auto begin = text.substr(0, colon);
  const auto end = text.substr(colon + 1);
  if (!begin.empty() && !readNumber(begin, range.begin)) return error;
  if (!end.empty() && !readNumber(end, range.end)) return error;
  if (range.begin < 0 || range.end <= range.begin) return error;
  return range;
}

Status setLengths(Options& options, std::string_view text) {
  return split(text, ',', [&](std::string_view item) -> Status {
    const auto length = wholeNumber(item, 2, kMostTokens);
    if (!length) {
      return wanted("token counts of 2 to " + std::to_string(kMostTokens) +
                    " with commas, such as 1024,2048,4096");
    }
    options.lengths.push_back(*length);
    return Done{};
  });
}

Status setMethods(Options& options, std::string_view text) {
  return split(text, ';', [&](std::string_view item) -> Status {
    if (item.empty()) return Done{};
    options.methods.emplace_back(item);
    return Done{};
  });
}

Status setRopeParameter(Options& options, std::string_view text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    return wanted("NAME=VALUE, such as beta_fast=16 ('inspect' lists the names)");
  }
  const std::string_view name = text.substr(0, equals);
  const std::string value(text.substr(equals + 1));
  if (name == "factor") return wanted("a parameter of the method; use --factor " + value);
  const bool again = std::any_of(options.ropeParameters.begin(), options.ropeParameters.end(),
                                 [&](const auto& parameter) { return parameter.first == name; });
  if (again) return wanted("each parameter once, " + std::string(name) + " is given twice");
  options.ropeParameters.emplace_back(name, value);
  return Done{};
}

Status setRope(Options& options, std::string_view text) {
  if (!rope::findMethod(text)) {
    std::vector<std::string> ids;
    for (const auto& method : rope::allMethods()) ids.push_back(method->info().id);
    const auto guess = nearest(text, ids);
    return wanted("one of " + rope::methodIds() + (guess ? " (did you mean " + *guess + "?)" : ""));
  }
  options.rope = std::string(text);
  return Done{};
}

Status setDtype(Options& options, std::string_view text) {
  const std::vector<std::string> names = {"auto", "float32", "bfloat16", "float16", "float64"};
  if (std::find(names.begin(), names.end(), text) == names.end()) {
    return wanted("one of auto, float32, bfloat16, float16, float64");
  }
  options.dtype = text;
  return Done{};
}

Status setDevice(Options& options, std::string_view text) {
  int index = 0;
  const bool indexed =
      text.substr(0, 5) == "cuda:" && readNumber(text.substr(5), index) && index >= 0;
  if (text != "auto" && text != "cpu" && text != "cuda" && !indexed) {
    return wanted("auto, cpu, cuda or cuda:N");
  }
  options.device = text;
  return Done{};
}

Status setProtocol(Options& options, std::string_view text) {
  const auto protocol = findProtocol(text);
  if (!protocol) return wanted("one of one-pass, sliding, truncate, llama.cpp");
  options.protocol = *protocol;
  return Done{};
}

Status setReduce(Options& options, std::string_view text) {
  if (text != "max" && text != "mean") return wanted("max or mean");
  options.reduce = text == "max" ? Reducer::Max : Reducer::Mean;
  return Done{};
}

Status setLora(Options& options, std::string_view text) {
  if (text != "on" && text != "off") return wanted("on or off");
  options.lora = text == "on";
  return Done{};
}

// The least factor is the method's affair.
Status setFactor(Options& options, std::string_view text) {
  const auto number = realNumber(text);
  if (!number) return number.error();
  if (*number > static_cast<double>(kMostTokens)) {
    return wanted("a number up to " + std::to_string(kMostTokens));
  }
  options.factor = *number;
  return Done{};
}

template <auto field>
Status setRange(Options& options, std::string_view text) {
  const auto parsed = range(text);
  if (!parsed) return parsed.error();
  options.*field = *parsed;
  return Done{};
}

Status addDocument(Options& options, std::string_view text) {
  if (text.empty()) return wanted("a file name");
  options.documents.emplace_back(text);
  return Done{};
}

Status addCorpus(Options& options, std::string_view text) {
  if (text.empty()) return wanted("a file name");
  options.corpus.emplace_back(text);
  return Done{};
}

Status addPublished(Options& options, std::string_view text) {
  if (text.empty()) return wanted("the name of a published curve, or FILE.csv");
  options.published.emplace_back(text);
  return Done{};
}

Status addQuestion(Options& options, std::string_view text) {
  if (text.find_first_not_of(" \t\n") == std::string_view::npos) return wanted("a question");
  if (firstInvalidUtf8(text)) return wanted("UTF-8 text");
  options.questions.emplace_back(text);
  return Done{};
}

std::vector<OptionSpec> makeOptionTable() {
  using O = Options;
  using enum Arity;
  return {
      {"--model", "DIR", "Hugging Face folder (default: the bundled model)", Once,
       setPath<&O::model>},
      {"--device", "NAME", "auto, cpu, cuda or cuda:N (auto: the first GPU, else the CPU)", Once,
       setDevice},
      {"--dtype", "NAME",
       "auto, float32, bfloat16, float16, float64 (auto: bfloat16 on a GPU, float32 on a CPU; psc "
       "train, psc bench and longrope search: bfloat16 on a CPU with AVX512-BF16 too)",
       Once, setDtype},
      {"--threads", "N", "CPU threads (0, the default: one per core)", Once,
       setWhole<&O::threads, 0>},
      {"--seed", "N", "seed of everything random (default 0)", Once, setWhole<&O::seed, 0>},
      {"--json", "FILE",
       "write the result as one JSON object; '-': to standard output, which then carries nothing "
       "else. Readable text goes to standard error then",
       Once, setPath<&O::json>},

      {"--context", "N",
       "planned length in tokens (default: what the job needs); may exceed the trained length",
       Once, setWhole<&O::context, 1, kMostTokens>},
      {"--rope", "METHOD",
       "RoPE scaling, replaces what the model's config says; 'inspect' lists the methods", Once,
       setRope},
      {"--factor", "S", "scaling factor (default: planned / trained length, at least 1)", Once,
       setFactor},
      {"--rope-param", "NAME=VALUE", "a parameter of the method; may repeat", Repeated,
       setRopeParameter},
      {"--calibration", "FILE", "phase calibration (safetensors) on top of the method", Once,
       setPath<&O::calibration>},
      {"--psc-strength", "P", "strength of the calibration: 1 as trained (default), 0 none", Once,
       setReal<&O::pscStrength>},
      {"--lora", "on|off", "use the calibration's LoRA pairs (default on)", Once, setLora},
      {"--force", "", "use a calibration that was trained for another model or method", Flag,
       setFlag<&O::force>},

      {"--document", "F", "UTF-8 text file", Many, addDocument},
      {"--document-tokens", "A:B",
       "only tokens A up to, not including, B of the document (without BOS)", Once,
       setRange<&O::documentTokens>},
      {"--tokens", "FILE", "JSON array of token ids, taken as they are", Once, setPath<&O::tokens>},
      {"--text", "T", "text to split", Once, setText<&O::text>},
      {"--prompt", "T", "text to continue", Once, setText<&O::prompt>},
      {"--question", "Q", "a question about the document, in quotes; may repeat", Repeated,
       addQuestion},
      {"--chat", "", "make the questions turns of one conversation", Flag, setFlag<&O::chat>},

      {"--max-new-tokens", "N", "longest answer in tokens (default 128)", Once,
       setWhole<&O::maxNewTokens, 1, kMostTokens>},
      {"--temperature", "T", "0, the default, always takes the likeliest token", Once,
       setReal<&O::temperature>},
      {"--top-p", "P", "sample from the likeliest tokens that together have probability P", Once,
       setReal<&O::topP>},
      {"--top-k", "K", "sample from the K likeliest tokens", Once, setWhole<&O::topK, 0>},

      {"--last-logits", "", "add the logits after the last token", Flag, setFlag<&O::lastLogits>},
      {"--lengths", "N,N,...", "context lengths in tokens", Once, setLengths},
      {"--methods", "M;M;...",
       "one curve each: METHOD[:NAME=VALUE,...] with factor (a number or auto), calibration, "
       "psc_strength, lora, force=on and the method's parameters",
       Repeated, setMethods},
      {"--protocol", "NAME", "one-pass (default), sliding, truncate or llama.cpp", Once,
       setProtocol},
      {"--stride", "N",
       "tokens between windows of the sliding protocol (default 256, at most half the shortest "
       "length)",
       Once, setWhole<&O::stride, 1, kMostTokens>},
      {"--csv", "FILE", "write the points as CSV too", Once, setPath<&O::csv>},
      {"--wide-csv", "FILE",
       "write the perplexities as the YaRN repository does too: lengths across, a curve a row",
       Once, setPath<&O::wideCsv>},
      {"--published", "NAME",
       "set published curves beside yours, such as yarn-llama-2-7b-64k or pi-llama-7b, or the rows "
       "of a wide CSV (FILE.csv); may repeat",
       Repeated, addPublished},
      {"--position", "N", "token position of the angles (default: the last planned one)", Once,
       setWhole<&O::position, 0, kMostTokens - 1>},
      {"--layer", "L", "layer, counted from 0", Once, setWhole<&O::layer, 0>},
      {"--head", "H", "query head, counted from 0", Once, setWhole<&O::head, 0>},
      {"--queries", "A:B", "rows of the map (default: all)", Once, setRange<&O::queries>},
      {"--keys", "A:B", "columns of the map (default: all)", Once, setRange<&O::keys>},
      {"--size", "N", "most cells per side (default 512, at most 8192)", Once,
       setWhole<&O::size, 1, kMostCells>},
      {"--reduce", "max|mean", "what a cell shows of its token pairs (default max)", Once,
       setReduce},
      {"--png", "FILE", "write the map as a picture too", Once, setPath<&O::png>},
      {"--out", "PATH",
       "where the result goes: a folder (render; made when it is not there) or a file", Once,
       setPath<&O::out>},

      {"--corpus", "F", "UTF-8 text files, folders of them (*.txt), or JSON arrays of token ids (.json)", Many, addCorpus},
      {"--max-minutes", "T", "stop after so many minutes; --resume goes on later", Once,
       setReal<&O::maxMinutes>},
      {"--resume", "", "go on with what an earlier call left behind", Flag, setFlag<&O::resume>},
  };
}

std::vector<OptionSpec> makeWholeTable() {
  auto table = makeOptionTable();
  for (const auto& group :
       {headsOptions(), readsOptions(), lensOptions(), pscOptions(), longropeOptions(),
        retrievalOptions(), sweepOptions(), experimentOptions()}) {
    table.insert(table.end(), group.begin(), group.end());
  }
  return table;
}

}  // namespace

const std::vector<OptionSpec>& optionTable() {
  static const std::vector<OptionSpec> table = makeWholeTable();
  return table;
}

const OptionSpec* findOption(std::string_view name) {
  const auto& table = optionTable();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const OptionSpec& option) { return option.name == name; });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace ropescope::cli
