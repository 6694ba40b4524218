// One file that holds an experiment: what was asked of which model and document under which
// settings, and what came out. It can be looked at without the model and run again with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/generation.h"
#include "core/eval/perplexity.h"
#include "core/probe/attention_map.h"

namespace ropescope::experiment {

// A map over the whole document.
struct MapChoice {
  int layer = 0;
  int head = 0;
  int cells = 256;  // of a side, at most
  Reducer reducer = Reducer::Max;
};

// What to do; complete without any result.
struct Plan {
  std::string model = {};                 // name of its folder, for people
  std::string modelHash = {};             // Engine::modelHash()
  std::string tokenizerHash = {};         // SHA-256 of tokenizer.model
  std::string dtype = {};                 // "float32"
  std::int64_t trainedLength = 0;         // tokens
  std::vector<double> plainInvFreq = {};  // of RoPE without scaling, rad per token
  std::string protocol = {};              // of the perplexity curve, in words
  std::string documentName = {};
  std::string documentText = {};            // all that the model reads of it
  std::vector<std::string> settings = {};   // as parseCurve() takes them: "yarn:factor=4"
  std::int64_t contextTokens = 0;           // planned length of every setting
  std::vector<std::string> questions = {};  // each asked behind the document, on its own
  GenerationConfig generation = {};
  std::vector<std::int64_t> lengths = {};  // of the perplexity curve, one pass; empty: none
  std::vector<MapChoice> maps = {};
};

struct RecordedAnswer {
  std::string text = {};
  std::vector<GeneratedToken> tokens = {};  // without EOS
  std::string finishReason = {};            // finishReasonName()
};

struct RecordedSetting {
  std::string setting = {};  // of Plan::settings
  // The rotation in use.
  std::string method = {};
  double factor = 1.0;
  double attentionFactor = 1.0;
  std::vector<double> invFreq = {};                 // rad per token, one per rotary pair
  std::string note = {};                            // what the method decided, in words
  std::optional<std::string> calibrationHash = {};  // SHA-256 of the file
  std::int64_t documentTokens = 0;                  // BOS and prompt format included
  std::vector<RecordedAnswer> answers = {};         // one per question
  std::vector<PerplexityPoint> perplexity = {};
  std::vector<AttentionMap> maps = {};  // one per Plan::maps
  double seconds = 0.0;                 // of all of it; never compared
};

struct Experiment {
  std::string program = {};  // version that made the results
  Plan plan = {};
  std::vector<RecordedSetting> results = {};  // in the order of Plan::settings; empty: not run yet
};

// JSON, UTF-8; map weights are the base64 of little-endian float32.
std::string toText(const Experiment& experiment);
// CorruptFile names the place and what was wanted there; Unsupported a file of a later form.
Result<Experiment> fromText(const std::string& text, const std::string& name);

// The file itself, or a picture that carries one.
Result<Experiment> readExperiment(const std::filesystem::path& path);
Status writeExperiment(const Experiment& experiment, const std::filesystem::path& path);

// Keyword under which a PNG carries an experiment.
inline constexpr const char* kPictureKeyword = "RopeScope experiment";

}  // namespace ropescope::experiment
