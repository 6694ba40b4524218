#include "core/picture/legend.h"

namespace ropescope::picture {
namespace {

constexpr double kSampleWidth = 30;
constexpr double kSampleGap = 8;
constexpr double kNoteGap = 7;
constexpr double kEntryGap = 26;

double entryWidth(const Font& font, const LegendEntry& entry, double size) {
  const double note = entry.note.empty() ? 0 : kNoteGap + font.textWidth(entry.note, size);
  return kSampleWidth + kSampleGap + font.textWidth(entry.name, size) + note;
}

}  // namespace

std::vector<std::vector<LegendEntry>> legendRows(const Font& font,
                                                 const std::vector<LegendEntry>& entries,
                                                 const Theme& theme, double width) {
  std::vector<std::vector<LegendEntry>> rows;
  double used = 0;
  for (const LegendEntry& entry : entries) {
    const double wanted = entryWidth(font, entry, theme.labelSize);
    if (rows.empty() || used + kEntryGap + wanted > width) {
      rows.emplace_back();
      used = wanted;
    } else {
      used += kEntryGap + wanted;
    }
    rows.back().push_back(entry);
  }
  return rows;
}

void drawLegend(Canvas& canvas, Point topLeft, const std::vector<std::vector<LegendEntry>>& rows,
                const Theme& theme) {
  const TextStyle name{.size = theme.labelSize, .color = theme.ink, .anchor = TextAnchor::Middle};
  TextStyle note = name;
  note.color = theme.mutedInk;
  double middle = topLeft.y + kLegendRowHeight / 2;
  for (const auto& row : rows) {
    double x = topLeft.x;
    for (const LegendEntry& entry : row) {
      canvas.line({x, middle}, {x + kSampleWidth, middle},
                  {entry.style.color, 2, entry.style.dash});
      canvas.marker({x + kSampleWidth / 2, middle}, {.shape = entry.style.marker,
                                                     .size = 7,
                                                     .fill = entry.style.color,
                                                     .halo = theme.paper,
                                                     .haloWidth = 1.2});
      x += kSampleWidth + kSampleGap;
      canvas.text({x, middle}, entry.name, name);
      x += canvas.textWidth(entry.name, name);
      if (!entry.note.empty()) {
        canvas.text({x + kNoteGap, middle}, entry.note, note);
        x += kNoteGap + canvas.textWidth(entry.note, note);
      }
      x += kEntryGap;
    }
    middle += kLegendRowHeight;
  }
}

}  // namespace ropescope::picture
