// A text file as the model will see it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace ropescope {

struct Document {
  std::filesystem::path path;
  std::string text;    // UTF-8, without a byte order mark
  std::string notice;  // what was changed on reading; empty: nothing
};

// UTF-8 text only. Errors: NotFound, InvalidArgument for an empty, binary or non-UTF-8 file (which
// byte, and the cure).
Result<Document> readDocument(const std::filesystem::path& path);
Result<Document> documentFromBytes(std::string bytes, const std::filesystem::path& name);

}  // namespace ropescope
