#include "core/picture/png_text.h"

#include <gtest/gtest.h>

namespace ropescope::picture {
namespace {

const std::string kSignature("\x89PNG\r\n\x1a\n", 8);
// The chunk that ends every PNG; its checksum is that of the specification.
const std::string kEnd("\0\0\0\0IEND\xae\x42\x60\x82", 12);

TEST(PngText, WritesTheChunkBeforeTheEnd) {
  // Length 8, type, "K", five zeros, "hi"; the checksum: zlib.crc32 of Python on type and data.
  const std::string chunk =
      std::string("\0\0\0\x08iTXtK\0\0\0\0\0hi", 16) + std::string("\xec\x78\x8c\xdd", 4);
  const auto made = withPngText(kSignature + kEnd, "K", "hi");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(*made, kSignature + chunk + kEnd);
}

TEST(PngText, ComesBackAsItWas) {
  const std::string text = "Größe: 漢字\n" + std::string(100000, 'x');
  const auto made = withPngText(kSignature + kEnd, "RopeScope experiment", text);
  ASSERT_TRUE(made);
  EXPECT_EQ(pngText(*made, "RopeScope experiment"), text);
  EXPECT_EQ(pngText(*made, "RopeScope"), std::nullopt) << "another keyword";
}

TEST(PngText, IsNotReadFromADamagedFile) {
  std::string made = *withPngText(kSignature + kEnd, "K", "hello");
  made[made.find("hello")] = 'j';
  EXPECT_EQ(pngText(made, "K"), std::nullopt);
}

TEST(PngText, RefusesWhatIsNoPng) {
  EXPECT_FALSE(isPng("GIF89a"));
  EXPECT_EQ(pngText("GIF89a", "K"), std::nullopt);
  EXPECT_EQ(withPngText("GIF89a", "K", "hi").error().code, ErrorCode::CorruptFile);
  EXPECT_EQ(withPngText(kSignature + kEnd.substr(0, 7), "K", "hi").error().code,
            ErrorCode::CorruptFile);
}

}  // namespace
}  // namespace ropescope::picture
