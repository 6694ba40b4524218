// Base64 (RFC 4648, section 4), for binary numbers inside JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ropescope {

std::string toBase64(std::string_view bytes);
// None when `text` is no padded base64.
std::optional<std::string> fromBase64(std::string_view text);

}  // namespace ropescope
