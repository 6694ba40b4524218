// Needle grids in the window: the command line's cells for the same settings, kept over a stop, and
// the prompt of a cell opened as it was asked, and left again.
#include "ui/worker/needle_job.h"

#include <QAbstractItemModelTester>
#include <QDockWidget>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <algorithm>
#include <cctype>

#include <gtest/gtest.h>

#include "core/eval/passkey_prompt.h"
#include "core/eval/proportion.h"
#include "core/eval/result_log.h"
#include "tests/ui/cli_call.h"
#include "tests/ui/live_app.h"
#include "ui/main_window.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/needle_panel.h"
#include "ui/plots/needle_plot.h"
#include "ui/viewmodels/loss_view_model.h"
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

// The panel over the same order, measured when it is asked to.
struct NeedleDock : LiveNeedles {
  std::unique_ptr<NeedlePanel> panel;

  void make() {
    panel = std::make_unique<NeedlePanel>(
        app, chat, runner,
        NeedleFolders{.results = folder.filePath("needles").toStdString(), .resources = {}});
    NeedleViewModel& model = panel->model();
    model.editPlan(order().plan);
    model.editLengths("300, 500");
    model.editDepths("25, 100");
    model.curves().editText("none;yarn:factor=4");
    panel->resize(430, 620);
    panel->show();
    idle();
  }
  void show() {
    loadBookworm();
    make();
  }
  bool isIdle() const { return panel->model().state() == NeedleViewModel::State::Idle; }
  void fill() {
    panel->model().start();
    ASSERT_TRUE(waitUntil([this] { return isIdle(); }));
    ASSERT_FALSE(panel->model().hasFailed()) << qPrintable(panel->model().statusText());
    ASSERT_EQ(panel->model().grids()[1]->measuredCells(), 4);
  }
  void click(const NeedlePlot::Place& place) {
    QCustomPlot* plot = panel->plot();
    plot->replot(QCustomPlot::rpImmediateRefresh);  // lays it out
    const std::size_t before = chat.turns().size();
    QTest::mouseClick(plot, Qt::LeftButton, Qt::NoModifier,
                      panel->needlePlot().centreOf(place).toPoint());
    ASSERT_TRUE(waitUntil([&] { return chat.turns().size() > before || !errors.empty(); }));
    idle();
    ASSERT_EQ(lastTurn().state, ChatTurn::State::Finished) << qPrintable(lastTurn().problem);
  }
  QPushButton* back() const { return panel->findChild<QPushButton*>("needleBack"); }
};

constexpr NeedlePlot::Place kYarnAtTheEnd{.grid = 1, .row = 1, .column = 1};  // 500 tokens, 100 %

TEST(NeedlePanel, AClickOnACellAsksItsPromptAndShowsWhereTheKeyIsRead) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  ASSERT_NO_FATAL_FAILURE(live.fill());
  const RetrievalCell cell = *live.panel->model().grids()[1]->cell(1, 1);
  const auto missed =
      std::find_if(cell.answers.begin(), cell.answers.end(),
                   [](const RetrievalAnswer& each) { return !each.judgement.found; });
  const RetrievalAnswer& wanted = missed == cell.answers.end() ? cell.answers.front() : *missed;
  const QSignalSpy read(live.panel.get(), &NeedlePanel::needleRead);
  ASSERT_NO_FATAL_FAILURE(live.click(kYarnAtTheEnd));

  const ChatTurn& turn = live.lastTurn();
  EXPECT_EQ(turn.question, "What is the pass key?");
  EXPECT_TRUE(turn.note.contains(QString::fromStdString(wanted.expected)));
  EXPECT_EQ(turn.answer.trimmed(), QString::fromStdString(wanted.answer).trimmed())
      << "the cell's own answer";
  EXPECT_EQ(live.app.method().rope.id, "yarn");
  const auto tokenizer = *live.app.engine()->tokenizer();
  EXPECT_EQ(tokenizer->continuation({}, turn.questionIds).find(wanted.expected), std::string::npos)
      << "the model reads the key in the document alone";

  ASSERT_EQ(read.count(), 1);
  const qint64 query = read.front().at(0).toLongLong();
  const qint64 key = read.front().at(1).toLongLong();
  EXPECT_EQ(query, cell.length - 1) << "the prompt's last token";
  const PromptPart& part = live.app.document()->part;
  const auto digits = static_cast<std::int64_t>(part.text.find(wanted.expected));
  EXPECT_LE(part.spans[static_cast<std::size_t>(key)].begin, digits);
  EXPECT_GT(part.spans[static_cast<std::size_t>(key)].end, digits);
}

TEST(NeedlePanel, TheLossViewScoresAnOpenedPrompt) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  LossViewModel loss(live.app, live.runner);
  ASSERT_NO_FATAL_FAILURE(live.fill());
  ASSERT_NO_FATAL_FAILURE(live.click(kYarnAtTheEnd));
  loss.start();
  live.idle();
  const auto tokens = static_cast<std::int64_t>(live.app.document()->plainIds.size());
  const bool bos = (*live.app.engine()->tokenizer())->addsBos();
  EXPECT_EQ(loss.scored(), bos ? tokens : tokens - 1) << qPrintable(loss.statusText());
  ASSERT_TRUE(loss.shades());
  EXPECT_EQ(loss.shades()->offsets.size(), loss.losses().size() + 1);
  const QString text = QString::fromStdString(live.app.document()->document.text);
  EXPECT_EQ(loss.shades()->offsets.back(), text.size());
  EXPECT_FALSE(loss.worst().rows().empty());
}

TEST(NeedlePanel, GoesBackToWhatWasBeforeTheFirstCell) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  const auto document = live.app.document();
  const MethodSettings method = live.app.method();
  live.app.setAnswerTokens(77);
  EXPECT_FALSE(live.back()->isVisible());
  ASSERT_NO_FATAL_FAILURE(live.click(kYarnAtTheEnd));
  ASSERT_NO_FATAL_FAILURE(live.click({.grid = 0, .row = 0, .column = 0}));
  ASSERT_NE(live.app.document(), document);
  EXPECT_NE(live.app.answerTokens(), 77);
  EXPECT_TRUE(live.back()->isVisible());
  live.back()->click();
  live.idle();
  EXPECT_EQ(live.app.document(), document);
  EXPECT_TRUE(live.app.method() == method);
  EXPECT_EQ(live.app.plannedContext(), live.app.automaticContext());
  EXPECT_EQ(live.app.answerTokens(), 77);
  EXPECT_FALSE(live.back()->isVisible());
  EXPECT_TRUE(live.app.refusal(20).isEmpty()) << qPrintable(live.app.refusal(20));
}

// What a cell fixed must not refuse a longer text.
TEST(NeedlePanel, AnotherDocumentIsNotHeldToTheCellsContext) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  live.app.setAnswerTokens(77);
  ASSERT_NO_FATAL_FAILURE(live.click(kYarnAtTheEnd));
  ASSERT_GT(live.app.method().contextTokens, 0);
  live.app.openDocument(live.write(200));
  live.idle();
  ASSERT_TRUE(waitUntil([&] { return live.app.method().contextTokens == 0; }));
  EXPECT_EQ(live.app.answerTokens(), 77);
  EXPECT_EQ(live.app.method().rope.id, "yarn") << "the method stays, as for any other document";
  EXPECT_GT(live.app.document()->tokens(), 500);
  EXPECT_TRUE(live.app.refusal(20).isEmpty()) << qPrintable(live.app.refusal(20));
  EXPECT_FALSE(live.back()->isVisible());
}

// Another model reads the text before, not the prompt as if it were a file.
TEST(NeedlePanel, AnotherModelReadsTheDocumentThatWasOpenBefore) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  live.app.setAnswerTokens(77);
  const auto path = live.app.document()->document.path;
  ASSERT_NO_FATAL_FAILURE(live.click(kYarnAtTheEnd));
  ASSERT_NE(live.app.document()->document.path, path);
  live.load();
  ASSERT_TRUE(waitUntil([&] { return live.app.answerTokens() == 77; }));
  ASSERT_TRUE(live.app.document());
  EXPECT_EQ(live.app.document()->document.path, path);
  EXPECT_EQ(live.app.method().contextTokens, 0);
  EXPECT_FALSE(live.back()->isVisible());
}

TEST(NeedlePanel, ItsTableHoldsTheCells) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  ASSERT_NO_FATAL_FAILURE(live.measure());  // the job alone
  ASSERT_NO_FATAL_FAILURE(live.fill());     // finds them on the disk
  const PlotTable table = live.panel->table();
  ASSERT_EQ(table.columns.size(), 8U);
  ASSERT_EQ(table.columns[1].numbers.size(), live.cells.size());
  for (std::size_t row = 0; row < live.cells.size(); ++row) {
    const auto it = std::find_if(live.cells.begin(), live.cells.end(), [&](const NeedleCell& each) {
      return each.cell.method == table.columns[0].texts[static_cast<int>(row)].toStdString() &&
             static_cast<double>(each.cell.length) == table.columns[1].numbers[row] &&
             each.cell.depth == table.columns[2].numbers[row];
    });
    ASSERT_NE(it, live.cells.end()) << "row " << row;
    const RetrievalCell& cell = it->cell;
    EXPECT_EQ(table.columns[3].numbers[row], static_cast<double>(cell.found()));
    EXPECT_EQ(table.columns[4].numbers[row], static_cast<double>(cell.contained()));
    EXPECT_EQ(table.columns[5].numbers[row], 2.0) << "trials";
    const ShareInterval interval = wilsonInterval(cell.found(), cell.trials());
    EXPECT_EQ(table.columns[6].numbers[row], interval.low);
    EXPECT_EQ(table.columns[7].numbers[row], interval.high);
  }
}

TEST(NeedlePanel, StopsAndMayBeClosedWhileTheGridFills) {
  NeedleDock live;
  ASSERT_NO_FATAL_FAILURE(live.show());
  const auto measured = [&] {
    const auto& grids = live.panel->model().grids();
    return grids[0]->measuredCells() + grids[1]->measuredCells();
  };
  live.panel->model().start();
  ASSERT_TRUE(waitUntil([&] { return measured() > 0 || live.isIdle(); }));
  live.panel->model().stop();
  ASSERT_TRUE(waitUntil([&] { return live.isIdle(); }));
  EXPECT_FALSE(live.panel->model().hasFailed()) << qPrintable(live.panel->model().statusText());
  live.idle();
  const int kept = measured();
  EXPECT_GT(kept, 0);
  live.make();  // another panel over the same folder
  EXPECT_TRUE(waitUntil([&] { return measured() >= kept; }));
  live.panel->model().start();
  live.panel.reset();
  live.idle();  // the job ends without anyone to tell
}

TEST(NeedlePanel, TheWholeWindowPointsAtTheKeyAndMayBeClosedWhileTheGridFills) {
  NeedleDock live;
  Theme theme;
  const SettingsStore store(live.folder.filePath("settings.ini"));
  auto window =
      std::make_unique<MainWindow>(WindowParts{live.runner,
                                               live.app,
                                               live.chat,
                                               theme,
                                               store,
                                               {},
                                               {},
                                               live.folder.filePath("needles").toStdString()});
  window->dontRemember();
  window->show();
  ASSERT_NO_FATAL_FAILURE(live.loadBookworm());
  auto* panel = window->findChild<NeedlePanel*>();
  ASSERT_NE(panel, nullptr);
  NeedleViewModel& model = panel->model();
  model.editPlan(live.order().plan);
  model.editLengths("300, 500");
  model.editDepths("25, 100");
  model.curves().editText("none;yarn:factor=4");
  for (QDockWidget* dock : window->docks()) dock->hide();
  const QSignalSpy read(panel, &NeedlePanel::needleRead);
  panel->openCell(1, 1, 1);  // not measured: its first trial
  ASSERT_TRUE(waitUntil([&] { return read.count() > 0 || !live.errors.empty(); }));
  live.idle();
  ASSERT_EQ(read.count(), 1) << qPrintable(live.errors.join("; "));
  const qint64 query = read.front().at(0).toLongLong();
  const qint64 key = read.front().at(1).toLongLong();
  EXPECT_TRUE(window->attention().isVisible()) << "the map is in front";
  EXPECT_EQ(window->tokens().query(), query);
  EXPECT_EQ(window->tokens().key(), key);
  EXPECT_TRUE(window->attention().weights().isPinned());
  EXPECT_EQ(window->attention().weights().query(), query);
  EXPECT_EQ(window->attention().weights().key(), key);
  model.start();
  ASSERT_TRUE(waitUntil([&] { return model.grids()[0]->measuredCells() > 0; }));
  window->close();
  window.reset();
  live.idle();
}

// At the width of its dock a headline says all, its end too.
TEST(NeedlePlot, HeadlinesWrapAtANarrowWidth) {
  const QTemporaryDir folder;
  NeedleViewModel model(folder.filePath("needles").toStdString(), {});
  model.setWork({.start = {},
                 .stop = {},
                 .load = [](const NeedleOrder& order,
                            const std::function<void(const std::vector<NeedleCell>&)>& deliver) {
                   RetrievalCell missed{.method = order.methods.front(),
                                        .length = 512,
                                        .depth = 0.5,
                                        .answers = {{.expected = "48213", .answer = "?"}}};
                   deliver({{.index = 0, .cell = missed}});
                 }});
  model.editLengths("512");
  model.editDepths("50");
  model.curves().editText("pi:factor=4");
  model.setModel({.trainedLength = 1024, .hash = "0", .ownFormat = false});
  ASSERT_TRUE(model.headline(0).endsWith("below the shortest length"))
      << qPrintable(model.headline(0));
  NeedlePlot plot(model);
  plot.resize(300, 300);
  plot.show();
  plot.plot()->replot(QCustomPlot::rpImmediateRefresh);
  int headlines = 0;
  for (QCPLayoutElement* element : plot.plot()->plotLayout()->elements(true)) {
    const auto* text = qobject_cast<QCPTextElement*>(element);
    if (text == nullptr || text->text() != model.headline(0)) continue;
    ++headlines;
    const QRect needed = QFontMetrics(text->font())
                             .boundingRect(QRect(0, 0, text->rect().width(), 10'000),
                                           text->textFlags(), text->text());
    EXPECT_LE(needed.width(), text->rect().width());
    EXPECT_LE(needed.height(), text->rect().height() + 1);
  }
  EXPECT_EQ(headlines, 1);
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
