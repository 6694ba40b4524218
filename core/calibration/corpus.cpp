#include "core/calibration/corpus.h"

#include <algorithm>
#include <fstream>
#include <limits>

#include <nlohmann/json.hpp>

#include "core/base/file_io.h"
#include "core/base/json_text.h"
#include "core/base/memory_size.h"
#include "core/base/sha256.h"
#include "core/calibration/random.h"
#include "core/document/document.h"

namespace ropescope::calibration {
namespace {

using Ids = std::vector<std::int32_t>;

Result<Ids> readIds(const std::filesystem::path& path, int vocabularySize) {
  const auto text = readFile(path);
  if (!text) return text.error();
  const auto json = parseJson(*text, path.string());
  if (!json) return json.error();
  const Error error{ErrorCode::InvalidArgument,
                    path.string() + " is not a JSON array of token ids from 0 to " +
                        std::to_string(vocabularySize - 1) +
                        "; give ids of this model's tokenizer, or the text itself"};
  if (!json->is_array()) return error;
  Ids ids;
  ids.reserve(json->size());
  for (const auto& item : *json) {
    if (!item.is_number_integer() || item < 0 || item >= vocabularySize) return error;
    ids.push_back(item.get<std::int32_t>());
  }
  return ids;
}

// Piece by piece: a file of token ids may be longer than the memory.
Status addContent(Sha256& hash, const std::filesystem::path& path) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;  // bytes
  std::ifstream file(path, std::ios::binary);
  std::string piece(kPiece, '\0');
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    hash.add({piece.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (file.eof()) return Done{};
  return Error{ErrorCode::NotFound,
               path.string() + " cannot be read; change its permissions or leave it out"};
}

}  // namespace

Result<std::vector<std::filesystem::path>> corpusFiles(
    const std::vector<std::filesystem::path>& named) {
  namespace fs = std::filesystem;
  std::vector<fs::path> files;
  for (const fs::path& path : named) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<fs::path> texts;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (entry.path().extension() == ".txt") texts.push_back(entry.path());
    }
    if (texts.empty()) {
      return Error{ErrorCode::InvalidArgument,
                   path.string() +
                       " is a folder without texts (*.txt); name text files or a "
                       "folder of them"};
    }
    std::sort(texts.begin(), texts.end(), [](const fs::path& a, const fs::path& b) {
      return a.filename().string() < b.filename().string();
    });
    files.insert(files.end(), texts.begin(), texts.end());
  }
  return files;
}

Result<Corpus> Corpus::open(CorpusOptions options) {
  Corpus corpus(std::move(options));
  const CorpusOptions& o = corpus.m_options;
  if (o.files.empty()) {
    return Error{ErrorCode::InvalidArgument, "no corpus is given; name text files"};
  }
  Sha256 hash;
  std::uint64_t total = 0;
  std::uint64_t longest = 0;
  for (const auto& path : o.files) {
    std::error_code error;
    const std::uint64_t bytes = std::filesystem::file_size(path, error);
    if (error) {
      return Error{ErrorCode::NotFound,
                   path.string() + " cannot be read (" + error.message() + "); name a text file"};
    }
    if (path.extension() != ".json" && !o.tokenizer) {
      return Error{ErrorCode::InvalidArgument,
                   path.string() +
                       " is text, and the model has no tokenizer; give token ids as a "
                       "JSON array in a .json file"};
    }
    hash.add(path.filename().string() + "\n" + std::to_string(bytes) + "\n");
    if (Status added = addContent(hash, path); !added) return added.error();
    longest = std::max(longest, bytes);
    total += bytes;  // an empty file is never drawn
    if (bytes == 0) corpus.m_tooShort.insert(corpus.m_endBytes.size());
    corpus.m_endBytes.push_back(total);
  }
  if (longest < static_cast<std::uint64_t>(o.windowTokens)) {
    return Error{ErrorCode::InvalidArgument,
                 "the longest text of the corpus has " +
                     countText(static_cast<std::int64_t>(longest)) +
                     " bytes, too few for one window of " + countText(o.windowTokens) +
                     " tokens; give longer texts or a shorter --context"};
  }
  corpus.m_fingerprint = hash.hex();
  return corpus;
}

Result<const Ids*> Corpus::idsOf(std::size_t file) {
  if (const auto found = m_ids.find(file); found != m_ids.end()) return &found->second;
  const auto& path = m_options.files[file];
  if (path.extension() == ".json") {
    auto ids = readIds(path, m_options.vocabularySize);
    if (!ids) return ids.error();
    return &m_ids.emplace(file, *std::move(ids)).first->second;
  }
  const auto document = readDocument(path);
  if (!document) return document.error();
  if (!document->notice.empty()) logTo(m_options.log, LogLevel::Warning, document->notice);
  return &m_ids.emplace(file, m_options.tokenizer->encode(document->text).ids).first->second;
}

Result<TrainingWindow> Corpus::window(std::uint64_t index) {
  const bool bos = m_options.tokenizer && m_options.tokenizer->addsBos();
  const auto own = static_cast<std::size_t>(m_options.windowTokens) + (bos ? 0 : 1);
  SplitMix random(seedFor(m_options.seed, "window " + std::to_string(index)));
  while (m_tooShort.size() < m_options.files.size()) {
    const std::uint64_t byte = random.below(m_endBytes.back());
    const auto file = static_cast<std::size_t>(
        std::upper_bound(m_endBytes.begin(), m_endBytes.end(), byte) - m_endBytes.begin());
    const auto found = idsOf(file);
    if (!found) return found.error();
    const Ids& ids = **found;
    if (ids.size() < own) {
      if (m_tooShort.insert(file).second) {
        logTo(m_options.log, LogLevel::Warning,
              m_options.files[file].string() + " has " +
                  countText(static_cast<std::int64_t>(ids.size())) +
                  " tokens, fewer than a window; it is left out");
      }
      continue;
    }
    const auto begin =
        ids.begin() + static_cast<std::ptrdiff_t>(random.below(ids.size() - own + 1));
    const auto end = begin + static_cast<std::ptrdiff_t>(own);
    TrainingWindow window;
    if (bos) window.inputs.push_back(m_options.tokenizer->bos());
    window.inputs.insert(window.inputs.end(), begin, end - 1);
    window.targets.assign(bos ? begin : begin + 1, end);
    return window;
  }
  return Error{ErrorCode::InvalidArgument, "no text of the corpus holds one window of " +
                                               countText(m_options.windowTokens) +
                                               " tokens; give longer texts or a shorter --context"};
}

}  // namespace ropescope::calibration
