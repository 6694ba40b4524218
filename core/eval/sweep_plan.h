// The cells of a sweep: what is to be measured, what a result file holds already, what waits for a
// file that is not there yet.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/eval/result_log.h"
#include "core/eval/sweep_settings.h"

namespace ropescope {

struct SweepBook {
  std::string name;
  std::string text;
  std::vector<std::int32_t> ids;  // without BOS
};

enum class SweepMeasure { Perplexity, Passkey, Questions };
std::string_view measureName(SweepMeasure measure);  // "perplexity", "passkey", "questions"

struct SweepCell {
  std::size_t setting = 0;  // index in SweepSettings::settings
  SweepMeasure measure = SweepMeasure::Perplexity;
  std::int64_t length = 0;
  std::size_t book = 0;  // perplexity: index in the books
  double depth = 0.0;    // passkey
  // Everything that the result depends on besides model and dtype, with SHA-256 of every file and
  // text: two cells of one key are the same cell.
  ResultJson key;
};

// A cell for people, from its key: "yarn:factor=2, perplexity at 4,096, a.txt".
std::string cellText(const ResultJson& key);

struct SweepWaiting {
  std::string label;
  std::string file;  // that is not there
};

struct SweepPlan {
  std::vector<SweepCell> cells;  // setting by setting, measure by measure, length by length
  std::vector<SweepWaiting> waiting;
};

// Errors: those of reading a file that is there; a measure that needs books when there are none.
Result<SweepPlan> planSweep(const SweepSettings& settings, const std::vector<SweepBook>& books);

// The cells that no record has the key of, in the plan's order.
std::vector<SweepCell> missingCells(const std::vector<SweepCell>& cells,
                                    const std::vector<ResultJson>& records);

}  // namespace ropescope
