#include "core/picture/png_text.h"

#include <array>
#include <cstdint>

namespace ropescope::picture {
namespace {

constexpr std::string_view kSignature("\x89PNG\r\n\x1a\n", 8);
constexpr std::string_view kType = "iTXt";
constexpr std::size_t kHead = 8;      // length and type
constexpr std::size_t kChecksum = 4;  // CRC-32 of type and data

// CRC-32 as the PNG specification's annex D describes it.
std::uint32_t checksum(std::string_view bytes) {
  constexpr std::uint32_t kPolynomial = 0xedb88320U;
  static const auto table = [] {
    std::array<std::uint32_t, 256> values{};
    for (std::uint32_t n = 0; n < values.size(); ++n) {
      std::uint32_t value = n;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1U) != 0 ? kPolynomial : 0U);
      values[n] = value;
    }
    return values;
  }();
  std::uint32_t sum = 0xffffffffU;
  for (const char byte : bytes) {
    sum = table[(sum ^ static_cast<unsigned char>(byte)) & 255U] ^ sum >> 8;
  }
  return ~sum;
}

std::string bigEndian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255U);
  return bytes;
}

std::uint32_t fromBigEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

struct Chunk {
  std::size_t begin = 0;
  std::string_view type;
  std::string_view data;
  bool whole = false;  // its checksum fits
};

// The chunk at `begin`; none behind the end or when it is cut off.
std::optional<Chunk> chunkAt(std::string_view png, std::size_t begin) {
  if (begin > png.size() || png.size() - begin < kHead + kChecksum) return std::nullopt;
  const std::size_t size = fromBigEndian(png.substr(begin));
  if (png.size() - begin - kHead - kChecksum < size) return std::nullopt;
  Chunk chunk{
      .begin = begin, .type = png.substr(begin + 4, 4), .data = png.substr(begin + kHead, size)};
  const auto stored = fromBigEndian(png.substr(begin + kHead + size));
  chunk.whole = stored == checksum(png.substr(begin + 4, 4 + size));
  return chunk;
}

std::size_t endOf(const Chunk& chunk) {
  return chunk.begin + kHead + chunk.data.size() + kChecksum;
}

}  // namespace

bool isPng(std::string_view bytes) {
  return bytes.substr(0, kSignature.size()) == kSignature;
}

Result<std::string> withPngText(std::string_view png, std::string_view keyword,
                                std::string_view text) {
  if (!isPng(png)) return Error{ErrorCode::CorruptFile, "the picture is no PNG file"};
  for (auto chunk = chunkAt(png, kSignature.size()); chunk; chunk = chunkAt(png, endOf(*chunk))) {
    if (chunk->type != "IEND") continue;
    // Keyword, then: not compressed, its method, no language, no translated keyword.
    std::string body(kType);
    body += std::string(keyword) + std::string(5, '\0') + std::string(text);
    const auto size = static_cast<std::uint32_t>(body.size() - kType.size());
    return std::string(png.substr(0, chunk->begin)) + bigEndian(size) + body +
           bigEndian(checksum(body)) + std::string(png.substr(chunk->begin));
  }
  return Error{ErrorCode::CorruptFile, "the PNG file ends before its last chunk"};
}

std::optional<std::string> pngText(std::string_view png, std::string_view keyword) {
  if (!isPng(png)) return std::nullopt;
  const std::string head = std::string(keyword) + std::string(5, '\0');
  for (auto chunk = chunkAt(png, kSignature.size()); chunk; chunk = chunkAt(png, endOf(*chunk))) {
    if (chunk->type != kType || chunk->data.substr(0, head.size()) != head) continue;
    if (!chunk->whole) return std::nullopt;
    return std::string(chunk->data.substr(head.size()));
  }
  return std::nullopt;
}

}  // namespace ropescope::picture
