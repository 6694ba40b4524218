#include <algorithm>
#include <limits>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/engine/attention_map_torch.h"
#include "core/lens/head_mosaic.h"
#include "core/model/guard_torch.h"

namespace ropescope {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

Status checkRequest(const Session& session, const MosaicRequest& request) {
  const std::int64_t step = request.tokensPerCell;
  const bool good = step >= 1 && request.firstRow >= 0 && request.firstRow < request.endRow &&
                    request.ignoredTokens >= 0 && (request.endRow - 1) * step < session.position();
  if (good) return Done{};
  return Error{ErrorCode::InvalidArgument,
               "mosaic: cell rows " + std::to_string(request.firstRow) + ":" +
                   std::to_string(request.endRow) + " of " + std::to_string(step) +
                   " tokens each, the first " + std::to_string(request.ignoredTokens) +
                   " keys ignored; rows that begin within the " +
                   std::to_string(session.position()) + " processed tokens are wanted"};
}

// Cells of one size in one direction.
struct Run {
  TokenRange tokens;
  int firstCell = 0;
  int cells = 0;
};

// The whole cells of [begin, end), and before and behind them what is left of a cell.
std::vector<Run> runsOf(const TokenRange& range, std::int64_t step) {
  const std::int64_t firstWhole = (range.begin + step - 1) / step;
  const std::int64_t endWhole = range.end / step;
  if (firstWhole > endWhole) return {{range, static_cast<int>(range.begin / step), 1}};
  std::vector<Run> runs;
  const auto add = [&](std::int64_t begin, std::int64_t end) {
    if (begin >= end) return;
    const std::int64_t cells = (end - begin + step - 1) / step;
    runs.push_back({{begin, end}, static_cast<int>(begin / step), static_cast<int>(cells)});
  };
  add(range.begin, firstWhole * step);
  add(firstWhole * step, endWhole * step);
  add(endWhole * step, range.end);
  return runs;
}

// Draws one rectangle of cells of all heads into the band.
Status drawRuns(const Session& session, const Run& rows, const Run& columns, MosaicBand& band,
                const JobControl& job) {
  std::vector<int> heads(static_cast<std::size_t>(band.heads));
  std::iota(heads.begin(), heads.end(), 0);
  const MapRequest request{.layer = band.request.layer,
                           .queries = rows.tokens,
                           .keys = columns.tokens,
                           .width = columns.cells,
                           .height = rows.cells,
                           .reducer = band.request.reducer};
  const auto maps = drawAttentionMaps(session.state(), request, heads, job);
  if (!maps) return maps.error();
  const auto bandRows = static_cast<std::size_t>(band.request.endRow - band.request.firstRow);
  const auto width = static_cast<std::size_t>(band.request.endRow);
  for (std::size_t head = 0; head < maps->size(); ++head) {
    const float* source = (*maps)[head].values.data();
    for (int row = 0; row < rows.cells; ++row, source += columns.cells) {
      const auto target =
          head * bandRows + static_cast<std::size_t>(rows.firstCell + row - band.request.firstRow);
      std::copy_n(
          source, columns.cells,
          band.values.begin() + static_cast<std::ptrdiff_t>(
                                    target * width + static_cast<std::size_t>(columns.firstCell)));
    }
  }
  return Done{};
}

}  // namespace

MosaicGrid mosaicGrid(std::int64_t tokens, int mostCells) {
  if (tokens < 1 || mostCells < 1) return {};
  const std::int64_t step = (tokens + mostCells - 1) / mostCells;
  return {step, static_cast<int>((tokens + step - 1) / step)};
}

Result<MosaicBand> drawMosaicBand(const Session& session, const MosaicRequest& request,
                                  const JobControl& job) {
  if (Status valid = checkRequest(session, request); !valid) return valid.error();
  return guardTorch("drawing the mosaic of heads", [&]() -> Result<MosaicBand> {
    const at::NoGradGuard noGrad;
    const std::int64_t step = request.tokensPerCell;
    MosaicBand band{.request = request,
                    .heads = session.state().engine->config().heads,
                    .endQuery = std::min(request.endRow * step, session.position()),
                    .tokens = {},
                    .values = {}};
    const auto read = session.tokens().first(static_cast<std::size_t>(band.endQuery));
    band.tokens.assign(read.begin(), read.end());
    band.values.assign(static_cast<std::size_t>(band.heads) *
                           static_cast<std::size_t>(request.endRow - request.firstRow) *
                           static_cast<std::size_t>(request.endRow),
                       kNone);
    const TokenRange keys{std::min(request.ignoredTokens, band.endQuery), band.endQuery};
    for (const Run& rows : runsOf({request.firstRow * step, band.endQuery}, step)) {
      for (const Run& columns : runsOf(keys, step)) {
        if (columns.tokens.begin >= rows.tokens.end || columns.tokens.size() < 1) continue;
        if (Status drawn = drawRuns(session, rows, columns, band, job); !drawn) {
          return drawn.error();
        }
      }
    }
    return band;
  });
}

}  // namespace ropescope
