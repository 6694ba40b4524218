#include "core/tokenizer/utf8.h"

#include <cstddef>

namespace ropescope {
namespace {

// Length of the valid character at the front; 0: invalid; -1: valid so far, but cut off.
int characterLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const int length = lead >= 0xC2 && lead <= 0xDF   ? 2
                     : lead >= 0xE0 && lead <= 0xEF ? 3
                     : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                    : 0;
  if (length == 0) return 0;
  for (int i = 1; i < length; ++i) {
    if (static_cast<std::size_t>(i) >= text.size()) return -1;
    const unsigned char next = byte(static_cast<std::size_t>(i));
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (i == 1 && lead == 0xE0) low = 0xA0;   // overlong
    if (i == 1 && lead == 0xED) high = 0x9F;  // surrogates
    if (i == 1 && lead == 0xF0) low = 0x90;   // overlong
    if (i == 1 && lead == 0xF4) high = 0x8F;  // beyond U+10FFFF
    if (next < low || next > high) return 0;
  }
  return length;
}

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

}  // namespace

std::optional<std::int64_t> firstInvalidUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const int length = characterLength(text.substr(at));
    if (length <= 0) return static_cast<std::int64_t>(at);
    at += static_cast<std::size_t>(length);
  }
  return std::nullopt;
}

std::string replaceInvalidUtf8(std::string_view text) {
  std::string clean;
  for (std::size_t at = 0; at < text.size();) {
    const int length = characterLength(text.substr(at));
    if (length <= 0) {
      clean += kReplacement;
      ++at;
    } else {
      clean += text.substr(at, static_cast<std::size_t>(length));
      at += static_cast<std::size_t>(length);
    }
  }
  return clean;
}

std::string Utf8Stream::append(std::string_view bytes) {
  m_pending += bytes;
  std::string complete;
  std::size_t at = 0;
  while (at < m_pending.size()) {
    const int length = characterLength(std::string_view(m_pending).substr(at));
    if (length < 0) break;
    if (length == 0) {
      complete += kReplacement;
      ++at;
    } else {
      complete += m_pending.substr(at, static_cast<std::size_t>(length));
      at += static_cast<std::size_t>(length);
    }
  }
  m_pending.erase(0, at);
  return complete;
}

std::string Utf8Stream::finish() {
  std::string rest = replaceInvalidUtf8(m_pending);
  m_pending.clear();
  return rest;
}

}  // namespace ropescope
