#include "core/picture/coverage_mask.h"

#include <cmath>

namespace ropescope::picture {
namespace {

double distanceToSegment(Point p, Point a, Point b) {
  const double dx = b.x - a.x;
  const double dy = b.y - a.y;
  const double squared = dx * dx + dy * dy;
  const double along =
      squared > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / squared, 0.0, 1.0) : 0.0;
  return std::hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

// Drawn and skipped lengths in line widths. A dot is a piece of no length with round ends.
std::vector<double> pattern(Dash dash) {
  switch (dash) {
    case Dash::Solid:
      return {};
    case Dash::Dashed:
      return {3, 3};
    case Dash::Dotted:
      return {0, 2.2};
    case Dash::DashDot:
      return {5, 2.6, 0, 2.6};
    case Dash::LongDash:
      return {7, 3};
  }
  return {};
}

}  // namespace

CoverageMask::CoverageMask(int left, int top, int right, int bottom)
    : m_left(left),
      m_top(top),
      m_right(std::max(left, right)),
      m_bottom(std::max(top, bottom)),
      m_values(static_cast<std::size_t>(m_right - m_left) *
               static_cast<std::size_t>(m_bottom - m_top)) {}

void CoverageMask::addSegment(Point from, Point to, double halfWidth) {
  const double reach = halfWidth + 1;
  const auto low = [reach](double a, double b, int border) {
    return std::max(border, static_cast<int>(std::floor(std::max(std::min(a, b) - reach, -1e6))));
  };
  const auto high = [reach](double a, double b, int border) {
    return std::min(border, static_cast<int>(std::ceil(std::min(std::max(a, b) + reach, 1e6))));
  };
  const int rowEnd = high(from.y, to.y, m_bottom);
  const int columnEnd = high(from.x, to.x, m_right);
  for (int row = low(from.y, to.y, m_top); row < rowEnd; ++row) {
    for (int column = low(from.x, to.x, m_left); column < columnEnd; ++column) {
      const double distance = distanceToSegment({column + 0.5, row + 0.5}, from, to);
      // A line thinner than a pixel covers only its own share of it.
      const double most = std::min(1.0, 2 * halfWidth);
      const auto covered = static_cast<float>(std::clamp(halfWidth + 0.5 - distance, 0.0, most));
      float& value = m_values[offset(column, row)];
      value = std::max(value, covered);
    }
  }
}

void CoverageMask::addSpan(int row, double from, double to, float weight) {
  const double left = std::max(from, static_cast<double>(m_left));
  const double right = std::min(to, static_cast<double>(m_right));
  for (int column = static_cast<int>(std::floor(left)); column < right; ++column) {
    const double covered = std::min(right, column + 1.0) - std::max(left, column + 0.0);
    if (covered > 0) m_values[offset(column, row)] += weight * static_cast<float>(covered);
  }
}

void CoverageMask::addPolygon(std::span<const Point> corners) {
  constexpr int kLinesPerPixel = 8;  // vertical samples; horizontally the cover is exact
  std::vector<double> crossings;
  for (int row = m_top; row < m_bottom; ++row) {
    for (int line = 0; line < kLinesPerPixel; ++line) {
      const double y = row + (line + 0.5) / kLinesPerPixel;
      crossings.clear();
      for (std::size_t i = 0; i < corners.size(); ++i) {
        const Point a = corners[i];
        const Point b = corners[(i + 1) % corners.size()];
        if ((a.y <= y) != (b.y <= y)) {
          crossings.push_back(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x));
        }
      }
      std::sort(crossings.begin(), crossings.end());
      for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
        addSpan(row, crossings[i], crossings[i + 1], 1.0F / kLinesPerPixel);
      }
    }
  }
}

std::vector<std::vector<Point>> dashPieces(std::span<const Point> points, Dash dash, double unit) {
  const std::vector<double> lengths = pattern(dash);
  if (lengths.empty() || points.size() < 2) return {{points.begin(), points.end()}};
  std::vector<std::vector<Point>> pieces;
  std::size_t phase = 0;  // even: drawn
  double left = lengths[0] * unit;
  std::vector<Point> piece = {points[0]};
  for (std::size_t i = 1; i < points.size(); ++i) {
    Point at = points[i - 1];
    double remaining = std::hypot(points[i].x - at.x, points[i].y - at.y);
    while (remaining > left) {
      const double share = left / remaining;
      at = {std::lerp(at.x, points[i].x, share), std::lerp(at.y, points[i].y, share)};
      remaining -= left;
      if (phase % 2 == 0) {
        piece.push_back(at);
        pieces.push_back(std::move(piece));
        piece.clear();
      } else {
        piece = {at};
      }
      phase = (phase + 1) % lengths.size();
      left = lengths[phase] * unit;
    }
    left -= remaining;
    if (phase % 2 == 0) piece.push_back(points[i]);
  }
  if (phase % 2 == 0 && piece.size() > 1) pieces.push_back(std::move(piece));
  return pieces;
}

}  // namespace ropescope::picture
