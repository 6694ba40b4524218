#include "ui/picture_colors.h"

#include <QBuffer>
#include <QColor>
#include <QSet>
#include <algorithm>
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

QSet<QRgb> colorsIn(const QImage& picture) {
  QSet<QRgb> colors;
  for (int y = 0; y < picture.height(); ++y) {
    for (int x = 0; x < picture.width(); ++x) colors.insert(picture.pixel(x, y));
  }
  return colors;
}

// Red and green over the whole range, and one pixel of blue on it.
QImage gradients() {
  QImage picture(256, 256, QImage::Format_RGB32);
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) picture.setPixel(x, y, qRgb(x, y, 0));
  }
  picture.setPixel(128, 128, qRgb(0, 0, 255));
  return picture;
}

TEST(FewerColors, AFewColorsStayAsTheyAre) {
  QImage picture(64, 64, QImage::Format_ARGB32);
  picture.fill(qRgb(240, 240, 240));
  for (int i = 0; i < 255; ++i) picture.setPixel(i % 64, i / 64, qRgb(i, 255 - i, (7 * i) % 256));
  const QImage fewer = fewerColors(picture, 256);
  EXPECT_EQ(fewer.convertToFormat(QImage::Format_ARGB32), picture);
}

// 65,536 evenly spread colours in 256 boxes: at best 16 x 16 of them in each, 8 away from the mean.
// A halving that is off by one may double a box along one side.
TEST(FewerColors, ManyColorsBecomeTheirNeighboursMean) {
  const QImage picture = gradients();
  const QImage fewer = fewerColors(picture, 256);
  EXPECT_LE(colorsIn(fewer).size(), 256);
  EXPECT_GT(colorsIn(fewer).size(), 200);
  int farthest = 0;
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) {
      const QRgb from = picture.pixel(x, y);
      const QRgb to = fewer.pixel(x, y);
      farthest = std::max({farthest, std::abs(qRed(from) - qRed(to)),
                           std::abs(qGreen(from) - qGreen(to)), std::abs(qBlue(from) - qBlue(to))});
    }
  }
  EXPECT_LE(farthest, 16);
}

TEST(FewerColors, ARareColorIsNotLost) {
  EXPECT_EQ(fewerColors(gradients(), 256).pixel(128, 128), qRgb(0, 0, 255));
}

TEST(FewerColors, TheFileIsSmallerAndTheSameEveryTime) {
  const auto bytes = [](const QImage& picture) {
    QBuffer file;
    file.open(QIODevice::WriteOnly);
    EXPECT_TRUE(picture.save(&file, "PNG"));
    return file.data();
  };
  QImage picture(256, 256, QImage::Format_RGB32);
  std::mt19937 random(7);  // no two neighbours alike, as in a map
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) picture.setPixel(x, y, random() & 0xffffff);
  }
  EXPECT_LT(bytes(fewerColors(picture, 256)).size(), bytes(picture).size() / 2);
  EXPECT_EQ(bytes(fewerColors(picture, 256)), bytes(fewerColors(picture, 256)));
}

}  // namespace
}  // namespace ropescope::ui
