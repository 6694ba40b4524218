// Names of curves in rows above a plot, where they cannot cover data.
#pragma once

#include <string>
#include <vector>

#include "core/picture/canvas.h"
#include "core/picture/theme.h"

namespace ropescope::picture {

struct LegendEntry {
  std::string name;
  std::string note;  // grey, after the name
  SeriesStyle style;
};

inline constexpr double kLegendRowHeight = 20;  // points

// Rows that fit `width`; an entry wider than that gets a row of its own.
std::vector<std::vector<LegendEntry>> legendRows(const Font& font,
                                                 const std::vector<LegendEntry>& entries,
                                                 const Theme& theme, double width);

void drawLegend(Canvas& canvas, Point topLeft, const std::vector<std::vector<LegendEntry>>& rows,
                const Theme& theme);

}  // namespace ropescope::picture
