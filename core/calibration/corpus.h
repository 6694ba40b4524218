// Texts or token ids that calibration trains on, and the order in which windows are drawn from
// them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/tokenizer/tokenizer.h"

namespace ropescope::calibration {

// The files that a corpus is named by: a folder stands for its texts (*.txt), in the order of their
// names' bytes. InvalidArgument when a folder has none.
Result<std::vector<std::filesystem::path>> corpusFiles(
    const std::vector<std::filesystem::path>& named);

// Every input predicts its target, the token after it.
struct TrainingWindow {
  std::vector<std::int32_t> inputs;   // [T]: BOS where the tokenizer adds one, then T - 1 tokens
  std::vector<std::int32_t> targets;  // [T]
};

struct CorpusOptions {
  std::vector<std::filesystem::path> files;    // UTF-8 texts; ".json": an array of token ids
  std::shared_ptr<const Tokenizer> tokenizer;  // null: ids only
  int vocabularySize = 0;
  std::int64_t windowTokens = 0;  // T
  std::uint64_t seed = 0;
  LogSink log;  // texts that are too short and left out
};

// Files are hashed at once, and tokenized when a window is first drawn from them: a shelf of books
// costs little until it is used. Confined to one thread.
class Corpus {
 public:
  // Errors: NotFound; InvalidArgument when no file can be long enough for one window (a token has
  // at least one byte), or ids come without being a JSON array of the vocabulary.
  static Result<Corpus> open(CorpusOptions options);

  // Window `index` of the order that the seed fixes, whatever was drawn before: a file with a
  // probability that grows with its size in bytes, then a place in it, both uniform. A file that
  // turns out too short for one window is left out with a notice and drawn again.
  Result<TrainingWindow> window(std::uint64_t index);

  // SHA-256 over the names and contents of the files, in order: what a resumed run must find again.
  const std::string& fingerprint() const { return m_fingerprint; }
  std::size_t files() const { return m_options.files.size(); }

 private:
  explicit Corpus(CorpusOptions options) : m_options(std::move(options)) {}
  Result<const std::vector<std::int32_t>*> idsOf(std::size_t file);

  CorpusOptions m_options;
  std::vector<std::uint64_t> m_endBytes;  // running sum of sizes
  std::set<std::size_t> m_tooShort;       // known to hold no window
  std::map<std::size_t, std::vector<std::int32_t>> m_ids;
  std::string m_fingerprint;
};

}  // namespace ropescope::calibration
