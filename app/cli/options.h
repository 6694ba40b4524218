// The command line as values. Only the files behind this header know option names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "app/cli/experiment_options.h"
#include "app/cli/heads_options.h"
#include "app/cli/lens_options.h"
#include "app/cli/longrope_options.h"
#include "app/cli/psc_options.h"
#include "app/cli/reads_options.h"
#include "app/cli/retrieval_options.h"
#include "app/cli/sweep_options.h"
#include "core/eval/perplexity.h"
#include "core/probe/attention_map.h"

namespace ropescope::cli {

// No session is planned longer, in tokens.
inline constexpr std::int64_t kMostTokens = std::int64_t{1} << 26;
// Cells of a map's side.
inline constexpr std::int64_t kMostCells = 8192;

// Optional fields: not given, and the command works the value out.
struct Options {
  std::string command;

  // Common.
  std::filesystem::path model;  // empty: the bundled one
  std::string device = "auto";
  std::string dtype = "auto";
  int threads = 0;
  std::uint64_t seed = 0;
  std::optional<std::filesystem::path> json;  // "-": standard output

  // The plan.
  std::optional<std::int64_t> context;  // tokens
  std::optional<std::string> rope;      // method id
  std::optional<double> factor;
  std::vector<std::pair<std::string, std::string>> ropeParameters;  // name, value
  std::optional<std::filesystem::path> calibration;
  std::optional<double> pscStrength;
  std::optional<bool> lora;
  bool force = false;  // a calibration of another model or method all the same

  // Input.
  std::vector<std::filesystem::path> documents;
  std::optional<TokenRange> documentTokens;
  std::optional<std::filesystem::path> tokens;
  std::optional<std::string> text;
  std::optional<std::string> prompt;
  std::vector<std::string> questions;
  bool chat = false;

  // Answers.
  std::int64_t maxNewTokens = 128;
  std::optional<double> temperature;
  std::optional<double> topP;
  std::optional<std::int64_t> topK;

  // Measurements and pictures.
  bool lastLogits = false;
  std::vector<std::int64_t> lengths;
  std::vector<std::string> methods;  // one curve each
  Protocol protocol = Protocol::OnePass;
  std::optional<std::int64_t> stride;
  std::optional<std::filesystem::path> csv;
  std::optional<std::filesystem::path> wideCsv;
  std::vector<std::string> published;  // names of curves, or wide CSV files
  std::optional<std::int64_t> position;
  std::optional<std::int64_t> layer;
  std::optional<std::int64_t> head;
  std::optional<TokenRange> queries;
  std::optional<TokenRange> keys;
  std::int64_t size = 512;  // cells of a map's side
  Reducer reduce = Reducer::Max;
  std::optional<std::filesystem::path> png;
  std::optional<std::filesystem::path> out;

  // Training, search and sweeps.
  std::vector<std::filesystem::path> corpus;
  std::optional<double> maxMinutes;
  bool resume = false;
  PscOptions psc;
  LongropeOptions longrope;
  RetrievalOptions retrieval;
  SweepOptions sweep;
  ExperimentOptions experiment;
  ReadsOptions reads;
  HeadsOptions heads;
  LensOptions lens;
};

struct HelpRequest {
  std::string text;
};
struct VersionRequest {};
// One sentence with the cure; `json` is where the error object goes, when that could be read.
struct ParseFailure {
  std::string message;
  std::optional<std::filesystem::path> json;
};

using ParseResult = std::variant<Options, HelpRequest, VersionRequest, ParseFailure>;

ParseResult parseCommandLine(const std::vector<std::string>& arguments);

// Every command with its summary, the common options, examples.
std::string generalHelp();

}  // namespace ropescope::cli
