// Text inside an SVG file: a <metadata> element (SVG 1.1, section 21) that holds it as base64.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace ropescope::picture {

bool isSvg(std::string_view bytes);

// Errors: CorruptFile when there is no <svg> element to put it into.
Result<std::string> withSvgText(std::string_view svg, std::string_view keyword,
                                std::string_view text);
std::optional<std::string> svgText(std::string_view svg, std::string_view keyword);

}  // namespace ropescope::picture
