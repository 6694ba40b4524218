// The texts that candidates of a factor search are scored on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/calibration/longrope_search.h"
#include "core/engine/engine.h"

namespace ropescope::calibration {

struct SearchBook {
  std::string name;               // file name
  std::string text;               // empty for a file of ids
  std::vector<std::int32_t> ids;  // without BOS
};

// A UTF-8 text, or a JSON array of token ids (".json"). Errors: those of the file, ids outside the
// vocabulary.
Result<SearchBook> readSearchBook(const Engine& engine, const std::filesystem::path& path);

struct SearchSample {
  std::string book;
  std::int64_t begin = 0;  // first own token in the book
  std::string question;    // of a needle; else empty
  std::string answer;
  std::vector<std::int32_t> ids;  // [at most length]; BOS first when the model has one
  std::int64_t firstScored = 1;   // index in ids; what is scored ends with `ids`
};

enum class ScoredPositions { All, SecondHalf };

struct SampleConfig {
  std::vector<std::filesystem::path> files;
  std::int64_t count = 5;   // samples
  std::int64_t length = 0;  // tokens, BOS included
  std::uint64_t seed = 0;
  ScoredPositions positions = ScoredPositions::All;  // of windows
  LogSink log;                                       // texts that are too short and left out
};

// Windows of exactly `length` tokens: sample k is of file k of an order that the seed fixes (round
// again when there are more samples than files), at a place drawn uniformly in it. Only files that
// are drawn are read. Errors: InvalidArgument when no file has a window, those of readSearchBook.
Result<std::vector<SearchSample>> perplexitySamples(const Engine& engine,
                                                    const SampleConfig& config);

// LongRoPE2's objective, arXiv:2502.20082 section 3.2: a fact planted in the first tenth of a
// stretch of book, the question for it at the end, only the answer's tokens scored. Written in the
// model's prompt format; `length` tokens or a few fewer. Texts only.
Result<std::vector<SearchSample>> needleSamples(const Engine& engine, const SampleConfig& config);

// The mean loss of all scored tokens of all samples, nats, in a session of its own for the
// candidate. `session` gives everything but the rotation; NaN when a loss is no finite number.
CandidateScore sampleScore(std::shared_ptr<const Engine> engine, std::vector<SearchSample> samples,
                           const rope::RopeContext& context, const SessionOptions& session,
                           const JobControl& job);

}  // namespace ropescope::calibration
