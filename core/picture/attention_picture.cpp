#include "core/picture/attention_picture.h"

#include <algorithm>
#include <cmath>

#include "core/picture/attention_cells.h"
#include "core/picture/colormap.h"
#include "core/picture/frame.h"
#include "core/picture/page.h"

namespace ropescope::picture {
namespace {

constexpr double kMapSize = 640;  // points, wanted for the longer side
constexpr double kMostMapSize = 1024;
constexpr double kFlattest = 0.25;  // height over width of a map of few queries
constexpr double kTallest = 1.25;
constexpr double kBarGap = 22;
constexpr double kBarWidth = 14;
constexpr double kBarHeight = 300;
constexpr double kBarRoom = 84;  // bar numbers and label

Error refused(const std::string& message) {
  return {ErrorCode::InvalidArgument, "attention picture: " + message};
}

std::string rangeText(const PositionRange& range) {
  return std::to_string(range.begin) + ":" + std::to_string(range.end);
}

Status checkInput(const AttentionPictureInput& input) {
  const std::string shape = std::to_string(input.height) + " x " + std::to_string(input.width);
  if (input.width < 1 || input.height < 1) {
    return refused("the map is " + shape + " cells; it needs at least 1 x 1");
  }
  const auto wanted =
      static_cast<std::size_t>(input.width) * static_cast<std::size_t>(input.height);
  if (input.values.size() != wanted) {
    return refused(std::to_string(input.values.size()) + " weights were given for " + shape +
                   " cells; it needs " + std::to_string(wanted));
  }
  if (input.queries.size() < 1 || input.keys.size() < 1) {
    return refused("queries " + rangeText(input.queries) + " and keys " + rangeText(input.keys) +
                   "; each range needs at least one token");
  }
  bool allMasked = true;
  for (const float value : input.values) {
    if (value < 0 || std::isinf(value)) {
      return refused("a weight is " + std::to_string(value) + "; weights lie in 0..1");
    }
    allMasked = allMasked && std::isnan(value);
  }
  if (allMasked) {
    return refused("all cells are masked: none of the keys " + rangeText(input.keys) +
                   " comes before one of the queries " + rangeText(input.queries) +
                   "; choose keys that the queries can see");
  }
  return Done{};
}

// Pixels per cell for `cells` along a side that should be `wanted` pixels long.
int cellPixels(int cells, double wanted) {
  return std::max(1, static_cast<int>(std::lround(wanted / cells)));
}

int joinedCells(int cells, double most) {
  return std::max(1, static_cast<int>(std::ceil(cells / std::max(1.0, most))));
}

// Whole pixels per cell, so that every cell is equally large and none is lost.
MapPlace placeMap(const AttentionPictureInput& input, double ratio) {
  MapPlace map;
  map.joinedAcross = joinedCells(input.width, kMostMapSize * ratio);
  map.joinedDown = joinedCells(input.height, kMostMapSize * ratio);
  map.columns = (input.width + map.joinedAcross - 1) / map.joinedAcross;
  map.rows = (input.height + map.joinedDown - 1) / map.joinedDown;
  map.cellWidth = cellPixels(map.columns, kMapSize * ratio);
  const double shape =
      std::clamp(static_cast<double>(input.queries.size()) / static_cast<double>(input.keys.size()),
                 kFlattest, kTallest);
  map.cellHeight = cellPixels(map.rows, map.columns * map.cellWidth * shape);
  return map;
}

Axis tokenAxis(const PositionRange& range, double length, const std::string& label) {
  // Half a token back: the number of a token stands at the middle of its cell.
  Axis axis{.first = static_cast<double>(range.begin) - 0.5,
            .last = static_cast<double>(range.end) - 0.5,
            .label = label};
  constexpr double kPointsPerTick = 80;
  for (Tick& tick :
       linearTicks(axis.first, axis.last, std::max(2, static_cast<int>(length / kPointsPerTick)))) {
    if (tick.value == std::floor(tick.value))
      axis.ticks.push_back({tick.value, numberText(tick.value)});
  }
  return axis;
}

std::string tokensPerCell(std::int64_t tokens, int cells) {
  const double exact = static_cast<double>(tokens) / cells;
  if (exact == std::floor(exact)) return numberText(exact);
  return numberText(std::round(exact * 10) / 10);
}

std::string footerText(const AttentionPictureInput& input, const MapPlace& map,
                       const WeightRange& range) {
  const std::string across = tokensPerCell(input.keys.size(), input.width);
  const std::string down = tokensPerCell(input.queries.size(), input.height);
  std::string text = across == "1" && down == "1"
                         ? std::string("1 cell = 1 key × 1 query")
                         : "1 cell = " + across + " keys × " + down + " queries, " + input.reducer;
  if (map.joinedAcross * map.joinedDown > 1) {
    text += "  ·  1 pixel = maximum of " + std::to_string(map.joinedAcross) + " × " +
            std::to_string(map.joinedDown) + " cells";
  }
  const auto twoDigits = [](double value) {
    const double power = std::pow(10.0, std::floor(std::log10(value)) - 1);
    return numberText(std::round(value / power) * power);
  };
  text += "  ·  log colour scale from " + twoDigits(range.low) + " to " + twoDigits(range.high);
  if (range.ignoredColumns > 0) {
    text += ", set without the first " + std::to_string(input.ignoreFirstTokens) + " tokens";
  }
  return text;
}

void drawCells(Canvas& canvas, const CellGrid& cells, const MapPlace& map, const WeightRange& range,
               const Theme& theme) {
  const Colormap colors(theme.ramp);
  const double span = std::log(range.high / range.low);
  constexpr int kHatchPeriod = 14;
  constexpr int kHatchWidth = 3;
  for (int y = 0; y < map.rows * map.cellHeight; ++y) {
    for (int x = 0; x < map.columns * map.cellWidth; ++x) {
      const float value = cells.at(y / map.cellHeight, x / map.cellWidth);
      Color color = (x + y) % kHatchPeriod < kHatchWidth ? theme.maskedHatch : theme.masked;
      if (!std::isnan(value)) color = colors.at(std::log(value / range.low) / span);
      canvas.setPixel(map.left + x, map.top + y, color);
    }
  }
}

// Says what the neutral area is, where it is large enough for the words.
void labelMasked(Canvas& canvas, const CellGrid& cells, const MapPlace& map, const Rect& area,
                 const Theme& theme) {
  const std::string words = "future tokens: masked";
  const TextStyle style{.size = theme.tickSize,
                        .color = theme.mutedInk,
                        .align = TextAlign::Right,
                        .anchor = TextAnchor::Top};
  constexpr double kInset = 12;
  const double ratio = canvas.pixelRatio();
  const double width = (canvas.textWidth(words, style) + 2 * kInset) * ratio;
  const double height = (theme.tickSize + 2 * kInset) * ratio;
  const int rows = static_cast<int>(std::ceil(height / map.cellHeight));
  const int columns = static_cast<int>(std::ceil(width / map.cellWidth));
  if (rows > cells.rows || columns > cells.columns) return;
  for (int row = 0; row < rows; ++row) {
    for (int column = cells.columns - columns; column < cells.columns; ++column) {
      if (!std::isnan(cells.at(row, column))) return;
    }
  }
  canvas.text({area.right() - kInset, area.y + kInset}, words, style);
}

// Triangles at the ends stand for weights beyond the scale.
void drawColorBar(Canvas& canvas, const Rect& bar, const WeightRange& range, const Theme& theme) {
  const Colormap colors(theme.ramp);
  const int steps = static_cast<int>(std::lround(bar.height * canvas.pixelRatio()));
  const double step = 1 / canvas.pixelRatio();
  for (int i = 0; i < steps; ++i) {
    canvas.fillRect({bar.x, bar.y + i * step, bar.width, step}, colors.at(1 - (i + 0.5) / steps));
  }
  const double tip = bar.width * 0.7;
  const double middle = bar.x + bar.width / 2;
  const Stroke outline{.color = theme.axis, .width = 0.75};
  std::vector<Point> border = {{bar.x, bar.bottom()}, {bar.x, bar.y}};
  if (range.hasAbove) {
    const std::vector<Point> corners = {
        {bar.x, bar.y}, {middle, bar.y - tip}, {bar.right(), bar.y}};
    canvas.fillPolygon(corners, colors.at(1));
    border.push_back(corners[1]);
  }
  border.insert(border.end(), {{bar.right(), bar.y}, {bar.right(), bar.bottom()}});
  if (range.hasBelow) {
    const std::vector<Point> corners = {
        {bar.x, bar.bottom()}, {middle, bar.bottom() + tip}, {bar.right(), bar.bottom()}};
    canvas.fillPolygon(corners, colors.at(0));
    border.push_back(corners[1]);
  }
  border.push_back(border.front());
  canvas.polyline(border, outline);

  const Axis axis{.scale = AxisScale::Log10, .first = range.low, .last = range.high};
  const TextStyle numbers{
      .size = theme.tickSize, .color = theme.mutedInk, .anchor = TextAnchor::Middle};
  constexpr int kMostTicks = 8;
  for (const Tick& tick : log10Ticks(range.low, range.high, kMostTicks)) {
    const double y = bar.bottom() - axis.share(tick.value) * bar.height;
    canvas.line({bar.right(), y}, {bar.right() + 4, y}, outline);
    canvas.text({bar.right() + 8, y}, tick.text, numbers);
  }
  canvas.text({bar.right() + kBarRoom - kBarGap, bar.y + bar.height / 2}, "attention weight",
              {.size = theme.labelSize,
               .color = theme.ink,
               .align = TextAlign::Center,
               .direction = TextDirection::Upward});
}

}  // namespace

Result<AttentionPicture> drawAttentionPicture(const AttentionPictureInput& input,
                                              const PictureStyle& style) {
  if (const Status status = checkInput(input); !status) return status.error();
  const auto font = Font::embedded(FontWeight::Regular);
  if (!font) return font.error();
  const Theme theme = makeTheme(style.theme);
  const double ratio = style.pixelRatio;

  MapPlace map = placeMap(input, ratio);
  const CellGrid cells =
      joinByMaximum({input.width, input.height, input.values}, map.joinedAcross, map.joinedDown);
  const double tokensPerColumn =
      static_cast<double>(input.keys.size()) / static_cast<double>(cells.columns);
  const auto ignored = static_cast<int>(
      std::clamp(static_cast<double>(input.ignoreFirstTokens - input.keys.begin) / tokensPerColumn,
                 0.0, static_cast<double>(cells.columns)));
  const WeightRange range = chooseRange(cells, ignored, input.relativeFloor);

  Frame frame{.upright = Upright::Down};
  frame.area.width = map.columns * map.cellWidth / ratio;
  frame.area.height = map.rows * map.cellHeight / ratio;
  frame.x = tokenAxis(input.keys, frame.area.width, "key position [tokens]");
  frame.y = tokenAxis(input.queries, frame.area.height, "query position [tokens]");
  frame.area.x = kPageMargin + yAxisWidth(*font, frame.y, theme);
  const double width = frame.area.right() + kBarGap + kBarWidth + kBarRoom + kPageMargin - kBarGap;

  const auto page =
      layoutPage({input.title, input.subtitle, footerText(input, map, range)}, theme, width);
  if (!page) return page.error();
  frame.area.y = page->top;
  map.left = static_cast<int>(std::lround(frame.area.x * ratio));
  map.top = static_cast<int>(std::lround(frame.area.y * ratio));
  frame.area.x = map.left / ratio;
  frame.area.y = map.top / ratio;

  auto canvas =
      Canvas::create({.width = width,
                      .height = frame.area.bottom() + xAxisHeight(frame.x, theme) + page->bottom,
                      .pixelRatio = ratio,
                      .paper = theme.paper});
  if (!canvas) return canvas.error();
  drawPage(*canvas, *page, theme);
  drawCells(*canvas, cells, map, range, theme);
  labelMasked(*canvas, cells, map, frame.area, theme);
  drawXAxis(*canvas, frame, theme);
  drawYAxis(*canvas, frame, theme);
  const double barHeight = std::min(kBarHeight, frame.area.height - 2 * kBarWidth);
  drawColorBar(*canvas,
               {frame.area.right() + kBarGap, frame.area.y + kBarWidth, kBarWidth, barHeight},
               range, theme);
  return AttentionPicture{std::move(*canvas), map};
}

}  // namespace ropescope::picture
