#include "core/picture/canvas.h"

#include <limits>

#include <gtest/gtest.h>

#include "core/picture/coverage_mask.h"
#include "tests/core/picture/picture_support.h"

namespace ropescope::picture {
namespace {

constexpr Color kWhite = fromHex(0xFFFFFF);
constexpr Color kBlack = fromHex(0x000000);

Canvas whiteSheet(double width, double height, double ratio = 1) {
  auto canvas =
      Canvas::create({.width = width, .height = height, .pixelRatio = ratio, .paper = kWhite});
  EXPECT_TRUE(canvas) << canvas.error().message;
  return std::move(*canvas);
}

// How much ink lies in a box of pixels, in black pixels.
double ink(const Canvas& canvas, int left, int top, int right, int bottom) {
  double sum = 0;
  for (int row = top; row < bottom; ++row) {
    for (int column = left; column < right; ++column) {
      sum += 1 - canvas.pixel(column, row).green / 255.0;
    }
  }
  return sum;
}

double ink(const Canvas& canvas) {
  return ink(canvas, 0, 0, canvas.pixelWidth(), canvas.pixelHeight());
}

TEST(Canvas, WithoutAFontSaysWhatToInstall) {
  if (havePictures()) GTEST_SKIP() << "this build has a font";
  const auto canvas = Canvas::create({});
  ASSERT_FALSE(canvas);
  EXPECT_EQ(canvas.error().code, ErrorCode::Unsupported);
  EXPECT_NE(canvas.error().message.find("libstb-dev"), std::string::npos);
}

TEST(Canvas, RefusesSizesNoPictureCanHave) {
  for (const double width : {0.0, -5.0, 1e6, std::numeric_limits<double>::quiet_NaN()}) {
    const auto canvas = Canvas::create({.width = width, .height = 100});
    ASSERT_FALSE(canvas) << width;
    EXPECT_EQ(canvas.error().code, ErrorCode::InvalidArgument);
  }
}

TEST(Canvas, FillsExactlyTheArea) {
  SKIP_WITHOUT_PICTURES();
  Canvas canvas = whiteSheet(10, 10);
  canvas.fillRect({2.5, 3, 4, 2}, kBlack);
  constexpr double kRounding = 0.05;  // 8-bit channels
  EXPECT_NEAR(ink(canvas), 8.0, kRounding);
  EXPECT_EQ(canvas.pixel(4, 3), kBlack);
  EXPECT_EQ(canvas.pixel(4, 5), kWhite);
  EXPECT_NEAR(canvas.pixel(2, 3).green, 127, 1);
}

TEST(Canvas, DrawsLinesAsWideAsAsked) {
  SKIP_WITHOUT_PICTURES();
  Canvas canvas = whiteSheet(100, 40);
  canvas.line({10, 20}, {90, 20}, {.color = kBlack, .width = 3});
  constexpr double kRounding = 0.1;
  EXPECT_NEAR(ink(canvas, 50, 0, 51, 40), 3.0, kRounding);
}

TEST(Canvas, DashesLeaveGaps) {
  SKIP_WITHOUT_PICTURES();
  Canvas solid = whiteSheet(200, 10);
  Canvas dashed = whiteSheet(200, 10);
  solid.line({5, 5}, {195, 5}, {.color = kBlack, .width = 2});
  dashed.line({5, 5}, {195, 5}, {.color = kBlack, .width = 2, .dash = Dash::Dashed});
  EXPECT_LT(ink(dashed), 0.85 * ink(solid));
  EXPECT_GT(ink(dashed), 0.4 * ink(solid));
}

TEST(Canvas, JointsAreNotDarkerThanTheLine) {
  SKIP_WITHOUT_PICTURES();
  Canvas canvas = whiteSheet(40, 40);
  const std::vector<Point> points = {{5, 20.5}, {20, 20.5}, {35, 20.5}};
  canvas.polyline(points, {.color = withAlpha(kBlack, 0.5F), .width = 3});
  EXPECT_EQ(canvas.pixel(20, 20), canvas.pixel(10, 20));
}

TEST(Canvas, KeepsInsideTheClip) {
  SKIP_WITHOUT_PICTURES();
  Canvas canvas = whiteSheet(40, 40);
  canvas.setClip({10, 10, 10, 10});
  canvas.fillRect({0, 0, 40, 40}, kBlack);
  canvas.clearClip();
  EXPECT_NEAR(ink(canvas), 100, 1e-6);
}

TEST(Canvas, IgnoresShapesThatLieOutside) {
  SKIP_WITHOUT_PICTURES();
  Canvas canvas = whiteSheet(20, 20);
  canvas.line({-1e7, -50}, {1e7, -50}, {.color = kBlack, .width = 2});
  canvas.fillRect({100, 100, 5, 5}, kBlack);
  canvas.marker({-30, 5}, {.size = 8, .fill = kBlack});
  canvas.text({500, 500}, "far away", {.color = kBlack});
  EXPECT_EQ(ink(canvas), 0);
}

TEST(CanvasText, IsAsWideAsMeasured) {
  SKIP_WITHOUT_PICTURES();
  Canvas canvas = whiteSheet(200, 40, 2);
  const TextStyle style{.size = 14, .color = kBlack};
  const double width = canvas.textWidth("perplexity", style);
  EXPECT_GT(width, 50);
  EXPECT_LT(width, 120);
  canvas.text({20, 25}, "perplexity", style);
  constexpr int kOverhang = 4;  // pixels a letter may reach beyond its advance
  const int left = 40;
  const int right = left + static_cast<int>(width * 2);
  EXPECT_GT(ink(canvas), 50);
  EXPECT_EQ(ink(canvas, 0, 0, left - kOverhang, 80), 0);
  EXPECT_EQ(ink(canvas, right + kOverhang, 0, 400, 80), 0);
}

TEST(CanvasText, TurnsUpward) {
  SKIP_WITHOUT_PICTURES();
  Canvas flat = whiteSheet(120, 120, 2);
  Canvas upward = whiteSheet(120, 120, 2);
  TextStyle style{.size = 14, .color = kBlack, .align = TextAlign::Center};
  flat.text({60, 60}, "query position", style);
  style.direction = TextDirection::Upward;
  upward.text({60, 60}, "query position", style);
  constexpr double kSubpixel = 0.03;  // the same letters at another part of a pixel
  EXPECT_NEAR(ink(upward) / ink(flat), 1.0, kSubpixel);
  EXPECT_EQ(ink(upward, 0, 0, 80, 240), 0) << "nothing left of the upward line";
}

TEST(CanvasText, BrokenBytesAndUnknownLettersDoNoHarm) {
  SKIP_WITHOUT_PICTURES();
  Canvas canvas = whiteSheet(200, 40);
  const TextStyle style{.size = 12, .color = kBlack};
  EXPECT_GT(canvas.textWidth("\xFF\xC3", style), 0);
  EXPECT_GT(canvas.textWidth("\xE6\x96", style), 0);
  EXPECT_EQ(canvas.textWidth("", style), 0);
  canvas.text({5, 20}, "\xFF caf\xC3\xA9 \xE2\x82", style);
  EXPECT_GT(ink(canvas), 10);
}

TEST(DashPieces, KeepCornersAndStartWithADash) {
  const std::vector<Point> corner = {{0, 0}, {4, 0}, {4, 20}};
  const auto pieces = dashPieces(corner, Dash::Dashed, 2);  // 6 drawn, 6 left out
  ASSERT_GE(pieces.size(), 2U);
  ASSERT_EQ(pieces[0].size(), 3U);
  EXPECT_DOUBLE_EQ(pieces[0][1].x, 4);
  EXPECT_DOUBLE_EQ(pieces[0][2].y, 2);
  EXPECT_DOUBLE_EQ(pieces[1][0].y, 8);
}

}  // namespace
}  // namespace ropescope::picture
