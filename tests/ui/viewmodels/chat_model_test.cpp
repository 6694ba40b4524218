#include "ui/viewmodels/chat_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <memory>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/file_io.h"
#include "tests/ui/live_app.h"
#include "ui/viewmodels/transcript.h"

namespace ropescope::ui {
namespace {

using State = ChatTurn::State;

TEST(ChatModel, AnswersAndReusesTheDocumentForTheSecondQuestion) {
  LiveApp live;
  const QAbstractItemModelTester tester(&live.chat);
  live.load();
  live.open(30);
  live.app.setAnswerTokens(12);
  live.chat.ask("What was her name?");
  live.idle();
  ASSERT_EQ(live.lastTurn().state, State::Finished) << qPrintable(live.lastTurn().problem);
  EXPECT_FALSE(live.lastTurn().answer.isEmpty());
  EXPECT_EQ(live.lastTurn().answer.toStdString(), live.lastTurn().result.text);
  EXPECT_EQ(live.lastTurn().result.prefill.reusedTokens, 0);

  live.chat.ask("And then?");
  live.idle();
  ASSERT_EQ(live.lastTurn().state, State::Finished);
  EXPECT_EQ(live.lastTurn().result.prefill.reusedTokens, live.app.document()->tokens());
  EXPECT_TRUE(live.chat.index(1).data(ChatModel::DetailRole).toString().contains("reused"));
}

// The cut prompt is what the prompt format makes of a document that ends there.
TEST(ChatModel, ACutDocumentIsClosedLikeAWholeOne) {
  LiveApp live;
  live.load();
  live.open(1);
  const auto shorter = live.app.document()->part.ids;
  live.open(3);
  const auto& longer = live.app.document()->part.ids;
  const auto tokenizer = *live.app.engine()->tokenizer();
  const std::string behind = live.app.engine()->promptFormat().document.substr(
      live.app.engine()->promptFormat().document.find("{text}") + 6);
  ASSERT_FALSE(behind.empty()) << "the format closes a document with something";
  // One sentence ends with ". " there and with "." before a sentence here.
  const auto cut = cutDocument(*live.app.document(), static_cast<std::int64_t>(shorter.size()) - 2);
  EXPECT_EQ(
      std::vector(cut.begin(), cut.end() - 1),
      std::vector(longer.begin(), longer.begin() + static_cast<std::ptrdiff_t>(cut.size()) - 1));
  EXPECT_EQ(cut.back(), longer.back());
  EXPECT_EQ(tokenizer->bytes(cut.back()), behind);
  EXPECT_EQ(cutDocument(*live.app.document(), 1 << 20), longer);
}

TEST(ChatModel, AsksAboutTheBeginningAloneSaysSoAndReusesWhatIsRead) {
  LiveApp live;
  const QAbstractItemModelTester tester(&live.chat);
  live.load();
  live.open(100);  // several chunks
  live.app.setAnswerTokens(6);
  live.chat.ask("Who?");
  live.idle();
  const auto whole = live.app.document()->tokens();
  constexpr std::int64_t kCut = 600;  // beyond one chunk of 512
  ASSERT_GT(whole, kCut + 100);
  live.chat.askCut("Who?", kCut);
  live.idle();
  const ChatTurn& turn = live.lastTurn();
  ASSERT_EQ(turn.state, State::Finished) << qPrintable(turn.problem);
  EXPECT_EQ(turn.cutTokens, kCut);
  EXPECT_EQ(turn.documentTokens, whole);
  EXPECT_EQ(turn.result.prefill.reusedTokens, 512) << "up to the last chunk border";
  EXPECT_LT(turn.result.prefill.promptTokens, whole);
  const QString detail = live.chat.index(1).data(ChatModel::DetailRole).toString();
  EXPECT_TRUE(detail.contains("cut to its first 600 of ")) << qPrintable(detail);
  // A session of its own that never held more gives the same answer.
  LiveApp fresh;
  fresh.load();
  fresh.open(100);
  fresh.app.applyMethod(live.app.method());
  fresh.app.setAnswerTokens(6);
  fresh.chat.askCut("Who?", kCut);
  fresh.idle();
  EXPECT_EQ(fresh.lastTurn().result.ids, turn.result.ids);
  live.chat.askCut("Who?", whole + 5);
  live.idle();
  EXPECT_EQ(live.lastTurn().cutTokens, 0) << "nothing is cut";
}

// What is wanted is shown and kept beside the question; the model never reads it, nor when the
// question is asked again about less of the text or about another text.
TEST(ChatModel, TheNoteOfAPreparedQuestionIsNoPartOfAnyPrompt) {
  LiveApp live;
  live.load();
  live.open(40);
  live.app.setAnswerTokens(4);
  const auto tokenizer = *live.app.engine()->tokenizer();
  const std::vector<std::int32_t> ids = tokenizer->encode("Where is the key").ids;
  const quint64 id = live.chat.askPrepared("Where is it?", ids, "wanted: 48213");
  live.idle();
  live.chat.askAgain(200);
  live.idle();
  ASSERT_EQ(live.chat.turns().size(), 2U);
  EXPECT_EQ(live.chat.turns().front().id, id);
  EXPECT_EQ(live.lastTurn().cutTokens, 200);
  EXPECT_EQ(live.lastTurn().questionIds, ids) << "the same tokens again";
  live.open(30);
  live.chat.askAgain(100);
  live.idle();
  ASSERT_EQ(live.chat.turns().size(), 3U);
  const auto asText = questionPart(live.app.engine()->promptFormat(), *tokenizer, "Where is it?");
  EXPECT_EQ(live.lastTurn().questionIds, asText->ids) << "another text is asked in words";
  EXPECT_TRUE(live.lastTurn().note.isEmpty()) << "nothing was hidden in this text";
  for (const ChatTurn& turn : live.chat.turns()) {
    ASSERT_EQ(turn.state, State::Finished) << qPrintable(turn.problem);
    EXPECT_EQ(turn.question, "Where is it?");
    EXPECT_EQ(tokenizer->continuation({}, turn.questionIds).find("48213"), std::string::npos);
  }
  EXPECT_TRUE(live.chat.index(0).data(ChatModel::DetailRole).toString().contains("wanted: 48213"));
  const auto json = nlohmann::json::parse(transcriptJson(live.app, live.chat));
  EXPECT_EQ(json["answers"][0]["question"], "Where is it?");
  EXPECT_EQ(json["answers"][0]["note"], "wanted: 48213");
}

TEST(ChatModel, StopsWithinTheAnswerAndAnswersTheSameAfterwards) {
  LiveApp live;
  live.load();
  live.open(20);
  live.app.setAnswerTokens(150);
  live.chat.ask("Tell me more");
  live.idle();
  const auto whole = live.lastTurn().result;
  live.chat.ask("Tell me more");
  ASSERT_TRUE(
      waitUntil([&] { return live.lastTurn().state == State::Writing || !live.chat.isBusy(); }));
  live.chat.stop();
  live.idle();
  EXPECT_NE(live.lastTurn().state, State::Waiting);
  live.chat.ask("Tell me more");
  live.idle();
  EXPECT_EQ(live.lastTurn().result.ids, whole.ids);
}

TEST(ChatModel, AStopWhileReadingKeepsFinishedChunks) {
  LiveApp live;
  live.load();
  live.open(600);
  live.chat.ask("Who?");
  ASSERT_TRUE(waitUntil([&] { return live.app.position() > 0 || !live.chat.isBusy(); }));
  live.chat.stop();
  live.idle();
  const auto kept = live.app.position();
  EXPECT_GT(kept, 0);
  live.app.setAnswerTokens(4);
  live.chat.ask("Who?");
  live.idle();
  ASSERT_EQ(live.lastTurn().state, State::Finished) << qPrintable(live.lastTurn().problem);
  EXPECT_GT(live.lastTurn().result.prefill.reusedTokens, 0);
}

TEST(ChatModel, AMethodChangeEndsTheRunningAnswerAndTheNextOneUsesIt) {
  LiveApp live;
  live.load();
  live.open(100);
  live.app.setAnswerTokens(60);
  live.chat.ask("Who?");
  ASSERT_TRUE(waitUntil([&] { return live.app.position() > 0 || !live.chat.isBusy(); }));
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "yarn"};
  live.app.applyMethod(settings);
  live.idle();
  EXPECT_FALSE(live.chat.isBusy());
  live.chat.ask("Who?");
  live.idle();
  ASSERT_EQ(live.lastTurn().state, State::Finished) << qPrintable(live.lastTurn().problem);
  EXPECT_TRUE(live.lastTurn().method.startsWith("YaRN")) << qPrintable(live.lastTurn().method);
  EXPECT_EQ(live.lastTurn().result.prefill.reusedTokens, 0) << "another plan's cache";
}

TEST(ChatModel, ARefusalIsATurnThatSaysWhy) {
  LiveApp live;
  live.chat.ask("Anyone there?");
  ASSERT_EQ(live.chat.rowCount(), 1);
  EXPECT_EQ(live.lastTurn().state, State::Failed);
  EXPECT_TRUE(live.lastTurn().problem.contains("No model"));
  live.chat.ask("   ");
  EXPECT_EQ(live.chat.rowCount(), 1) << "nothing asked, nothing answered";
}

TEST(ChatModel, MayDieWhileItsAnswerIsWritten) {
  LiveApp live;
  live.load();
  live.open(100);
  auto chat = std::make_unique<ChatModel>(live.app, live.runner);
  chat->ask("Who?");
  ASSERT_TRUE(waitUntil([&] { return live.app.position() > 0 || !chat->isBusy(); }));
  chat.reset();
  live.runner.stopAll();
  live.idle();
}

TEST(ChatModel, EverythingMayCloseWhileBusy) {
  auto live = std::make_unique<LiveApp>();
  live->load();
  live->open(600);
  live->chat.ask("Who?");
  ASSERT_TRUE(waitUntil([&] { return live->app.position() > 0 || !live->chat.isBusy(); }));
  live.reset();  // stops, waits; must neither hang nor touch what is gone
}

TEST(ChatModel, TheSameSeedSamplesTheSameAnswer) {
  LiveApp live;
  live.load();
  live.open(10);
  live.app.setAnswerTokens(20);
  live.chat.setGeneration({.temperature = 1.0, .seed = 7});
  live.chat.ask("Who?");
  live.chat.ask("Who?");
  live.idle();
  EXPECT_EQ(live.chat.turns()[0].result.ids, live.chat.turns()[1].result.ids);
}

TEST(Transcript, JsonHoldsEverythingThatInfluencedTheAnswer) {
  LiveApp live;
  live.load();
  live.open(10);
  live.app.setAnswerTokens(5);
  live.chat.ask("Who?");
  live.idle();
  const auto path = std::filesystem::path(live.folder.path().toStdString()) / "transcript.json";
  ASSERT_TRUE(exportTranscript(path, live.app, live.chat));
  const auto json = nlohmann::json::parse(*readFile(path));
  EXPECT_EQ(json["model"]["hash"], live.app.engine()->modelHash());
  EXPECT_EQ(json["settings"]["rope"], live.app.method().rope.id);
  EXPECT_EQ(json["answers"].size(), 1U);
  EXPECT_EQ(json["answers"][0]["token_ids"].size(), live.lastTurn().result.ids.size());
}

TEST(Transcript, MarkdownShowsQuestionAndAnswer) {
  LiveApp live;
  live.chat.ask("Who?");
  const std::string text = transcriptMarkdown(live.app, live.chat);
  EXPECT_NE(text.find("## Who?"), std::string::npos);
  EXPECT_NE(text.find("> No model"), std::string::npos);
}

}  // namespace
}  // namespace ropescope::ui
