#include "core/document/document.h"

#include <gtest/gtest.h>

#include "core/document/prompt_format.h"
#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

TEST(Document, ReadsText) {
  TempDir temp;
  writeText(temp / "a.txt", "Hello, 世界.\r\n");
  const auto document = readDocument(temp / "a.txt");
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_EQ(document->text, "Hello, 世界.\r\n");
  EXPECT_TRUE(document->notice.empty());
}

TEST(Document, LeavesTheByteOrderMarkOutAndSaysSo) {
  const auto document = documentFromBytes("\xEF\xBB\xBFtext", "a.txt");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->text, "text");
  EXPECT_NE(document->notice.find("byte order mark"), std::string::npos);
}

TEST(Document, RefusesWhatIsNoText) {
  const auto refused = [](const std::string& bytes, ErrorCode code,
                          const std::vector<std::string>& parts) {
    expectError(documentFromBytes(bytes, "book.txt"), code, parts);
  };
  refused("", ErrorCode::InvalidArgument, {"book.txt", "empty", "wanted"});
  refused(" \r\n\t \n", ErrorCode::InvalidArgument, {"book.txt", "only blanks"});
  refused("\xEF\xBB\xBF \n", ErrorCode::InvalidArgument, {"book.txt", "only blanks"});
  refused(std::string("GIF89a\0\0", 8), ErrorCode::InvalidArgument, {"binary", "offset 6"});
  refused("caf\xE9", ErrorCode::InvalidArgument, {"not UTF-8", "offset 3", "iconv"});
  refused("\xFF\xFEh", ErrorCode::InvalidArgument, {"offset 0"});
  refused("%PDF-1.7\n", ErrorCode::Unsupported, {"PDF", "pdftotext"});
}

TEST(Document, RefusesWhatIsNoFile) {
  TempDir temp;
  expectError(readDocument(temp / "none.txt"), ErrorCode::NotFound, {"none.txt", "check the name"});
  expectError(readDocument(temp.path()), ErrorCode::InvalidArgument, {"is a folder"});
}

// --- prompt formats -----------------------------------------------------------------------------

class PromptFormatFile : public testing::Test {
 protected:
  Result<PromptFormat> read(const std::string& json) {
    writeText(temp / "prompt_format.json", json);
    return readPromptFormat(temp.path());
  }
  TempDir temp;
};

TEST_F(PromptFormatFile, IsPlainWhenThereIsNone) {
  const auto format = readPromptFormat(temp.path());
  ASSERT_TRUE(format);
  EXPECT_FALSE(format->fromModel);
}

TEST_F(PromptFormatFile, IsReadFromTheModel) {
  const auto format = readPromptFormat(bookwormPath());
  ASSERT_TRUE(format) << format.error().message;
  EXPECT_TRUE(format->fromModel);
  EXPECT_TRUE(format->plainQuestions);
  EXPECT_EQ(format->document, "### Document\n{text}\n");
}

TEST_F(PromptFormatFile, NamesAWrongField) {
  const auto refused = [&](const std::string& json, const std::vector<std::string>& parts) {
    expectError(read(json), ErrorCode::CorruptFile, parts);
  };
  refused("[]", {"prompt_format.json", "not a JSON object"});
  refused("{", {"not a JSON object"});
  refused(R"({"document": 3})", {"'document' is 3"});
  refused(R"({"document": "no place"})", {"'document'", "{text}", "exactly once"});
  refused(R"({"question": "{question} {question}"})", {"'question'", "exactly once"});
  refused(R"({"plain_prefix_ids": -1})", {"'plain_prefix_ids' is -1"});
  refused(R"({"answer_end": "stop"})", {"'answer_end' is 'stop'"});
}

// The document's ids are a prefix of the prompt, whatever the question.
TEST(PromptParts, TheDocumentDoesNotDependOnTheQuestion) {
  const auto tokenizer = Tokenizer::load(bookwormPath());
  const auto format = readPromptFormat(bookwormPath());
  ASSERT_TRUE(tokenizer && format);
  const auto document = documentPart(*format, **tokenizer, "A {question} in a text.\r\n世界");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->ids.front(), (*tokenizer)->bos());
  EXPECT_EQ(document->spans.front(), (ByteSpan{0, 0}));
  EXPECT_EQ(document->text.substr(static_cast<std::size_t>(document->contentBegin)),
            "A {question} in a text.\r\n世界\n");
  const auto question = questionPart(*format, **tokenizer, "Who is {text}?");
  ASSERT_TRUE(question) << question.error().message;
  EXPECT_EQ(question->text, "### Question\nWho is {text}?\n### Answer\n");
  // Part by part is what the whole text gives here: the document ends with a newline.
  const Encoding whole = (*tokenizer)->encode(document->text + question->text);
  Ids parts(document->ids.begin() + 1, document->ids.end());
  parts.insert(parts.end(), question->ids.begin(), question->ids.end());
  EXPECT_EQ(parts, whole.ids);
}

}  // namespace
}  // namespace ropescope
