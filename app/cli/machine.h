// The machine that a measurement was made on.
#pragma once

#include <string>

#include "core/engine/engine.h"

namespace ropescope::cli {

std::string processorName();  // "unknown processor" when the system does not tell

// The field that holds Engine::peakBytes(): "peak_rss", or "peak_device_bytes" on a GPU.
std::string peakName(const Engine& engine);

}  // namespace ropescope::cli
