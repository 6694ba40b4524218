// One file that holds an experiment: what was asked of which model and document under which
// settings, and what came out. It can be looked at without the model and run again with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
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
  std::string finishReason = {};            // finishReasonName(); empty: the question was not asked
  // Bytes of `text` that are there after each token; empty: not recorded.
  std::vector<std::int64_t> ends = {};
  double seconds = 0.0;  // of writing it; 0: not recorded; never compared

  bool isRecorded() const { return !finishReason.empty(); }
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
  std::vector<AttentionMap> maps = {};  // one per Plan::maps; without values: not drawn
  double seconds = 0.0;                 // of all of it; never compared
};

struct Experiment {
  std::string program = {};  // version that made the results
  Plan plan = {};
  std::vector<RecordedSetting> results = {};  // in the order of Plan::settings; empty: not run yet
  std::string layout = {};  // of the window that saved it, in its own form; empty: none
};

// A file's form. 1: every setting has every answer and every map. 2: some may be missing, as in a
// window that asked this question of that setting only. Fields that came later are optional in
// both.
inline constexpr int kNewestForm = 2;

// JSON, UTF-8, in the oldest form that can hold it; map weights are the base64 of little-endian
// float32.
std::string toText(const Experiment& experiment);
// CorruptFile names the place and what was wanted there; Unsupported a file of a later form.
Result<Experiment> fromText(const std::string& text, const std::string& name);

// The file itself, or a picture (PNG, SVG, PDF) that carries one.
Result<Experiment> readExperiment(const std::filesystem::path& path);
// By its name's ending or its first bytes: worth a try of readExperiment().
bool mayBeExperiment(const std::filesystem::path& path);
Status writeExperiment(const Experiment& experiment, const std::filesystem::path& path);

// Ending of an experiment's own file.
inline constexpr const char* kFileEnding = ".ropescope";

// Keyword under which a PNG carries an experiment.
inline constexpr const char* kPictureKeyword = "RopeScope experiment";

// The bytes of a PNG, SVG or PDF file (told apart by their beginning) with the experiment in them.
// Errors: Unsupported (another kind of file), CorruptFile.
Result<std::string> withExperiment(std::string_view picture, const std::string& experimentText);

}  // namespace ropescope::experiment
