// What a person sees: readable results, streamed text, progress, notices.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/base/progress.h"

namespace ropescope::cli {

class Console {
 public:
  // With a JSON result everything readable goes to standard error.
  explicit Console(bool jsonResult);

  void print(std::string_view text);   // a part of the result, streamed text too
  void info(std::string_view text);    // a remark on standard error
  void notice(std::string_view text);  // "note: …" on standard error
  void error(std::string_view text);

  // A bar that rewrites its line on a terminal, a line every ten seconds elsewhere.
  void progress(const Progress& progress);
  void endProgress();

  // False when something printed did not reach its file (a full disk, a closed pipe).
  bool flushed();

 private:
  using Clock = std::chrono::steady_clock;
  void drawBar(const Progress& progress);
  void remark(const char* prefix, std::string_view text);

  std::FILE* m_text;
  bool m_terminal;
  bool m_barShown = false;
  bool m_lineOpen = false;  // streamed text that no line end followed
  std::string m_stage;
  Clock::time_point m_stageStart;
  Clock::time_point m_lastShown;
};

}  // namespace ropescope::cli
