#include "app/cli/machine.h"

#include <fstream>

namespace ropescope::cli {

std::string processorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const auto colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown processor";
}

std::string peakName(const Engine& engine) {
  return engine.device() == "cpu" ? "peak_rss" : "peak_device_bytes";
}

}  // namespace ropescope::cli
