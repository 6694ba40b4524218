#include "ui/viewmodels/document_view_model.h"

#include <QPlainTextEdit>
#include <gtest/gtest.h>

#include "tests/ui/live_app.h"

namespace ropescope::ui {
namespace {

TEST(TokenOffsets, CountCharactersAsTheTextViewDoes) {
  // "é" 2 bytes, one unit; the emoji 4 bytes, two units; CR LF two bytes, one line break.
  const std::string text = "<é\r\n\U0001F600x>";
  const std::vector<ByteSpan> spans = {{0, 1}, {1, 3}, {3, 5}, {5, 9}, {9, 10}, {10, 11}};
  EXPECT_EQ(tokenOffsets(text, spans, 1, 10), (std::vector{0, 0, 1, 2, 4, 5, 5}));
  QPlainTextEdit edit;
  edit.setPlainText(QString::fromStdString(text.substr(1, 9)));
  EXPECT_EQ(edit.document()->characterCount() - 1, 5);
}

TEST(TokenOffsets, HalfCharactersStayWithinTheirCharacter) {
  const std::string text = "\xE2\x82\xAC!";  // a euro sign in three byte tokens
  EXPECT_EQ(tokenOffsets(text, {{0, 1}, {1, 2}, {2, 3}, {3, 4}}, 0, 4),
            (std::vector{0, 1, 1, 1, 2}));
}

TEST(DocumentViewModel, LedgerAddsUpAndSaysWhatFits) {
  LiveApp live;
  DocumentViewModel model(live.app);
  live.load();
  live.open(20);
  live.app.setAnswerTokens(32);
  model.setQuestionTokens(7);
  const Ledger ledger = model.ledger();
  EXPECT_EQ(ledger.total(), live.app.document()->tokens() + 7 + 32);
  EXPECT_TRUE(ledger.fits());
  EXPECT_TRUE(model.ledgerText().contains("(trained 512)")) << qPrintable(model.ledgerText());
  EXPECT_TRUE(model.fitText().startsWith("It fits"));
  MethodSettings settings = live.app.method();
  settings.contextTokens = 64;
  live.app.applyMethod(settings);
  EXPECT_FALSE(model.ledger().fits());
  EXPECT_TRUE(model.fitText().contains("plan at least")) << qPrintable(model.fitText());
  EXPECT_FALSE(model.canRead());
}

TEST(DocumentViewModel, KnowsTheTokenUnderACharacter) {
  LiveApp live;
  DocumentViewModel model(live.app);
  live.load();
  live.open(5);
  const auto& offsets = model.offsets();
  ASSERT_EQ(offsets.size(), live.app.document()->part.ids.size() + 1);
  EXPECT_EQ(offsets.back(), model.text().size());
  const int token = model.tokenAt(0);
  EXPECT_GE(token, 0);
  EXPECT_EQ(model.tokenAt(static_cast<int>(model.text().size()) + 5), -1);
}

}  // namespace
}  // namespace ropescope::ui
