// Reads a slice of the document under two rotations and compares its perplexity: what an edit of
// the factors really does. Sessions of its own; the window's session and its cache stay.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/base/result.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/factor_editor_model.h"
#include "ui/worker/engine_runner.h"

namespace ropescope::ui {

struct SliceOrder {
  std::shared_ptr<const OpenDocument> document;
  std::int64_t tokens = 0;  // from the document's start
  rope::MethodChoice before;
  rope::MethodChoice after;
};

// Both without a calibration: one is trained for a method, not for factors drawn by hand. Runs in
// Lane::Rerun; `deliver` gets Cancelled after EngineRunner::stop(Lane::Rerun).
void startSliceRerun(EngineRunner& runner, QObject* receiver, const SliceOrder& order,
                     const std::function<void(const Result<SliceRerun>&)>& deliver);

}  // namespace ropescope::ui
