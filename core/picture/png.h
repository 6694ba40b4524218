// A canvas as PNG.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/result.h"
#include "core/picture/canvas.h"

namespace ropescope::picture {

// 8 bits per channel, sRGB, no alpha.
Result<std::string> encodePng(const Canvas& canvas);

// Whole or not at all: an older picture at `path` stays until the new one is complete.
Status writePng(const Canvas& canvas, const std::filesystem::path& path);

}  // namespace ropescope::picture
