// Needle grids: the command line's cells for the same settings, kept over a stop, and the prompt of
// a cell as it was asked.
#include "ui/worker/needle_job.h"

#include <algorithm>
#include <cctype>

#include <gtest/gtest.h>

#include "core/eval/passkey_prompt.h"
#include "core/eval/result_log.h"
#include "tests/ui/cli_call.h"
#include "tests/ui/live_needles.h"

namespace ropescope::ui {
namespace {

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
                                             .seed = kNeedleSeed,
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

// The command line itself, asked with the same words.
TEST(NeedleJob, EqualsTheNeedlesOfTheCommandLine) {
  LiveNeedles live;
  ASSERT_NO_FATAL_FAILURE(live.loadBookworm());
  NeedleOrder order = live.order();
  order.plan.kind = NeedleKind::Sentence;
  order.plan.sentence = "Rose Winter was born in Vienna.";
  order.plan.question = "Where was Rose Winter born?";
  order.plan.answer = "Vienna";
  live.start(order);
  ASSERT_TRUE(waitUntil([&] { return !live.ends.empty(); }));
  ASSERT_TRUE(live.ends.back()) << live.ends.back().error().message;
  ASSERT_EQ(live.cells.size(), 8U);

  const QString resources = QStringLiteral(ROPESCOPE_RESOURCES_DIR);
  const QString out = live.folder.filePath("needle.jsonl");
  const auto said = cliResult({"needle",
                               "--model",
                               resources + "/models/bookworm-11m",
                               "--document",
                               resources + "/samples/01-newgate-escape.txt",
                               "--needle",
                               "Rose Winter was born in Vienna.",
                               "--question",
                               "Where was Rose Winter born?",
                               "--answer",
                               "Vienna",
                               "--lengths",
                               "300,500",
                               "--depths",
                               "0.25,1",
                               "--trials",
                               "2",
                               "--methods",
                               "none;yarn:factor=4",
                               "--out",
                               out});
  ASSERT_EQ(said["cells"].size(), 8U);
  const auto log = readResultLog(out.toStdString());
  ASSERT_TRUE(log) << log.error().message;
  ASSERT_EQ(log->records.size(), 8U);
  for (std::size_t i = 0; i < log->records.size(); ++i) {
    const auto wanted = cellFrom(log->records[i]);
    ASSERT_TRUE(wanted) << wanted.error().message;
    EXPECT_EQ(live.cells[i].cell.method, wanted->method);
    expectSame(live.cells[i].cell, *wanted);
  }
}

// Planted facts: the core's own grid of them; another number in every trial, the same ones at every
// length and depth and under every method.
TEST(NeedleJob, PlantsAnotherFactInEveryTrial) {
  LiveNeedles live;
  ASSERT_NO_FATAL_FAILURE(live.loadBookworm());
  NeedleOrder order = live.order();
  order.plan.kind = NeedleKind::Facts;
  live.start(order);
  ASSERT_TRUE(waitUntil([&] { return !live.ends.empty(); }));
  ASSERT_TRUE(live.ends.back()) << live.ends.back().error().message;
  ASSERT_EQ(live.cells.size(), 8U);
  const auto& facts = live.cells.front().cell.answers;
  ASSERT_EQ(facts.size(), 2U);
  EXPECT_NE(facts[0].expected, facts[1].expected);

  const Engine& engine = *live.app.engine();
  const Document& document = live.app.document()->document;
  const auto book =
      bookTokens(**engine.tokenizer(), document.path.filename().string(), document.text);
  ASSERT_TRUE(book) << book.error().message;
  const auto prompts = NeedlePrompts::make(engine, order.plan, *book);
  ASSERT_TRUE(prompts) << prompts.error().message;
  auto log = ResultLog::open(live.folder.filePath("facts.jsonl").toStdString(),
                             ResultJson{{"kind", "test"}}, LogStart::Fresh);
  ASSERT_TRUE(log) << log.error().message;
  std::vector<RetrievalCell> wanted;
  const Status measured = measureGrid(
      engine, prompts->request({*parseCurve("none", engine), *parseCurve("yarn:factor=4", engine)}),
      *log, [&](const RetrievalCell& cell) { wanted.push_back(cell); }, {});
  ASSERT_TRUE(measured) << measured.error().message;
  ASSERT_EQ(wanted.size(), live.cells.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    expectSame(live.cells[i].cell, wanted[i]);
    for (std::size_t trial = 0; trial < facts.size(); ++trial) {
      const std::string& number = live.cells[i].cell.answers[trial].expected;
      EXPECT_EQ(number, facts[trial].expected);
      EXPECT_TRUE(std::all_of(number.begin(), number.end(), [](unsigned char digit) {
        return std::isdigit(digit) != 0;
      })) << number;
    }
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
  const OpenDocument& document = *needle.document;
  const std::size_t key = document.document.text.find(cell.answers[1].expected);
  ASSERT_NE(key, std::string::npos);
  EXPECT_GE(needle.keyToken, cell.answers[1].needleBegin);
  const ByteSpan& at = document.part.spans[static_cast<std::size_t>(needle.keyToken)];
  EXPECT_LE(at.begin, static_cast<std::int64_t>(key));
  EXPECT_GT(at.end, static_cast<std::int64_t>(key));

  // The bare tokens know their places, as those of a file: losses are drawn over them.
  ASSERT_EQ(document.plainSpans.size(), document.plainIds.size());
  const auto tokenizer = *live.app.engine()->tokenizer();
  for (std::size_t i = 1; i < document.plainIds.size(); ++i) {
    const ByteSpan& span = document.plainSpans[i];
    EXPECT_EQ(span.begin, document.plainSpans[i - 1].end);
    const std::string piece = tokenizer->bytes(document.plainIds[i]);
    EXPECT_EQ(span.end - span.begin, static_cast<std::int64_t>(piece.size()));
  }
  EXPECT_EQ(document.plainSpans.back().end,
            static_cast<std::int64_t>(document.document.text.size()));
}

}  // namespace
}  // namespace ropescope::ui
