// The copy test as a long job on the engine thread.
#pragma once

#include <functional>
#include <memory>

#include "core/lens/retrieval_heads.h"
#include "ui/worker/engine_runner.h"
#include "ui/worker/session_jobs.h"

namespace ropescope::ui {

struct HeadSearchOrder {
  std::shared_ptr<const Engine> engine;  // nothing is measured on another one
  SessionRecipe recipe;                  // the plan; the test reads in a session of its own
  CopyTest test;
};

// Stop with EngineRunner::stop(Lane::Heads).
void startHeadSearch(EngineRunner& runner, QObject* receiver, const HeadSearchOrder& order,
                     std::function<void(const Result<CopyTestResult>&)> onDone);

}  // namespace ropescope::ui
