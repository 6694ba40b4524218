// Outlines of the data point markers.
#pragma once

#include <vector>

#include "core/picture/paint.h"

namespace ropescope::picture {

// Sizes are balanced so that all shapes of one `size` look equally heavy.
std::vector<Point> markerOutline(MarkerShape shape, Point center, double size);

}  // namespace ropescope::picture
