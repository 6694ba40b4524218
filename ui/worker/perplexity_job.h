// Perplexity curves as a long job on the engine thread.
#pragma once

#include "ui/viewmodels/perplexity_view_model.h"
#include "ui/worker/engine_runner.h"

namespace ropescope::ui {

// Reads every curve's settings first, so that a spelling mistake costs no measuring time; then
// measures one after the other. Stop with EngineRunner::stop(Lane::Sweep).
void startPerplexity(EngineRunner& runner, QObject* receiver, const PerplexityOrder& order,
                     const PerplexityViewModel::Sinks& sinks);

}  // namespace ropescope::ui
