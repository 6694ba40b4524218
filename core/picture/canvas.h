// A sheet to draw on: anti-aliased lines, areas, markers and text in points, pixels underneath.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/picture/font.h"
#include "core/picture/paint.h"

namespace ropescope::picture {

class CoverageMask;

struct CanvasConfig {
  double width = 900;  // points
  double height = 600;
  double pixelRatio = 2;
  Color paper = {};
};

class Canvas {
 public:
  // Unsupported without stb and a font, InvalidArgument for a size no picture can have.
  static Result<Canvas> create(const CanvasConfig& config);

  double width() const { return m_config.width; }
  double height() const { return m_config.height; }
  double pixelRatio() const { return m_config.pixelRatio; }
  int pixelWidth() const { return m_pixelWidth; }
  int pixelHeight() const { return m_pixelHeight; }
  std::span<const std::uint8_t> pixels() const { return m_pixels; }  // RGB, [height, width, 3]
  Color pixel(int column, int row) const;

  // Nothing is drawn outside of the clip; kept until the next call.
  void setClip(const Rect& clip);
  void clearClip();

  void fillRect(const Rect& rect, Color color);
  void strokeRect(const Rect& rect, const Stroke& stroke);
  void fillPolygon(std::span<const Point> corners, Color color);  // even-odd
  void line(Point from, Point to, const Stroke& stroke);
  // Round joins and ends; covers itself without darkening where it crosses itself.
  void polyline(std::span<const Point> points, const Stroke& stroke);
  void marker(Point center, const Marker& marker);
  void text(Point at, std::string_view utf8, const TextStyle& style);
  double textWidth(std::string_view utf8, const TextStyle& style) const;  // points

  // One pixel, unblended: for pictures whose cells must stay exact.
  void setPixel(int column, int row, Color color);

 private:
  struct PixelBox {
    int left = 0;
    int top = 0;
    int right = 0;  // exclusive
    int bottom = 0;
  };

  Canvas(const CanvasConfig& config, Font regular, Font bold);
  const Font& font(FontWeight weight) const {
    return weight == FontWeight::Bold ? m_bold : m_regular;
  }
  PixelBox clippedBox(double left, double top, double right, double bottom) const;
  void blend(int column, int row, Color color, float coverage);
  void paint(const CoverageMask& mask, Color color);

  CanvasConfig m_config;
  int m_pixelWidth = 0;
  int m_pixelHeight = 0;
  PixelBox m_clip;
  Font m_regular;
  Font m_bold;
  std::vector<std::uint8_t> m_pixels;
};

}  // namespace ropescope::picture
