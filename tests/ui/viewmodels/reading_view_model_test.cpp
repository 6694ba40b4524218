// What an answer read and what reads a passage: the core's numbers for the session on screen.
#include "ui/viewmodels/reading_view_model.h"

#include <QAbstractItemModelTester>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"

namespace ropescope::ui {
namespace {

struct LiveReading : LiveApp {
  DocumentViewModel document{app};
  HeadChoice heads;
  ReadingViewModel reading{{app, chat, document, runner, heads}};
  QAbstractItemModelTester tester{&reading.passages()};

  void ask(int sentences = 60) {
    load();
    heads.setModelShape(app.engine()->config().layers, app.engine()->config().heads);
    open(sentences);
    app.setAnswerTokens(12);
    chat.ask("Who is Lily?");
    idle();
    ASSERT_EQ(lastTurn().state, ChatTurn::State::Finished) << qPrintable(lastTurn().problem);
    ASSERT_FALSE(lastTurn().result.ids.empty());
  }

  void settle() {
    ASSERT_TRUE(waitUntil([this] { return !reading.isLoading(); }));
  }

  // The same from the session itself.
  SpanAttention measured(const TokenRange& span, const HeadSet& set, bool from) {
    Result<SpanAttention> result = Error{};
    runner.requestView<SpanAttention>(
        "test", &app,
        [=](EngineRoom& room, const JobControl& job) {
          const Session& session = *room.session;
          return from ? attentionFrom(session, {span, set}, job)
                      : attentionTo(session, {span, set}, job);
        },
        [&](const Result<SpanAttention>& found) { result = found; });
    EXPECT_TRUE(waitUntil([&] { return bool(result); }));
    return *result;
  }
};

TEST(ReadingViewModel, AWholeAnswerReadsWhatTheTokensBeforeItRead) {
  LiveReading live;
  live.ask();
  EXPECT_FALSE(live.reading.message().isEmpty());  // an invitation
  live.reading.selectAnswer(live.lastTurn().id, {});
  live.settle();
  ASSERT_TRUE(live.reading.reading()) << qPrintable(live.reading.message());
  const Reading& reading = *live.reading.reading();
  const auto written = static_cast<std::int64_t>(live.lastTurn().result.ids.size());
  const std::int64_t prompt = live.lastTurn().result.prefill.promptTokens;
  EXPECT_EQ(reading.selection.tokens, (TokenRange{0, written}));
  EXPECT_EQ(reading.answer, (TokenRange{prompt, prompt + written}));
  EXPECT_EQ(reading.document.end, live.app.document()->tokens());
  const auto again =
      live.measured({prompt - 1, prompt - 1 + written}, HeadSet::meanOfAll(5, 8), true);
  EXPECT_EQ(reading.attention.weights, again.weights);
  EXPECT_TRUE(live.reading.detail().contains("mean of all 40 heads"))
      << qPrintable(live.reading.detail());

  // Shares are of the document without its first tokens; the strongest sentence stands first.
  const auto& rows = live.reading.passages().rows();
  ASSERT_FALSE(rows.empty());
  for (std::size_t i = 1; i < rows.size(); ++i) EXPECT_LE(rows[i].value, rows[i - 1].value);
  const auto values = live.reading.documentValues();
  double document = 0.0;
  for (const double value : values) document += std::isnan(value) ? 0.0 : value;
  const PassageRow& first = rows.front();
  double sum = 0.0;
  for (std::int64_t i = std::max(first.tokens.begin, ReadingViewModel::kFirstTokens);
       i < first.tokens.end; ++i) {
    sum += values[static_cast<std::size_t>(i)];
  }
  EXPECT_DOUBLE_EQ(first.value, sum / document);
  EXPECT_EQ(live.reading.table().columns[2].numbers[100], again.weights[100]);
}

TEST(ReadingViewModel, APartOfAnAnswerIsItsTokens) {
  LiveReading live;
  live.ask();
  const auto offsets = answerOffsets(live.lastTurn());
  ASSERT_EQ(offsets.size(), live.lastTurn().result.ids.size() + 1);
  EXPECT_EQ(offsets.back(), live.lastTurn().answer.trimmed().size());
  live.reading.selectAnswer(live.lastTurn().id, {offsets[2], offsets[4]});
  live.settle();
  ASSERT_TRUE(live.reading.reading());
  EXPECT_EQ(live.reading.reading()->selection.tokens, (TokenRange{2, 4}));
  ASSERT_TRUE(live.reading.answerShades());  // the part is marked in the answer
  EXPECT_FALSE(std::isnan(live.reading.answerShades()->levels[2]));
  EXPECT_TRUE(std::isnan(live.reading.answerShades()->levels[5]));
}

TEST(ReadingViewModel, APassageIsReadByLaterSentencesAndTheAnswer) {
  LiveReading live;
  live.ask();
  const auto& offsets = live.document.offsets();
  live.reading.selectDocument({offsets[50], offsets[62]});
  live.settle();
  ASSERT_TRUE(live.reading.reading());
  const Reading& reading = *live.reading.reading();
  EXPECT_EQ(reading.selection.kind, ReadingSelection::Kind::Document);
  EXPECT_EQ(reading.selection.tokens, (TokenRange{50, 62}));
  const auto again = live.measured({50, 62}, HeadSet::meanOfAll(5, 8), false);
  EXPECT_EQ(reading.attention.weights, again.weights);
  for (const PassageRow& row : live.reading.passages().rows()) EXPECT_GE(row.tokens.end, 62);
  // Answer tokens are coloured by what their writers read.
  ASSERT_TRUE(live.reading.answerShades());
  const auto begin = again.weights.begin() + reading.answer.begin - 1;
  const auto wanted = amountLevels({begin, begin + reading.answer.size()});
  const auto& levels = live.reading.answerShades()->levels;
  ASSERT_EQ(levels.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(std::isnan(levels[i]), std::isnan(wanted[i])) << "token " << i;
    if (!std::isnan(wanted[i])) {
      EXPECT_EQ(levels[i], wanted[i]) << "token " << i;
    }
  }
  EXPECT_EQ(live.reading.shadedTurn(), live.lastTurn().id);
}

TEST(ReadingViewModel, ReadByWorksBeforeAnyQuestion) {
  LiveReading live;
  live.load();
  live.heads.setModelShape(5, 8);
  live.open(20);
  const auto& offsets = live.document.offsets();
  live.reading.selectDocument({offsets[5], offsets[9]});
  live.settle();
  EXPECT_FALSE(live.reading.reading());
  EXPECT_TRUE(live.reading.message().contains("not been read"))
      << qPrintable(live.reading.message());
  live.app.readDocument();
  live.idle();
  live.reading.selectDocument({offsets[5], offsets[9]});
  live.settle();
  ASSERT_TRUE(live.reading.reading()) << qPrintable(live.reading.message());
  EXPECT_FALSE(live.reading.answerShades());
}

TEST(ReadingViewModel, AnOldAnswerIsRefusedWithTheCure) {
  LiveReading live;
  live.ask();
  const quint64 old = live.lastTurn().id;
  live.chat.ask("What did the little girl do all day?");
  live.idle();
  live.reading.selectAnswer(old, {});
  live.settle();
  EXPECT_FALSE(live.reading.reading());
  EXPECT_TRUE(live.reading.message().contains("ask the question again"))
      << qPrintable(live.reading.message());
  EXPECT_EQ(live.reading.passages().rowCount(), 0);
}

TEST(ReadingViewModel, AnotherMethodTakesTheColoursAway) {
  LiveReading live;
  live.ask();
  live.reading.selectAnswer(live.lastTurn().id, {});
  live.settle();
  ASSERT_TRUE(live.reading.documentShades());
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "pi", .values = {}, .factor = 2.0};
  live.app.applyMethod(settings);
  EXPECT_FALSE(live.reading.documentShades());
  EXPECT_FALSE(live.reading.reading());
  live.reading.selectAnswer(live.lastTurn().id, {});
  EXPECT_TRUE(live.reading.message().contains("Ask the question again"))
      << qPrintable(live.reading.message());
}

TEST(ReadingViewModel, RetrievalHeadsAreUsedAsSoonAsTheyAreKnown) {
  LiveReading live;
  live.ask();
  live.reading.selectAnswer(live.lastTurn().id, {});
  live.settle();
  auto ranking = std::make_shared<RetrievalRanking>();
  ranking->heads = {{.head = {4, 1}, .score = 0.8}, {.head = {2, 3}, .score = 0.2}};
  live.heads.setRanking(ranking);
  live.settle();
  ASSERT_TRUE(live.reading.reading());
  EXPECT_EQ(live.reading.reading()->attention.heads, HeadSet::best(ranking->heads, 4));
  EXPECT_TRUE(live.reading.detail().contains("retrieval heads"));
  live.reading.setHeadsKind(HeadSetKind::Mean);
  live.settle();
  EXPECT_EQ(live.reading.reading()->attention.heads.heads().size(), 40U);
  live.heads.setHead({3, 2});
  live.reading.setHeadsKind(HeadSetKind::One);
  live.settle();
  EXPECT_EQ(live.reading.reading()->attention.heads, HeadSet::one({3, 2}));
}

}  // namespace
}  // namespace ropescope::ui
