// Names at the right end of curves, moved apart where they would overlap.
#pragma once

#include <string>
#include <vector>

#include "core/picture/canvas.h"
#include "core/picture/theme.h"

namespace ropescope::picture {

struct ColumnLabel {
  Point from;  // end of the curve
  std::string name;
  std::string value;  // grey, behind the name
  SeriesStyle style;
};

// Moves heights as little as needed to lie `spacing` apart inside [low, high], keeping their order.
// More than fit are spread evenly.
std::vector<double> spreadHeights(std::vector<double> heights, double spacing, double low,
                                  double high);

double labelColumnWidth(const Font& font, const std::vector<ColumnLabel>& labels,
                        const Theme& theme);

// In the column right of `plot`, each joined to its curve by a thin line. A name wider than the
// column is shortened.
void drawLabelColumn(Canvas& canvas, const Rect& plot, double width,
                     const std::vector<ColumnLabel>& labels, const Theme& theme);

}  // namespace ropescope::picture
