#include "ui/worker/head_search.h"

namespace ropescope::ui {

void startHeadSearch(EngineRunner& runner, QObject* receiver, const HeadSearchOrder& order,
                     std::function<void(const Result<CopyTestResult>&)> onDone) {
  runner.startLong<CopyTestResult>(
      receiver, Lane::Heads, SameLane::Replace,
      [order](EngineRoom& room, const JobControl& job) -> Result<CopyTestResult> {
        if (room.engine != order.engine) {
          return Error{ErrorCode::Cancelled, "another model was loaded meanwhile"};
        }
        return findRetrievalHeads(*order.engine, order.recipe.options, order.test, job);
      },
      std::move(onDone));
}

}  // namespace ropescope::ui
