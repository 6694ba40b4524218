// Text inside a PNG file (iTXt chunks, PNG specification 11.3.4.5): an exported picture carries the
// experiment that it shows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace ropescope::picture {

bool isPng(std::string_view bytes);

// The same picture with `text` (UTF-8) under `keyword` (1 to 79 Latin letters), before its end.
// CorruptFile when `png` is no whole PNG file.
Result<std::string> withPngText(std::string_view png, std::string_view keyword,
                                std::string_view text);

// None when there is no such text, or when its checksum is wrong.
std::optional<std::string> pngText(std::string_view png, std::string_view keyword);

}  // namespace ropescope::picture
