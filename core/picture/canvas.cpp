#include "core/picture/canvas.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/picture/coverage_mask.h"
#include "core/picture/marker_shapes.h"

namespace ropescope::picture {
namespace {

constexpr double kMostPixels = 16384;  // per side

std::uint8_t mixChannel(std::uint8_t under, std::uint8_t over, float share) {
  const float mixed =
      static_cast<float>(under) + (static_cast<float>(over) - static_cast<float>(under)) * share;
  return static_cast<std::uint8_t>(mixed + 0.5F);
}

}  // namespace

Result<Canvas> Canvas::create(const CanvasConfig& config) {
  const double widest = std::max(config.width, config.height) * config.pixelRatio;
  const double narrowest = std::min(config.width, config.height) * config.pixelRatio;
  if (!(narrowest >= 1) || !(widest <= kMostPixels)) {
    return Error{ErrorCode::InvalidArgument, "picture: " + std::to_string(config.width) + " x " +
                                                 std::to_string(config.height) + " points at " +
                                                 std::to_string(config.pixelRatio) +
                                                 " pixels each; each side needs 1 to 16384 pixels"};
  }
  auto regular = Font::embedded(FontWeight::Regular);
  if (!regular) return regular.error();
  auto bold = Font::embedded(FontWeight::Bold);
  if (!bold) return bold.error();
  return Canvas(config, *regular, *bold);
}

Canvas::Canvas(const CanvasConfig& config, Font regular, Font bold)
    : m_config(config),
      m_pixelWidth(static_cast<int>(std::lround(config.width * config.pixelRatio))),
      m_pixelHeight(static_cast<int>(std::lround(config.height * config.pixelRatio))),
      m_clip{0, 0, m_pixelWidth, m_pixelHeight},
      m_regular(std::move(regular)),
      m_bold(std::move(bold)),
      m_pixels(static_cast<std::size_t>(m_pixelWidth) * static_cast<std::size_t>(m_pixelHeight) *
               3) {
  for (int row = 0; row < m_pixelHeight; ++row) {
    for (int column = 0; column < m_pixelWidth; ++column) setPixel(column, row, config.paper);
  }
}

Color Canvas::pixel(int column, int row) const {
  const auto at = (static_cast<std::size_t>(row) * static_cast<std::size_t>(m_pixelWidth) +
                   static_cast<std::size_t>(column)) *
                  3;
  return {m_pixels[at], m_pixels[at + 1], m_pixels[at + 2], 1.0F};
}

void Canvas::setPixel(int column, int row, Color color) {
  if (column < m_clip.left || column >= m_clip.right || row < m_clip.top || row >= m_clip.bottom) {
    return;
  }
  const auto at = (static_cast<std::size_t>(row) * static_cast<std::size_t>(m_pixelWidth) +
                   static_cast<std::size_t>(column)) *
                  3;
  m_pixels[at] = color.red;
  m_pixels[at + 1] = color.green;
  m_pixels[at + 2] = color.blue;
}

void Canvas::blend(int column, int row, Color color, float coverage) {
  const float share = std::clamp(coverage * color.alpha, 0.0F, 1.0F);
  if (share <= 0) return;
  const Color under = pixel(column, row);
  setPixel(column, row,
           {mixChannel(under.red, color.red, share), mixChannel(under.green, color.green, share),
            mixChannel(under.blue, color.blue, share), 1.0F});
}

void Canvas::paint(const CoverageMask& mask, Color color) {
  for (int row = mask.top(); row < mask.bottom(); ++row) {
    for (int column = mask.left(); column < mask.right(); ++column) {
      blend(column, row, color, mask.at(column, row));
    }
  }
}

// The pixels that a shape between these borders (in pixels) can touch.
Canvas::PixelBox Canvas::clippedBox(double left, double top, double right, double bottom) const {
  const auto inside = [](double value, int low, int high) {
    return static_cast<int>(std::clamp(value, static_cast<double>(low), static_cast<double>(high)));
  };
  return {inside(std::floor(left), m_clip.left, m_clip.right),
          inside(std::floor(top), m_clip.top, m_clip.bottom),
          inside(std::ceil(right), m_clip.left, m_clip.right),
          inside(std::ceil(bottom), m_clip.top, m_clip.bottom)};
}

void Canvas::clearClip() {
  m_clip = {0, 0, m_pixelWidth, m_pixelHeight};
}

void Canvas::setClip(const Rect& clip) {
  clearClip();
  const double ratio = pixelRatio();
  m_clip = clippedBox(clip.x * ratio, clip.y * ratio, clip.right() * ratio, clip.bottom() * ratio);
}

void Canvas::fillRect(const Rect& rect, Color color) {
  const std::vector<Point> corners = {{rect.x, rect.y},
                                      {rect.right(), rect.y},
                                      {rect.right(), rect.bottom()},
                                      {rect.x, rect.bottom()}};
  fillPolygon(corners, color);
}

void Canvas::strokeRect(const Rect& rect, const Stroke& stroke) {
  const std::vector<Point> outline = {{rect.x, rect.y},
                                      {rect.right(), rect.y},
                                      {rect.right(), rect.bottom()},
                                      {rect.x, rect.bottom()},
                                      {rect.x, rect.y}};
  polyline(outline, stroke);
}

void Canvas::fillPolygon(std::span<const Point> corners, Color color) {
  if (corners.size() < 3) return;
  std::vector<Point> scaled;
  scaled.reserve(corners.size());
  for (const Point& corner : corners) {
    scaled.push_back({corner.x * pixelRatio(), corner.y * pixelRatio()});
  }
  const auto [left, right] = std::minmax_element(
      scaled.begin(), scaled.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
  const auto [top, bottom] = std::minmax_element(
      scaled.begin(), scaled.end(), [](const Point& a, const Point& b) { return a.y < b.y; });
  const PixelBox box = clippedBox(left->x, top->y, right->x, bottom->y);
  CoverageMask mask(box.left, box.top, box.right, box.bottom);
  mask.addPolygon(scaled);
  paint(mask, color);
}

void Canvas::line(Point from, Point to, const Stroke& stroke) {
  const std::vector<Point> points = {from, to};
  polyline(points, stroke);
}

void Canvas::polyline(std::span<const Point> points, const Stroke& stroke) {
  if (points.empty()) return;
  const double ratio = pixelRatio();
  const double halfWidth = stroke.width * ratio / 2;
  std::vector<Point> scaled;
  scaled.reserve(points.size());
  Point low{1e9, 1e9};
  Point high{-1e9, -1e9};
  for (const Point& point : points) {
    scaled.push_back({point.x * ratio, point.y * ratio});
    low = {std::min(low.x, scaled.back().x), std::min(low.y, scaled.back().y)};
    high = {std::max(high.x, scaled.back().x), std::max(high.y, scaled.back().y)};
  }
  const double reach = halfWidth + 1;
  const PixelBox box = clippedBox(low.x - reach, low.y - reach, high.x + reach, high.y + reach);
  CoverageMask mask(box.left, box.top, box.right, box.bottom);
  for (const auto& piece : dashPieces(scaled, stroke.dash, stroke.width * ratio)) {
    if (piece.size() == 1) mask.addSegment(piece[0], piece[0], halfWidth);
    for (std::size_t i = 1; i < piece.size(); ++i) {
      mask.addSegment(piece[i - 1], piece[i], halfWidth);
    }
  }
  paint(mask, stroke.color);
}

void Canvas::marker(Point center, const Marker& marker) {
  if (marker.haloWidth > 0) {
    fillPolygon(markerOutline(marker.shape, center, marker.size + 2 * marker.haloWidth),
                marker.halo);
  }
  fillPolygon(markerOutline(marker.shape, center, marker.size), marker.fill);
}

double Canvas::textWidth(std::string_view utf8, const TextStyle& style) const {
  return font(style.weight).textWidth(utf8, style.size * pixelRatio()) / pixelRatio();
}

void Canvas::text(Point at, std::string_view utf8, const TextStyle& style) {
  const Font& face = font(style.weight);
  const double size = style.size * pixelRatio();
  const double width = face.textWidth(utf8, size);
  // Along and across the line of writing, in pixels; an upward line is the horizontal one turned.
  const bool upward = style.direction == TextDirection::Upward;
  double along = (upward ? -at.y : at.x) * pixelRatio();
  double across = (upward ? at.x : at.y) * pixelRatio();
  if (style.align == TextAlign::Center) along -= width / 2;
  if (style.align == TextAlign::Right) along -= width;
  if (style.anchor == TextAnchor::Top) across += face.capitalHeight(size);
  if (style.anchor == TextAnchor::Middle) across += face.capitalHeight(size) / 2;
  if (style.anchor == TextAnchor::Bottom) across -= face.descent(size);

  const int baseline = static_cast<int>(std::lround(across));
  const int pen = static_cast<int>(std::floor(along));
  const TextBitmap bitmap = face.render(utf8, size, along - pen);
  for (int y = 0; y < bitmap.height; ++y) {
    for (int x = 0; x < bitmap.width; ++x) {
      const std::size_t from =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(bitmap.width) +
          static_cast<std::size_t>(x);
      if (bitmap.coverage[from] == 0) continue;
      const int lineX = pen + bitmap.left + x;
      const int lineY = baseline + bitmap.top + y;
      const int column = upward ? lineY : lineX;
      const int row = upward ? -1 - lineX : lineY;
      if (column < m_clip.left || column >= m_clip.right || row < m_clip.top ||
          row >= m_clip.bottom) {
        continue;
      }
      blend(column, row, style.color, static_cast<float>(bitmap.coverage[from]) / 255.0F);
    }
  }
}

}  // namespace ropescope::picture
