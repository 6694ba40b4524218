#include "ui/worker/slice_job.h"

#include "core/eval/perplexity.h"

namespace ropescope::ui {
namespace {

Result<double> perplexityUnder(const Engine& engine, const SliceOrder& order,
                               const rope::MethodChoice& choice, const JobControl& job) {
  CurveSettings settings;
  settings.rope = choice;
  const auto curve = measureCurve(engine, settings, {order.document->plainIds},
                                  {.lengths = {order.tokens}}, {}, job);
  if (!curve) return curve.error();
  return curve->points.back().perplexity;
}

}  // namespace

void startSliceRerun(EngineRunner& runner, QObject* receiver, const SliceOrder& order,
                     const std::function<void(const Result<SliceRerun>&)>& deliver) {
  runner.startLong<SliceRerun>(
      receiver, Lane::Rerun, SameLane::Replace,
      [order](EngineRoom& room, const JobControl& job) -> Result<SliceRerun> {
        if (!room.engine) {
          return Error{ErrorCode::InvalidArgument, "no model is loaded; open a model folder first"};
        }
        const auto before = perplexityUnder(*room.engine, order, order.before, job);
        if (!before) return before.error();
        const auto after = perplexityUnder(*room.engine, order, order.after, job);
        if (!after) return after.error();
        return SliceRerun{order.tokens, *before, *after};
      },
      deliver);
}

}  // namespace ropescope::ui
