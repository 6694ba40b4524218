// The attention map of one head as a picture: which tokens each query looked at.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/picture/canvas.h"
#include "core/picture/theme.h"

namespace ropescope::picture {

// Half-open range of token positions.
struct PositionRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  std::int64_t size() const { return end - begin; }
};

struct AttentionPictureInput {
  int width = 0;                   // cells along the keys
  int height = 0;                  // cells along the queries
  std::vector<float> values = {};  // [height, width], linear weights; NaN where masked
  PositionRange queries = {};
  PositionRange keys = {};
  std::string title = "Attention map";
  std::string subtitle = {};    // model, layer, head, method
  std::string reducer = "max";  // how the tokens of one cell became one weight
  // Columns wholly inside the first tokens are drawn but do not set the colour range.
  std::int64_t ignoreFirstTokens = 4;
  double relativeFloor = 1e-4;  // low end of the colour range over its high end
};

// Where the map lies on a canvas drawn from this input, in pixels; for tests and overlays.
struct MapPlace {
  int left = 0;
  int top = 0;
  int columns = 0;  // cells drawn
  int rows = 0;
  int cellWidth = 1;  // pixels
  int cellHeight = 1;
  int joinedAcross = 1;  // input cells per drawn cell
  int joinedDown = 1;
};

struct AttentionPicture {
  Canvas canvas;
  MapPlace map;
};

// InvalidArgument for empty, inconsistent or wholly masked input and for weights that are negative
// or infinite.
Result<AttentionPicture> drawAttentionPicture(const AttentionPictureInput& input,
                                              const PictureStyle& style = {});

}  // namespace ropescope::picture
