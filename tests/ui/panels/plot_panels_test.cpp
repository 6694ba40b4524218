// Map and angle panels on a real engine: what they show is what the core says.
#include <QTemporaryDir>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "tests/ui/same_values.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/attention_panel.h"
#include "ui/viewmodels/token_piece.h"

namespace ropescope::ui {
namespace {

struct LiveMap : LiveApp {
  AttentionPanel panel{app, runner};
  LiveMap() {
    panel.resize(640, 480);
    panel.show();
    load();
  }
};

QString pieceOf(const LiveApp& live, std::int32_t id) {
  const auto tokenizer = live.app.engine()->tokenizer();
  const QString piece = QString::fromStdString((*tokenizer)->piece(id));
  return piece == QStringLiteral("<0x0A>") ? QStringLiteral("↵")
                                           : QString(piece).replace(u'▁', u'␣');
}

AttentionMap drawn(LiveApp& live, const MapRequest& request) {
  Result<AttentionMap> asked = Error{};
  live.runner.requestView<AttentionMap>(
      "test", &live.app,
      [request](EngineRoom& room, const JobControl& job) {
        return room.session->attentionMap(request, job);
      },
      [&](const Result<AttentionMap>& map) { asked = map; });
  EXPECT_TRUE(waitUntil([&] { return bool(asked); }));
  return *asked;
}

TEST(AttentionPanel, GrowsWithTheReadingAndShowsTheSessionsOwnNumbers) {
  LiveMap live;
  AttentionPanel& panel = live.panel;
  live.open(30);
  EXPECT_EQ(panel.model().tile(), nullptr);
  live.app.readDocument();
  live.idle();
  const std::int64_t tokens = live.app.document()->tokens();
  ASSERT_TRUE(waitUntil([&] {
    const auto tile = panel.model().tile();
    return tile && tile->request.queries.end == tokens;
  })) << panel.model().message().toStdString();

  const AttentionMap shown = *panel.model().tile();
  const AttentionMap asked = drawn(live, shown.request);
  expectSame(shown.values, asked.values);
}

// The second question is longer than the first with its answer: the session never looks shorter.
TEST(AttentionPanel, ALongerSecondQuestionTakesThePlaceOfTheFirstInEveryPicture) {
  LiveMap live;
  AttentionPanel& panel = live.panel;
  live.open(20);
  live.app.setAnswerTokens(4);
  live.chat.ask("Who?");
  live.idle();
  const std::int64_t first = live.app.position();
  const std::int64_t document = live.app.document()->tokens();
  const auto place = [](std::int64_t token) { return static_cast<double>(token); };
  panel.model().setView({{place(document - 8), place(first)}, {place(document - 2), place(first)}});
  ASSERT_TRUE(waitUntil([&] {
    const auto tile = panel.model().tile();
    return tile && tile->request.queries == TokenRange{document - 2, first};
  }));
  const AttentionMap before = *panel.model().tile();
  const Answer& answer = live.lastTurn().result;
  EXPECT_EQ(tokenPiece(live.app, answer.prefill.promptTokens), pieceOf(live, answer.ids.front()));
  live.chat.ask("What did the little girl see in the big green park with her good friend?");
  live.idle();
  ASSERT_GT(live.app.position(), first);
  ASSERT_TRUE(waitUntil([&] {
    const auto tile = panel.model().tile();
    return tile && tile->values != before.values && !panel.model().isLoading();
  })) << "still the picture of the first question";
  const AttentionMap shown = *panel.model().tile();
  EXPECT_EQ(shown.request, before.request);
  const auto asked = drawn(live, shown.request);
  expectSame(shown.values, asked.values);
}

TEST(AttentionPanel, NamesTheTokensThatTheSessionHolds) {
  LiveApp live;
  AttentionPanel panel(live.app, live.runner);
  panel.show();
  live.load();
  live.open(20);
  live.app.setAnswerTokens(4);
  live.chat.askCut("Who was she?", 100);
  live.idle();
  const ChatTurn& turn = live.lastTurn();
  ASSERT_EQ(turn.state, ChatTurn::State::Finished) << qPrintable(turn.problem);
  // The document's first part, then the question: not what stands there in the whole document.
  const auto& ids = live.app.document()->part.ids;
  EXPECT_EQ(tokenPiece(live.app, 99), pieceOf(live, ids[99]));
  EXPECT_EQ(tokenPiece(live.app, turn.partTokens), pieceOf(live, turn.questionIds.front()));
  EXPECT_LE(live.app.documentTokensHeld(), turn.partTokens);
  EXPECT_LT(live.app.documentTokensHeld(), live.app.document()->tokens());
  panel.model().setGranularity(Granularity::Sentence);
  ASSERT_TRUE(waitUntil([&] { return panel.model().tile() && !panel.model().isLoading(); }));
  const auto borders = panel.model().tile()->request.queryBorders;
  ASSERT_TRUE(borders);
  EXPECT_LE((*borders)[borders->size() - 2], live.app.documentTokensHeld());
  EXPECT_EQ(borders->back(), live.app.position());
}

// A tile of a growing map comes a few times a second; between them nothing is asked for.
TEST(AttentionPanel, IsSettledOnlyWithTheLastTokenRead) {
  LiveMap live;
  AttentionPanel& panel = live.panel;
  live.open(300);
  live.app.readDocument();
  EXPECT_FALSE(panel.isSettled());
  ASSERT_TRUE(waitUntil([&] { return panel.isSettled(); }));
  ASSERT_NE(panel.model().tile(), nullptr);
  EXPECT_EQ(panel.model().tile()->request.queries.end, live.app.document()->tokens());
}

TEST(AnglePanel, ItsExampleLaysTheOtherMethodsOver) {
  LiveApp live;
  AnglePanel panel(live.app);
  live.load();
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 4.0};
  settings.contextTokens = 2048;
  live.app.applyMethod(settings);
  live.idle();
  EXPECT_TRUE(panel.model().others().empty());
  panel.showExample();
  EXPECT_FALSE(panel.model().others().empty());
}

TEST(AttentionPanel, ANewPlanClearsTheMap) {
  LiveMap live;
  AttentionPanel& panel = live.panel;
  live.open(10);
  live.app.readDocument();
  live.idle();
  ASSERT_TRUE(waitUntil([&] { return panel.model().tile() != nullptr; }));
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 2.0};
  live.app.applyMethod(settings);
  EXPECT_EQ(panel.model().tile(), nullptr);
}

TEST(AnglePanel, ShowsThePlanOfTheNextSession) {
  LiveApp live;
  AnglePanel panel(live.app);
  live.load();
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "yarn", .values = {}, .factor = 4.0};
  settings.contextTokens = 2048;
  live.app.applyMethod(settings);
  live.idle();
  panel.model().setPosition(1000);
  const auto table = angleTable(*live.app.plan(), 1000);
  ASSERT_EQ(panel.model().current().rows.size(), table.size());
  for (std::size_t pair = 0; pair < table.size(); ++pair) {
    EXPECT_EQ(panel.model().current().rows[pair].angle, table[pair].angle);
    EXPECT_EQ(panel.model().current().rows[pair].invFreq, table[pair].invFreq);
  }
}

TEST(PlotPanel, TableAndFileHoldThePlotsNumbers) {
  LiveApp live;
  AnglePanel panel(live.app);
  live.load();
  panel.showTable(true);
  EXPECT_EQ(panel.tableView()->tableModel()->rowCount(), panel.table().rows());
  const QTemporaryDir folder;
  const QString path = folder.filePath("angles.csv");
  ASSERT_TRUE(panel.exportTo(path));
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  EXPECT_EQ(QString::fromUtf8(file.readAll()), toCsv(panel.table()));
}

}  // namespace
}  // namespace ropescope::ui
