// UTF-8: validity of documents, and whole characters while tokens stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ropescope {

// Offset of the first byte that is not valid UTF-8; none when all is well.
std::optional<std::int64_t> firstInvalidUtf8(std::string_view text);

// Replaces every invalid byte by U+FFFD, for text that goes to a person or into JSON.
std::string replaceInvalidUtf8(std::string_view text);

// Collects bytes and hands out whole characters; half a character waits for its other half.
class Utf8Stream {
 public:
  std::string append(std::string_view bytes);  // what is complete now
  std::string finish();                        // the rest, invalid bytes replaced

 private:
  std::string m_pending;
};

}  // namespace ropescope
