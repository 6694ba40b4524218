// Measures the cells of a sweep that a result file does not hold yet, one by one.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/base/log.h"
#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/eval/perplexity.h"
#include "core/eval/result_log.h"
#include "core/eval/sweep_plan.h"

namespace ropescope {

struct SweepInput {
  const Engine& engine;
  SweepSettings settings;
  std::vector<SweepBook> books;
  ResultJson stamp;  // fields that every record gets beside its own: version, device
  LogSink log;       // what was left out of the questions, and why
  // Every calibration once, before any work.
  std::function<void(const CalibrationInfo&)> onCalibration = {};
};

// What all records of one file have in common: model, dtype, BOS. The result log's settings.
ResultJson sweepHeader(const Engine& engine);

// A record that was just written, and how many of the plan's cells there are now.
using SweepSink = std::function<void(const ResultJson& record, std::int64_t done)>;

// Settings, plans and books are checked before any work. A cell that fails (a calibration whose
// losses are no numbers, a length that needs more memory than there is) is named to the log and
// does not stop the others; the error at the end says how many, and the next call tries them again.
// Every finished cell is appended at once:
//   {"key": {…}, "base", "method", "factor", "variant", "seed", "calibration", measure's own,
//   stamp,
//    "seconds"}
// perplexity: "book_tokens", "windows_of_book", "bin_ends", "losses" [window][bin], mean losses in
//   nats rounded to a millionth; windows and bins as in evaluation_windows.h
// passkey: the fields of cellJson (retrieval_grid.h); trial t of the bookworm recipe hides its key
// in
//   book t mod number of books
// questions: "windows", each as windowJson (question_run.h)
// A factor that was left open is that of the longest length of any measure.
// Errors: those of the checks and of the log; Cancelled, with every finished cell in the log.
Status measureSweep(const SweepInput& input, const SweepPlan& plan, ResultLog& log,
                    const SweepSink& onCell, const JobControl& job);

}  // namespace ropescope
