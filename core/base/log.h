// Where the core says what it decided. Empty means silent.
#pragma once

#include <functional>
#include <string>

namespace ropescope {

enum class LogLevel { Info, Warning, Error };
using LogSink = std::function<void(LogLevel, const std::string&)>;

inline void logTo(const LogSink& sink, LogLevel level, const std::string& text) {
  if (sink) sink(level, text);
}

}  // namespace ropescope
