#include "core/picture/label_column.h"

#include <algorithm>
#include <numeric>

namespace ropescope::picture {
namespace {

constexpr double kLeader = 14;  // from the plot to the marker before a name
constexpr double kMarkerRoom = 14;
constexpr double kValueGap = 8;
constexpr double kSpacing = 17;

std::string shortened(const Canvas& canvas, std::string name, const TextStyle& style,
                      double width) {
  if (canvas.textWidth(name, style) <= width) return name;
  while (!name.empty() && canvas.textWidth(name + "…", style) > width) {
    // A whole character, not a byte of it.
    while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xC0U) == 0x80U) {
      name.pop_back();
    }
    if (!name.empty()) name.pop_back();
  }
  return name + "…";
}

}  // namespace

std::vector<double> spreadHeights(std::vector<double> heights, double spacing, double low,
                                  double high) {
  const std::size_t count = heights.size();
  if (count == 0) return heights;
  spacing = count > 1 ? std::min(spacing, (high - low) / static_cast<double>(count - 1)) : spacing;
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return heights[a] < heights[b]; });
  // Groups of touching labels sit around the mean of the places their members want.
  struct Group {
    double wantedSum = 0;  // of each member's place, less its offset in the group
    std::size_t members = 0;
    double top = 0;
  };
  std::vector<Group> groups;
  const auto settle = [&](Group& group) {
    const double length = spacing * static_cast<double>(group.members - 1);
    group.top = std::clamp(group.wantedSum / static_cast<double>(group.members), low,
                           std::max(low, high - length));
  };
  for (const std::size_t label : order) {
    groups.push_back({heights[label], 1, 0});
    settle(groups.back());
    while (groups.size() > 1) {
      Group& above = groups[groups.size() - 2];
      const Group& below = groups.back();
      const double end = above.top + spacing * static_cast<double>(above.members);
      if (below.top >= end) break;
      above.wantedSum += below.wantedSum - spacing * static_cast<double>(above.members) *
                                               static_cast<double>(below.members);
      above.members += below.members;
      groups.pop_back();
      settle(groups.back());
    }
  }
  std::size_t next = 0;
  for (const Group& group : groups) {
    for (std::size_t i = 0; i < group.members; ++i) {
      heights[order[next++]] = group.top + spacing * static_cast<double>(i);
    }
  }
  return heights;
}

double labelColumnWidth(const Font& font, const std::vector<ColumnLabel>& labels,
                        const Theme& theme) {
  double widest = 0;
  for (const ColumnLabel& label : labels) {
    widest = std::max(widest, font.textWidth(label.name, theme.labelSize) + kValueGap +
                                  font.textWidth(label.value, theme.labelSize));
  }
  return kLeader + kMarkerRoom + widest;
}

void drawLabelColumn(Canvas& canvas, const Rect& plot, double width,
                     const std::vector<ColumnLabel>& labels, const Theme& theme) {
  std::vector<double> heights;
  for (const ColumnLabel& label : labels) heights.push_back(label.from.y);
  const double half = kSpacing / 2;
  heights = spreadHeights(heights, kSpacing, plot.y + half, plot.bottom() - half);
  const TextStyle name{.size = theme.labelSize, .color = theme.ink, .anchor = TextAnchor::Middle};
  TextStyle value = name;
  value.color = theme.mutedInk;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const ColumnLabel& label = labels[i];
    const double y = heights[i];
    const double start = plot.right() + kLeader;
    const std::vector<Point> leader = {{label.from.x + 7, label.from.y},
                                       {std::max(label.from.x + 7, plot.right()), label.from.y},
                                       {start, y},
                                       {start + 4, y}};
    canvas.polyline(leader, {withAlpha(label.style.color, 0.55F), 1});
    canvas.marker({start + 7, y}, {.shape = label.style.marker,
                                   .size = 7,
                                   .fill = label.style.color,
                                   .halo = theme.paper,
                                   .haloWidth = 1.2});
    const double room =
        width - kLeader - kMarkerRoom - kValueGap - canvas.textWidth(label.value, value);
    const std::string shown = shortened(canvas, label.name, name, room);
    const double x = start + kMarkerRoom + 2;
    canvas.text({x, y}, shown, name);
    canvas.text({x + canvas.textWidth(shown, name) + kValueGap, y}, label.value, value);
  }
}

}  // namespace ropescope::picture
