// Small pictures of all heads of a layer over the whole processed length: rows of a mosaic.
//
// All pictures share one grid of cells of `tokensPerCell` queries by as many keys, from position 0
// on. The grid does not move while more tokens are read: what was drawn of it stays right, and a
// growing mosaic costs every pair of tokens once.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/session.h"
#include "core/probe/attention_map.h"

namespace ropescope {

struct MosaicGrid {
  std::int64_t tokensPerCell = 1;
  int cells = 0;  // a side
  bool operator==(const MosaicGrid&) const = default;
};

// The finest grid over `tokens` tokens with at most `mostCells` cells a side.
MosaicGrid mosaicGrid(std::int64_t tokens, int mostCells);

// A band of the pictures of one layer's heads: cell rows [firstRow, endRow), all keys before their
// end.
struct MosaicRequest {
  int layer = 0;
  std::int64_t tokensPerCell = 1;
  int firstRow = 0;
  int endRow = 0;                  // its last row may reach beyond the processed tokens
  std::int64_t ignoredTokens = 0;  // keys before it count in no cell
  Reducer reducer = Reducer::Max;
  bool operator==(const MosaicRequest&) const = default;
};

struct MosaicBand {
  MosaicRequest request;
  int heads = 0;                     // H
  std::int64_t endQuery = 0;         // the last row's queries end here
  std::vector<std::int32_t> tokens;  // 0 … endQuery - 1 of the session: what the cells are of
  std::vector<float> values;  // [H, endRow - firstRow, endRow]; as AttentionMap::values, NaN also
                              // where all keys of a cell are ignored
};

// Draws a band from captured data; queries of the layer are made once for all heads. Equals
// Session::attentionMap() of the same cells.
// Errors: InvalidArgument (layer not captured, rows beyond position()), Cancelled.
Result<MosaicBand> drawMosaicBand(const Session& session, const MosaicRequest& request,
                                  const JobControl& job);

}  // namespace ropescope
