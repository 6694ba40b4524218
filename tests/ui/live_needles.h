// Needle grids on the bundled model and its sample.
#pragma once

#include <vector>

#include "tests/ui/live_app.h"
#include "ui/worker/needle_job.h"

namespace ropescope::ui {

inline constexpr std::uint64_t kNeedleSeed = 3;

struct LiveNeedles : LiveApp {
  std::vector<NeedleCell> cells;
  std::vector<Status> ends;

  void loadBookworm() {
    const std::filesystem::path resources = ROPESCOPE_RESOURCES_DIR;
    app.loadModel(resources / "models/bookworm-11m");
    app.openDocument(resources / "samples/01-newgate-escape.txt");
    idle();
    ASSERT_TRUE(app.document()) << qPrintable(errors.join("; "));
  }
  NeedleOrder order() {
    return {.plan = {.kind = NeedleKind::PassKey,
                     .recipe = PasskeyRecipe::Bookworm,
                     .lengths = {300, 500},
                     .depths = {0.25, 1.0},
                     .trials = 2,
                     .seed = kNeedleSeed},
            .methods = {"none", "yarn:factor=4"},
            .document = app.document(),
            .folder = folder.filePath("needles").toStdString()};
  }
  void start(const NeedleOrder& wanted) {
    startNeedles(runner, &app, wanted,
                 {.onCell = [this](const NeedleCell& cell) { cells.push_back(cell); },
                  .onDone = [this](const Status& status) { ends.push_back(status); }});
  }
  void measure() {
    start(order());
    ASSERT_TRUE(waitUntil([this] { return !ends.empty(); }));
    ASSERT_TRUE(ends.back()) << ends.back().error().message;
  }
};

}  // namespace ropescope::ui
