// Records of sweeps, trainings and searches, read back to make tables from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/eval/result_log.h"

namespace ropescope {

// What every cell of a sweep says about its setting.
struct SweptSetting {
  std::string label;   // "pi:factor=4,calibration=pi-4x-psc-seed0.safetensors"
  std::string base;    // "pi:factor=4"
  std::string method;  // "pi"
  double factor = 1.0;
  std::string variant;  // "psc"
  std::optional<std::int64_t> seed;
  std::string files;  // SHA-256 of the factor and calibration files, as JSON
};

// Losses are kept to this, in nats: smaller differences are rounding.
inline constexpr double kLossUnit = 1e-6;

struct PerplexityRecord {
  SweptSetting setting;
  std::int64_t length = 0;
  std::string book;
  std::string bookHash;             // SHA-256 of its text
  std::int64_t windowsPerBook = 0;  // that were asked for at most; 0: all
  std::int64_t bookTokens = 0;
  std::int64_t windowsOfBook = 0;  // that it has; losses may be of fewer
  std::vector<std::int64_t> binEnds;
  std::vector<std::vector<double>> losses;  // [window][bin], nats
};

struct PasskeyRecord {
  SweptSetting setting;
  std::string recipe;
  std::int64_t length = 0;
  double depth = 0.0;
  std::int64_t found = 0;
  std::int64_t trials = 0;
};

struct QuestionRecord {
  SweptSetting setting;
  std::int64_t length = 0;
  std::string type;
  std::int64_t correct = 0;
  std::int64_t asked = 0;
};

// One `psc train --json`.
struct TrainingRecord {
  std::string name;  // of the calibration, without folder and suffix
  std::string method;
  double factor = 1.0;
  std::int64_t context = 0;
  std::int64_t seed = 0;
  std::int64_t parameters = 0;
  std::int64_t steps = 0;  // done
  std::int64_t stepsWanted = 0;
  std::int64_t tokensPerStep = 0;
  std::string modules;  // "LoRA r8 + PSC"
  std::string alpha;    // as the training wrote it, like the next two
  std::string rate;
  std::string init;                 // file it started from, or its hash; "none"
  std::vector<std::string> corpus;  // names of files or folders
  std::int64_t corpusFiles = 0;
  double seconds = 0.0;
  double firstLoss = 0.0;  // nats
  double lastLoss = 0.0;   // mean of the last kLastSteps
  std::string dtype;
  std::string device;  // "cpu", "cuda:0"
  std::string end;     // "finished", "minutes", "stopped"
};
inline constexpr std::size_t kLastSteps = 10;

// One judgement of `longrope search --json`: found factors against one method.
struct SearchRecord {
  std::string name;  // of the factor file, without folder and suffix
  std::int64_t length = 0;
  std::int64_t evaluations = 0;
  std::int64_t windows = 0;
  std::int64_t books = 0;
  double foundPerplexity = 0.0;
  std::string method;
  double methodPerplexity = 0.0;
  double difference = 0.0;  // found - method, nats
  std::optional<double> error;
  std::string dtype;
};

struct SweepRecords {
  std::vector<std::string> files;  // names, without folders
  ResultJson header;               // of the sweeps; null: none
  std::vector<std::string> devices;
  std::vector<std::string> versions;
  std::vector<PerplexityRecord> perplexity;
  std::vector<PasskeyRecord> passkey;
  std::vector<QuestionRecord> questions;
  std::vector<TrainingRecord> trainings;
  std::vector<SearchRecord> searches;
  std::vector<std::string> notices;  // torn lines, cells that were measured again
};

// Files of `sweep --out`, of `psc train --json` and `longrope search --json` (one object, or one a
// line). Of cells that were measured again the last one counts, of pass keys and questions the one
// with the most trials; of a calibration, a factor file or a book whose content changed, only the
// cells of the last content (a notice names the others).
// Errors: CorruptFile with the file; InvalidArgument for another command's file, and for
// sweeps of different models or dtypes, which must not share a table.
Result<SweepRecords> readSweepRecords(const std::vector<std::filesystem::path>& files);

}  // namespace ropescope
