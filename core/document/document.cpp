#include "core/document/document.h"

#include "core/base/file_io.h"
#include "core/tokenizer/utf8.h"

namespace ropescope {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool startsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

}  // namespace

Result<Document> documentFromBytes(std::string bytes, const std::filesystem::path& name) {
  Document document;
  document.path = name;
  if (startsWith(bytes, kByteOrderMark)) {
    bytes.erase(0, kByteOrderMark.size());
    document.notice = name.string() +
                      ": the byte order mark at the start was left out; bytes are counted from "
                      "behind it";
  }
  if (bytes.find_first_not_of(" \t\r\n") == std::string::npos) {
    return Error{ErrorCode::InvalidArgument,
                 name.string() + (bytes.empty() ? " is empty" : " holds only blanks") +
                     "; a text to read is wanted"};
  }
  if (startsWith(bytes, "%PDF")) {
    return Error{ErrorCode::Unsupported,
                 name.string() + " is a PDF; save it as UTF-8 text first (pdftotext does that)"};
  }
  if (const auto zero = bytes.find('\0'); zero != std::string::npos) {
    return Error{ErrorCode::InvalidArgument,
                 name.string() + " is a binary file (a zero byte at offset " +
                     std::to_string(zero) + "); plain UTF-8 text is wanted"};
  }
  if (const auto bad = firstInvalidUtf8(bytes)) {
    return Error{ErrorCode::InvalidArgument,
                 name.string() + " is not UTF-8 (first wrong byte at offset " +
                     std::to_string(*bad) +
                     "); convert it, for example with iconv -f LATIN1 -t UTF-8"};
  }
  document.text = std::move(bytes);
  return document;
}

Result<Document> readDocument(const std::filesystem::path& path) {
  auto bytes = readFile(path);
  if (!bytes) return bytes.error();
  return documentFromBytes(*std::move(bytes), path);
}

}  // namespace ropescope
