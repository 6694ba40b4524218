// Text inside a picture's file, whatever its kind: an exported picture carries the experiment that
// it shows, and other programs show the picture as before.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace ropescope::picture {

enum class FileKind { Png, Svg, Pdf };
std::optional<FileKind> kindOf(std::string_view bytes);  // by how the file begins

// The same picture with `text` (UTF-8) under `keyword` (Latin letters and blanks).
// Errors: CorruptFile, Unsupported (a PDF that lists its objects in a stream, or names files
// already).
Result<std::string> withText(std::string_view bytes, FileKind kind, std::string_view keyword,
                             std::string_view text);
// None when there is no such text, or when it is damaged.
std::optional<std::string> carriedText(std::string_view bytes, FileKind kind,
                                       std::string_view keyword);

}  // namespace ropescope::picture
