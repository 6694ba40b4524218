#include "ui/picture_colors.h"

#include <QHash>
#include <algorithm>
#include <array>
#include <vector>

namespace ropescope::ui {
namespace {

struct ColorCount {
  QRgb color;
  qint64 pixels;
};

using Box = std::vector<ColorCount>;
using Channel = int (*)(QRgb);
constexpr std::array<Channel, 3> kChannels{&qRed, &qGreen, &qBlue};

struct Spread {
  Channel channel = &qRed;
  int width = 0;
};

Spread widest(const Box& box) {
  Spread found;
  for (const Channel channel : kChannels) {
    const auto [low, high] =
        std::minmax_element(box.begin(), box.end(), [&](const ColorCount& a, const ColorCount& b) {
          return channel(a.color) < channel(b.color);
        });
    const int width = channel(high->color) - channel(low->color);
    if (width > found.width) found = {channel, width};
  }
  return found;
}

// Where half of the pixels lie on either side; both sides get a colour.
Box upperHalf(Box& box, Channel channel) {
  std::sort(box.begin(), box.end(), [&](const ColorCount& a, const ColorCount& b) {
    return std::pair(channel(a.color), a.color) < std::pair(channel(b.color), b.color);
  });
  qint64 all = 0;
  for (const ColorCount& entry : box) all += entry.pixels;
  qint64 below = 0;
  std::size_t cut = 0;
  while (cut + 1 < box.size() && (cut == 0 || below + box[cut].pixels <= all / 2)) {
    below += box[cut++].pixels;
  }
  Box upper(box.begin() + static_cast<std::ptrdiff_t>(cut), box.end());
  box.resize(cut);
  return upper;
}

QRgb meanOf(const Box& box) {
  std::array<qint64, 3> sums{};
  qint64 pixels = 0;
  for (const ColorCount& entry : box) {
    pixels += entry.pixels;
    for (std::size_t i = 0; i < 3; ++i) sums[i] += kChannels[i](entry.color) * entry.pixels;
  }
  const auto mean = [&](std::size_t i) {
    return static_cast<int>((sums[i] + pixels / 2) / pixels);
  };
  return qRgb(mean(0), mean(1), mean(2));
}

Box colorsOf(const QImage& picture) {
  QHash<QRgb, qint64> pixels;
  for (int y = 0; y < picture.height(); ++y) {
    const auto* line = reinterpret_cast<const QRgb*>(picture.constScanLine(y));
    for (int x = 0; x < picture.width(); ++x) ++pixels[line[x] | 0xff000000U];
  }
  Box colors;
  for (auto at = pixels.cbegin(); at != pixels.cend(); ++at)
    colors.push_back({at.key(), at.value()});
  // A hash has no order of its own; the same picture shall give the same file.
  std::sort(colors.begin(), colors.end(),
            [](const ColorCount& a, const ColorCount& b) { return a.color < b.color; });
  return colors;
}

std::vector<Box> cut(Box colors, std::size_t most) {
  std::vector<Box> boxes{std::move(colors)};
  while (boxes.size() < most) {
    const auto box = std::max_element(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) {
      return widest(a).width < widest(b).width;
    });
    const Spread spread = widest(*box);
    if (spread.width == 0) break;
    Box upper = upperHalf(*box, spread.channel);
    boxes.push_back(std::move(upper));
  }
  return boxes;
}

}  // namespace

QImage fewerColors(const QImage& picture, int most) {
  const QImage opaque = picture.convertToFormat(QImage::Format_RGB32);
  QList<QRgb> table;
  QHash<QRgb, uchar> places;
  for (const Box& box : cut(colorsOf(opaque), static_cast<std::size_t>(most))) {
    for (const ColorCount& entry : box) places[entry.color] = static_cast<uchar>(table.size());
    table.push_back(meanOf(box));
  }
  QImage indexed(opaque.size(), QImage::Format_Indexed8);
  indexed.setColorTable(table);
  indexed.setDevicePixelRatio(picture.devicePixelRatio());
  for (int y = 0; y < opaque.height(); ++y) {
    const auto* from = reinterpret_cast<const QRgb*>(opaque.constScanLine(y));
    uchar* to = indexed.scanLine(y);
    for (int x = 0; x < opaque.width(); ++x) to[x] = places.value(from[x] | 0xff000000U);
  }
  return indexed;
}

}  // namespace ropescope::ui
