// Whole files in, whole files out; a write never leaves half a file behind.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace ropescope {

Result<std::string> readFile(const std::filesystem::path& path);

// Writes a ".partial" file beside the target, flushes it to the disk, then renames. On an error (a
// full disk, say) the old file is untouched and the partial one is removed. A link stays a link:
// the file behind it is replaced. Devices and pipes are written to as they are.
Status writeFileAtomically(const std::filesystem::path& path, std::string_view bytes);

// Whether writeFileAtomically() can begin to write there: asked before hours of work.
Status checkWritable(const std::filesystem::path& path);

}  // namespace ropescope
