// Needle grids in the window: the command line's cells for the same settings, kept over a stop, and
// the prompt of a cell opened as it was asked.
#include "ui/worker/needle_job.h"

#include <QAbstractItemModelTester>
#include <algorithm>

#include <gtest/gtest.h>

#include "core/eval/passkey_prompt.h"
#include "core/eval/result_log.h"
#include "tests/ui/live_app.h"
#include "ui/viewmodels/needle_grid_model.h"

namespace ropescope::ui {
namespace {

constexpr std::uint64_t kSeed = 3;

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
                     .seed = kSeed},
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

void expectSame(const RetrievalCell& a, const RetrievalCell& b) {
  EXPECT_EQ(a.length, b.length);
  EXPECT_EQ(a.depth, b.depth);
  ASSERT_EQ(a.answers.size(), b.answers.size());
  for (std::size_t i = 0; i < a.answers.size(); ++i) {
    EXPECT_EQ(a.answers[i].expected, b.answers[i].expected);
    EXPECT_EQ(a.answers[i].answer, b.answers[i].answer);
    EXPECT_EQ(a.answers[i].needleBegin, b.answers[i].needleBegin);
    EXPECT_EQ(a.answers[i].judgement.found, b.answers[i].judgement.found);
  }
}

// As app/cli/passkey.cpp asks it.
TEST(NeedleJob, EqualsThePasskeysOfTheCommandLine) {
  LiveNeedles live;
  ASSERT_NO_FATAL_FAILURE(live.loadBookworm());
  ASSERT_NO_FATAL_FAILURE(live.measure());
  ASSERT_EQ(live.cells.size(), 8U);

  const Engine& engine = *live.app.engine();
  const Document& document = live.app.document()->document;
  const auto tokenizer = *engine.tokenizer();
  const auto book = bookTokens(*tokenizer, document.path.filename().string(), document.text);
  ASSERT_TRUE(book) << book.error().message;
  const auto prompts = PasskeyPrompts::make({.recipe = PasskeyRecipe::Bookworm,
                                             .seed = kSeed,
                                             .tokenizer = tokenizer,
                                             .format = engine.promptFormat(),
                                             .book = *book});
  ASSERT_TRUE(prompts) << prompts.error().message;
  const NeedleOrder order = live.order();
  GridRequest request{
      .methods = {*parseCurve("none", engine), *parseCurve("yarn:factor=4", engine)},
      .lengths = order.plan.lengths,
      .depths = order.plan.depths,
      .trials = order.plan.trials,
      .mostAnswerTokens = 10,
      .prompt =
          [&](std::int64_t length, double depth, std::int64_t trial) {
            return prompts->prompt({.length = length, .depth = depth, .trial = trial});
          },
      .judge = judgeKey};
  auto log = ResultLog::open(live.folder.filePath("reference.jsonl").toStdString(),
                             ResultJson{{"kind", "test"}}, LogStart::Fresh);
  ASSERT_TRUE(log) << log.error().message;
  std::vector<RetrievalCell> wanted;
  const Status measured = measureGrid(
      engine, request, *log, [&](const RetrievalCell& cell) { wanted.push_back(cell); }, {});
  ASSERT_TRUE(measured) << measured.error().message;
  ASSERT_EQ(wanted.size(), live.cells.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(live.cells[i].index, i / 4) << "method by method";
    expectSame(live.cells[i].cell, wanted[i]);
  }
}

TEST(NeedleJob, StopsAndGoesOnWhereItStood) {
  LiveNeedles live;
  ASSERT_NO_FATAL_FAILURE(live.loadBookworm());
  live.start(live.order());
  ASSERT_TRUE(waitUntil([&] { return live.cells.size() >= 2 || !live.ends.empty(); }));
  live.runner.stop(Lane::Needles);
  ASSERT_TRUE(waitUntil([&] { return !live.ends.empty(); }));
  const auto before = live.cells;
  std::vector<NeedleCell> known;
  bool loaded = false;
  loadNeedles(live.runner, &live.app, live.order(), [&](const std::vector<NeedleCell>& cells) {
    known = cells;
    loaded = true;
  });
  ASSERT_TRUE(waitUntil([&] { return loaded; }));
  EXPECT_GE(known.size(), before.size());
  EXPECT_LE(known.size(), 8U);

  live.cells.clear();
  live.ends.clear();
  ASSERT_NO_FATAL_FAILURE(live.measure());
  ASSERT_EQ(live.cells.size(), 8U);
  for (std::size_t i = 0; i < before.size(); ++i) expectSame(live.cells[i].cell, before[i].cell);
}

// A method switch while the grid is measured changes none of its cells.
TEST(NeedleJob, IsNotDisturbedByTheSession) {
  LiveNeedles quiet;
  ASSERT_NO_FATAL_FAILURE(quiet.loadBookworm());
  ASSERT_NO_FATAL_FAILURE(quiet.measure());
  LiveNeedles live;
  ASSERT_NO_FATAL_FAILURE(live.loadBookworm());
  live.start(live.order());
  ASSERT_TRUE(waitUntil([&] { return !live.cells.empty() || !live.ends.empty(); }));
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 4.0};
  live.app.applyMethod(settings);
  ASSERT_TRUE(waitUntil([&] { return !live.ends.empty(); }));
  ASSERT_TRUE(live.ends.back()) << live.ends.back().error().message;
  ASSERT_EQ(live.cells.size(), quiet.cells.size());
  for (std::size_t i = 0; i < live.cells.size(); ++i) {
    expectSame(live.cells[i].cell, quiet.cells[i].cell);
  }
}

TEST(NeedleJob, MayEndWithItsWindow) {
  auto live = std::make_unique<LiveNeedles>();
  ASSERT_NO_FATAL_FAILURE(live->loadBookworm());
  live->start(live->order());
  ASSERT_TRUE(waitUntil([&] { return !live->cells.empty() || !live->ends.empty(); }));
  live.reset();  // the runner asks its job to stop and waits
}

// The cell's own prompt, question and plan: asked in the window it gives the cell's answer.
TEST(NeedleJob, OpensThePromptOfACell) {
  LiveNeedles live;
  ASSERT_NO_FATAL_FAILURE(live.loadBookworm());
  ASSERT_NO_FATAL_FAILURE(live.measure());
  const RetrievalCell& cell = live.cells.back().cell;  // yarn, 500 tokens, at the end
  std::optional<Result<OpenedNeedle>> opened;
  openNeedle(live.runner, &live.app, live.order(),
             {.index = 1, .length = cell.length, .depth = cell.depth, .trial = 1},
             [&](const Result<OpenedNeedle>& needle) { opened.emplace(needle); });
  ASSERT_TRUE(waitUntil([&] { return opened.has_value(); }));
  ASSERT_TRUE(*opened) << opened->error().message;
  const OpenedNeedle& needle = **opened;
  EXPECT_EQ(needle.expected.toStdString(), cell.answers[1].expected);
  EXPECT_EQ(needle.settings.rope.id, "yarn");
  EXPECT_EQ(static_cast<std::int64_t>(needle.document->part.ids.size() + needle.questionIds.size()),
            cell.length);
  EXPECT_NE(needle.document->document.text.find(cell.answers[1].expected), std::string::npos);
}

TEST(NeedleGridModel, IsAModel) {
  NeedleGridModel model(QStringLiteral("YaRN × 4"));
  const QAbstractItemModelTester tester(&model);
  model.setAxes({512, 1024}, {0.0, 0.5, 1.0});
  const auto cellAt = [](std::int64_t length, double depth, int found, int trials) {
    RetrievalCell cell{.method = "yarn:factor=4", .length = length, .depth = depth, .answers = {}};
    for (int i = 0; i < trials; ++i) {
      cell.answers.push_back(
          {.expected = "48213", .answer = "48213", .judgement = {.found = i < found}});
    }
    return cell;
  };
  for (const double depth : {0.0, 0.5, 1.0}) model.setCell(cellAt(512, depth, 2, 2));
  EXPECT_EQ(model.measuredCells(), 3);
  EXPECT_EQ(model.effectiveContext(1.0), 512);
  model.setCell(cellAt(1024, 0.5, 1, 2));
  EXPECT_EQ(model.data(model.index(1, 1), Qt::DisplayRole).toString(), QStringLiteral("1/2"));
  EXPECT_EQ(model.data(model.index(1, 1), NeedleGridModel::ShareRole).toDouble(), 0.5);
  EXPECT_EQ(model.data(model.index(0, 1), Qt::DisplayRole).toString(), QStringLiteral("–"));
  EXPECT_EQ(model.effectiveContext(1.0), 512);  // not at every depth of 1,024
  model.setAxes({1024}, {0.5});
  EXPECT_EQ(model.measuredCells(), 1);
  model.clear();
  EXPECT_EQ(model.measuredCells(), 0);
  EXPECT_FALSE(model.effectiveContext(1.0).has_value());
}

}  // namespace
}  // namespace ropescope::ui
