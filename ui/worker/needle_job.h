// Needle grids as a long job on the engine thread, and what they need from it.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/eval/needle_plan.h"
#include "ui/viewmodels/app_model.h"
#include "ui/worker/engine_runner.h"

namespace ropescope::ui {

struct NeedleOrder {
  NeedlePlan plan;
  std::vector<std::string> methods = {};  // as on the command line: "yarn:factor=4"
  std::shared_ptr<const OpenDocument> document = nullptr;
  std::filesystem::path folder = {};  // of the result files; made when it is not there
};

// A finished cell of the setting `index`.
struct NeedleCell {
  std::size_t index = 0;
  RetrievalCell cell;
};

// Everything that one cell was asked, ready to be read by a session.
struct OpenedNeedle {
  std::shared_ptr<const OpenDocument> document;  // exactly the prompt's first part
  std::vector<std::int32_t> questionIds;         // its second part
  QString question;
  QString expected;
  std::int64_t keyToken = 0;  // where the wanted answer begins in the document, else the needle
  std::int64_t answerTokens = 0;
  MethodSettings settings;  // the plan that the cell was measured under
};

// Cells that were measured before are shown first, then the others setting by setting; each is in
// its file before it is shown. Stop with EngineRunner::stop(Lane::Needles).
struct NeedleSinks {
  std::function<void(const NeedleCell&)> onCell;
  std::function<void(const Status&)> onDone;
};
void startNeedles(EngineRunner& runner, QObject* receiver, const NeedleOrder& order,
                  const NeedleSinks& sinks);

// Cells that the result files hold already; nothing is measured. A newer call replaces an older
// one.
void loadNeedles(EngineRunner& runner, QObject* receiver, const NeedleOrder& order,
                 std::function<void(const std::vector<NeedleCell>&)> deliver);

// The prompt of one trial of a cell.
struct NeedleSpot {
  std::size_t index = 0;  // of the setting
  std::int64_t length = 0;
  double depth = 0.0;
  std::int64_t trial = 0;
};
void openNeedle(EngineRunner& runner, QObject* receiver, const NeedleOrder& order,
                const NeedleSpot& spot, std::function<void(const Result<OpenedNeedle>&)> deliver);

}  // namespace ropescope::ui
