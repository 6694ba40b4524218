// One question under four settings: each pane is what its settings answer alone.
#include "ui/viewmodels/compare_model.h"

#include <QAbstractItemModelTester>
#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/ui/live_app.h"
#include "ui/panels/compare_panel.h"

namespace ropescope::ui {
namespace {

constexpr int kPi = 0;
constexpr int kYarn = 1;
constexpr int kLongRope = 2;
constexpr int kPsc = 3;

struct CompareApp : LiveApp {
  CompareModel compare{app, chat, runner};
  QAbstractItemModelTester tester{&compare, QAbstractItemModelTester::FailureReportingMode::QtTest};

  void start(int sentences = 80, int answer = 12) {
    load();
    open(sentences);
    app.setAnswerTokens(answer);
    MethodSettings none;
    app.setSlot(kLongRope, none);  // plain RoPE works for every model
  }
  void answer(const QString& question = "Who?") {
    compare.ask(question);
    idle();
  }
  QString problem(int pane) const {
    return compare.index(pane).data(CompareModel::ProblemRole).toString();
  }
  // The same settings alone, as ropescope-cli ask does it.
  Generation alone(int pane, const QString& question = "Who?") const {
    const Engine& engine = *app.engine();
    auto session = engine.newSession(
        {.rope = app.slot(pane).settings().rope, .contextTokens = app.automaticContext()});
    const auto part =
        questionPart(engine.promptFormat(), **engine.tokenizer(), question.toStdString());
    EXPECT_TRUE((*session)->prefill({app.document()->part.ids, part->ids}, {}));
    const auto generation = (*session)->generate({.maxNewTokens = app.answerTokens()}, {}, {});
    EXPECT_TRUE(generation);
    return *generation;
  }
  void expectAlone(int pane) const {
    const Generation wanted = alone(pane);
    const Answer& answer = compare.progress(pane).answer;
    ASSERT_EQ(answer.tokens.size(), wanted.tokens.size());
    for (std::size_t i = 0; i < wanted.tokens.size(); ++i) {
      EXPECT_EQ(answer.tokens[i].id, wanted.tokens[i].id);
      EXPECT_EQ(answer.tokens[i].logProbability, wanted.tokens[i].logProbability);
    }
  }
  void setFreeBytes(std::int64_t bytes) {
    runner.startLong<Done>(
        &app, Lane::Housekeeping, SameLane::Queue,
        [bytes](EngineRoom& room, const JobControl&) -> Status {
          room.freeBytes = [bytes] { return bytes; };
          return Done{};
        },
        [](const Status&) {});
  }
};

TEST(CompareModel, EveryPaneSaysWhatItsSettingsAnswerAlone) {
  CompareApp live;
  live.start();
  live.answer();
  EXPECT_TRUE(live.compare.statusText().contains("together"));
  for (const int pane : {kPi, kYarn, kLongRope}) {
    EXPECT_TRUE(live.problem(pane).isEmpty()) << qPrintable(live.problem(pane));
    live.expectAlone(pane);
    EXPECT_GT(live.compare.progress(pane).cacheBytes, 0);
    EXPECT_GT(live.compare.progress(pane).answer.prefillSeconds, 0.0);
  }
  EXPECT_TRUE(live.problem(kPsc).contains("calibration"));
  EXPECT_FALSE(live.compare.hasAnswer(kPsc));
}

TEST(CompareModel, AnswersInTurnWhenMemoryIsShortAndSaysSo) {
  CompareApp live;
  live.start();
  live.setFreeBytes(0);
  live.answer();
  EXPECT_TRUE(live.compare.statusText().contains("In turn"));
  for (const int pane : {kPi, kYarn, kLongRope}) live.expectAlone(pane);
}

TEST(CompareModel, TheNextQuestionAndTheFlipReadNothingAgain) {
  CompareApp live;
  live.start();
  live.answer();
  live.answer("Where was Lily?");
  const std::int64_t document = live.app.document()->tokens();
  for (const int pane : {kPi, kYarn, kLongRope}) {
    EXPECT_EQ(live.compare.progress(pane).answer.prefill.reusedTokens, document);
  }
  live.app.activateSlot(kYarn);
  EXPECT_GE(live.app.position(), document);
}

TEST(CompareModel, StopsWhileReadingAndWhileWriting) {
  CompareApp live;
  live.start(600, 200);
  live.compare.ask("Who?");
  ASSERT_TRUE(waitUntil([&] { return live.compare.progress(kPi).tokens != nullptr; }));
  live.compare.stop();
  live.idle();
  EXPECT_FALSE(live.compare.isBusy());
  EXPECT_TRUE(live.problem(kPi).contains("Stopped"));
  live.compare.ask("Who?");
  ASSERT_TRUE(waitUntil([&] { return live.compare.hasAnswer(kPi) || !live.compare.isBusy(); }));
  live.compare.stop();
  live.idle();
  EXPECT_TRUE(live.problem(kPi).isEmpty()) << qPrintable(live.problem(kPi));
  EXPECT_EQ(live.compare.progress(kPi).answer.finishReason, FinishReason::Stopped);
}

TEST(CompareModel, AnotherDocumentWhileBusyClearsThePanes) {
  CompareApp live;
  live.start(600);
  live.compare.ask("Who?");
  live.app.openDocument(live.write(20, "other.txt"));
  live.idle();
  EXPECT_FALSE(live.compare.isBusy());
  for (int pane = 0; pane < CompareModel::kPanes; ++pane) {
    EXPECT_FALSE(live.compare.hasAnswer(pane));
  }
}

TEST(CompareModel, TextOfTheTokensIsTheAnswerAndTheTableHoldsItsNumbers) {
  CompareApp live;
  live.start();
  live.answer();
  for (const int pane : {kPi, kYarn}) {
    QString text;
    double sum = 0.0;
    for (const ComparedToken& token : live.compare.tokens(pane)) {
      text += token.text;
      sum += token.logProbability;
    }
    EXPECT_EQ(text.toStdString(), live.compare.progress(pane).answer.text);
    const auto count = static_cast<double>(live.compare.tokens(pane).size());
    EXPECT_DOUBLE_EQ(*live.compare.meanLogProbability(pane), sum / count);
    const PlotTable table = live.compare.table();
    EXPECT_EQ(table.columns[4].numbers[static_cast<std::size_t>(pane)], sum / count);
  }
  const auto json = nlohmann::json::parse(live.compare.json());
  EXPECT_EQ(json["answers"].size(), 4U);
  EXPECT_EQ(json["answers"][kYarn]["token_ids"].get<std::vector<std::int32_t>>(),
            live.compare.progress(kYarn).answer.ids);
  EXPECT_TRUE(QString::fromStdString(live.compare.markdown()).contains("Who?"));
}

// A row per token and pane, with what the same settings say alone, as ropescope-cli ask does it.
TEST(CompareModel, TheTokenTableHoldsEveryLogProbability) {
  CompareApp live;
  live.start();
  live.answer();
  const PlotTable table = live.compare.tokenTable();
  ASSERT_EQ(table.columns.size(), 7U);
  EXPECT_EQ(table.columns[5].title, QStringLiteral("log-probability [nats]"));
  std::size_t row = 0;
  for (const int pane : {kPi, kYarn, kLongRope}) {  // PSC has no answer here
    const Generation alone = live.alone(pane);
    for (std::size_t i = 0; i < alone.tokens.size(); ++i, ++row) {
      ASSERT_LT(row, table.columns[0].numbers.size());
      EXPECT_EQ(table.columns[0].numbers[row], pane + 1);
      EXPECT_EQ(table.columns[2].numbers[row], static_cast<double>(i + 1));
      EXPECT_EQ(table.columns[4].numbers[row], alone.tokens[i].id);
      EXPECT_EQ(table.columns[5].numbers[row], alone.tokens[i].logProbability);
    }
  }
  EXPECT_EQ(row, table.columns[0].numbers.size()) << "nothing else is in it";
  const QString path = live.folder.filePath("tokens.csv");
  ASSERT_TRUE(live.compare.exportTokens(path.toStdString()));
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  EXPECT_EQ(QString::fromUtf8(file.readAll()), toCsv(table));
  const QString detail = live.compare.index(kPi).data(CompareModel::DetailRole).toString();
  EXPECT_TRUE(detail.contains(QStringLiteral(" nats"))) << qPrintable(detail);
}

TEST(ComparePanel, TheTableShowsAnswersAndTheirTokens) {
  CompareApp live;
  ComparePanel panel(live.app, live.compare);
  live.start();
  panel.showTable(true);  // it follows the answers
  live.answer();
  const auto views = panel.findChildren<PlotTableView*>();
  ASSERT_EQ(views.size(), 2);
  const auto shows = [&](const PlotTable& table) {
    return std::any_of(views.begin(), views.end(), [&](const PlotTableView* view) {
      return toCsv(view->tableModel()->table()) == toCsv(table);
    });
  };
  EXPECT_TRUE(shows(live.compare.table()));
  EXPECT_TRUE(shows(live.compare.tokenTable()));
  EXPECT_GT(live.compare.tokenTable().rows(), 3);
}

TEST(TokenDifference, MarksWhatStandsOutsideOfALongestCommonSubsequence) {
  EXPECT_EQ(tokenDifference({1, 2, 3, 4}, {1, 9, 3, 4, 5}),
            (std::vector<bool>{false, true, false, false, true}));
  EXPECT_EQ(tokenDifference({}, {1}), (std::vector<bool>{true}));
  EXPECT_TRUE(tokenDifference({1}, {}).empty());
  EXPECT_EQ(tokenDifference({7, 8}, {7, 8}), (std::vector<bool>{false, false}));
}

TEST(ComparePanel, TheChooserSetsItsSlotAndTheTextShowsTheAnswer) {
  CompareApp live;
  ComparePanel panel(live.app, live.compare);
  panel.resize(430, 420);
  panel.show();
  live.start();
  auto* method = panel.pane(kPsc)->method();
  const int ntk = method->findData("ntk", MethodListModel::IdRole);
  ASSERT_GE(ntk, 0);
  method->setCurrentIndex(ntk);
  Q_EMIT method->activated(ntk);
  EXPECT_EQ(live.app.slot(kPsc).settings().rope.id, "ntk");
  EXPECT_TRUE(live.app.slot(kPsc).problem.isEmpty()) << qPrintable(live.app.slot(kPsc).problem);
  live.answer();
  EXPECT_EQ(panel.pane(kPi)->text()->toPlainText().trimmed().toStdString(),
            QString::fromStdString(live.compare.progress(kPi).answer.text).trimmed().toStdString());
  live.expectAlone(kPsc);
}

}  // namespace
}  // namespace ropescope::ui
