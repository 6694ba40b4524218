#include "core/picture/png.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/base/file_io.h"
#include "tests/core/picture/picture_support.h"

#if __has_include(<stb/stb_image.h>)
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#include <stb/stb_image.h>
#define ROPESCOPE_TEST_DECODES
#endif

namespace ropescope::picture {
namespace {

constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";

Canvas smallSheet() {
  auto canvas =
      Canvas::create({.width = 30, .height = 20, .pixelRatio = 1.5, .paper = fromHex(0x102030)});
  EXPECT_TRUE(canvas) << canvas.error().message;
  canvas->setPixel(7, 3, fromHex(0xD55E00));
  return std::move(*canvas);
}

TEST(Png, StartsWithItsSignature) {
  SKIP_WITHOUT_PICTURES();
  const auto bytes = encodePng(smallSheet());
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(bytes->substr(0, kSignature.size()), kSignature);
}

#ifdef ROPESCOPE_TEST_DECODES
TEST(Png, ComesBackPixelByPixel) {
  SKIP_WITHOUT_PICTURES();
  const Canvas canvas = smallSheet();
  const auto bytes = encodePng(canvas);
  ASSERT_TRUE(bytes);
  int width = 0;
  int height = 0;
  int channels = 0;
  unsigned char* pixels =
      stbi_load_from_memory(reinterpret_cast<const unsigned char*>(bytes->data()),
                            static_cast<int>(bytes->size()), &width, &height, &channels, 0);
  ASSERT_NE(pixels, nullptr);
  EXPECT_EQ(width, 45);
  EXPECT_EQ(height, 30);
  EXPECT_EQ(channels, 3);
  EXPECT_TRUE(std::equal(canvas.pixels().begin(), canvas.pixels().end(), pixels));
  stbi_image_free(pixels);
}
#endif

TEST(Png, WritesAWholeFile) {
  SKIP_WITHOUT_PICTURES();
  const auto path = std::filesystem::path(testing::TempDir()) / "ropescope_png_test.png";
  ASSERT_TRUE(writePng(smallSheet(), path));
  const auto bytes = readFile(path);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(*bytes, *encodePng(smallSheet()));
  std::filesystem::remove(path);
}

TEST(Png, SaysWhichFileCannotBeWritten) {
  SKIP_WITHOUT_PICTURES();
  const Status status = writePng(smallSheet(), "no-such-folder/picture.png");
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("no-such-folder"), std::string::npos);
}

}  // namespace
}  // namespace ropescope::picture
