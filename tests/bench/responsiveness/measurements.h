// What is measured: one line of the table each.
#pragma once

#include <QString>
#include <vector>

#include "tests/bench/responsiveness/bench_window.h"
#include "tests/bench/responsiveness/watched_application.h"

namespace ropescope::bench {

struct Line {
  QString what;
  double shown = 0.0;    // what a person waits for, or sees a second
  double engine = -1.0;  // the same work alone on the engine thread; below 0: there is none
  QString unit;
  QString goal = {};
  QString note = {};
};

void print(const Line& line);

// Every document length is read once; these draw from what was read.
Line methodSwitch(BenchWindow& bench);
Line angleSlider(BenchWindow& bench);
std::vector<Line> mapTiles(BenchWindow& bench);
Line mapPanning(BenchWindow& bench);
Line mosaic(BenchWindow& bench);
// Reads `tokens` tokens with every view of every dock in front in turn.
std::vector<Line> reading(BenchWindow& bench, WatchedApplication& program, std::int64_t tokens);

}  // namespace ropescope::bench
