#include "app/cli/console.h"

#include <algorithm>
#include <cstdio>

#include <unistd.h>

#include "app/cli/text.h"
#include "core/base/memory_size.h"

namespace ropescope::cli {
namespace {

using namespace std::chrono_literals;

constexpr int kBarCells = 28;
constexpr auto kBarPause = 80ms;
constexpr auto kLinePause = 10s;
constexpr const char* kEraseLine = "\r\033[K";

std::string progressText(const Progress& progress, double seconds) {
  std::string text = countText(progress.done);
  if (progress.total > 0) text += " / " + countText(progress.total);
  if (!progress.detail.empty()) return text + "  " + progress.detail;
  if (seconds > 0.5 && progress.done > 0) {
    text += "  " +
            countText(static_cast<std::int64_t>(static_cast<double>(progress.done) / seconds)) +
            "/s";
    if (progress.total > progress.done) {
      text += "  " +
              secondsText(seconds * static_cast<double>(progress.total - progress.done) /
                          static_cast<double>(progress.done)) +
              " left";
    }
  }
  return text;
}

}  // namespace

Console::Console(bool jsonResult)
    : m_text(jsonResult ? stderr : stdout),
      m_terminal(::isatty(STDERR_FILENO) == 1) {}

void Console::print(std::string_view text) {
  endProgress();
  if (!text.empty()) m_lineOpen = text.back() != '\n';
  std::fwrite(text.data(), 1, text.size(), m_text);
  std::fflush(m_text);
}

void Console::remark(const char* prefix, std::string_view text) {
  endProgress();
  if (m_lineOpen) print("\n");
  std::fprintf(stderr, "%s%.*s\n", prefix, static_cast<int>(text.size()), text.data());
}

void Console::info(std::string_view text) {
  remark("  ", text);
}

void Console::notice(std::string_view text) {
  remark("note: ", text);
}

void Console::error(std::string_view text) {
  remark("ropescope-cli: ", text);
}

void Console::progress(const Progress& progress) {
  const auto now = Clock::now();
  if (progress.stage != m_stage) {
    m_stage = progress.stage;
    m_stageStart = now;
    m_lastShown = now;
    return;  // short jobs show no bar
  }
  const bool last = progress.total > 0 && progress.done >= progress.total;
  if (now - m_lastShown < (m_terminal ? Clock::duration(kBarPause) : Clock::duration(kLinePause))) {
    if (last) endProgress();
    return;
  }
  m_lastShown = now;
  if (m_terminal) {
    drawBar(progress);
  } else {
    const double seconds = std::chrono::duration<double>(now - m_stageStart).count();
    std::fprintf(stderr, "%s %s\n", m_stage.c_str(), progressText(progress, seconds).c_str());
  }
  if (last) endProgress();
}

void Console::drawBar(const Progress& progress) {
  std::string bar;
  if (progress.total > 0) {
    const auto full = static_cast<int>(
        std::clamp<std::int64_t>(kBarCells * progress.done / progress.total, 0, kBarCells));
    for (int cell = 0; cell < kBarCells; ++cell) bar += cell < full ? "█" : "░";
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - m_stageStart).count();
  std::fprintf(stderr, "%s%s %s %s", kEraseLine, m_stage.c_str(), bar.c_str(),
               progressText(progress, seconds).c_str());
  std::fflush(stderr);
  m_barShown = true;
}

void Console::endProgress() {
  if (m_barShown) std::fputs(kEraseLine, stderr);
  m_barShown = false;
}

bool Console::flushed() {
  endProgress();
  return std::fflush(m_text) == 0 && std::ferror(m_text) == 0;
}

}  // namespace ropescope::cli
