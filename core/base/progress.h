// How long work is watched and stopped.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace ropescope {

struct Progress {
  std::string stage;       // "prefill", "decode", "map", "perplexity", …
  std::int64_t done = 0;   // in the stage's own unit, mostly tokens
  std::int64_t total = 0;  // 0 when unknown
  std::string detail = {};  // for people, in place of the pace: "loss 3.21, 2 min left"
};

// Passed by const reference into every job of more than about 100 ms. Everything is called on the
// thread that runs the job.
struct JobControl {
  std::stop_token stop;                              // looked at before every chunk and token
  std::function<void(const Progress&)> onProgress;   // may be empty
  std::function<void()> betweenSteps;                // may be empty; serves view requests between
                                                     // the chunks and tokens of a long job

  bool stopRequested() const { return stop.stop_requested(); }
  void report(const Progress& progress) const {
    if (onProgress) onProgress(progress);
  }
  void step() const {
    if (betweenSteps) betweenSteps();
  }
};

}  // namespace ropescope
