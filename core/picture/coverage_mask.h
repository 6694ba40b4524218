// How much of each pixel one shape covers, collected before it is blended once, so that the joints
// of a line are not darker than the line.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/picture/paint.h"

namespace ropescope::picture {

// Coordinates are pixels of the whole canvas; the mask holds the box [left, right) x [top, bottom).
class CoverageMask {
 public:
  CoverageMask(int left, int top, int right, int bottom);

  int left() const { return m_left; }
  int top() const { return m_top; }
  int right() const { return m_right; }
  int bottom() const { return m_bottom; }
  float at(int column, int row) const { return m_values[offset(column, row)]; }

  void addSegment(Point from, Point to, double halfWidth);  // with round ends
  void addPolygon(std::span<const Point> corners);          // even-odd

 private:
  std::size_t offset(int column, int row) const {
    return static_cast<std::size_t>(row - m_top) * static_cast<std::size_t>(m_right - m_left) +
           static_cast<std::size_t>(column - m_left);
  }
  void addSpan(int row, double from, double to, float weight);

  int m_left;
  int m_top;
  int m_right;
  int m_bottom;
  std::vector<float> m_values;
};

// `points` cut into the visible pieces of a dash pattern. `unit` is the line width, which the
// pattern's lengths follow.
std::vector<std::vector<Point>> dashPieces(std::span<const Point> points, Dash dash, double unit);

}  // namespace ropescope::picture
