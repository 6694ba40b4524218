#include "core/tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include "core/tokenizer/utf8.h"
#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

std::shared_ptr<const Tokenizer> bookworm() {
  auto tokenizer = Tokenizer::load(bookwormPath());
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return *tokenizer;
}

// Every byte of the text belongs to exactly one token, in order; a token's own bytes are those.
void expectExactSpans(const Tokenizer& tokenizer, const std::string& text) {
  SCOPED_TRACE(text);
  const Encoding encoding = tokenizer.encode(text);
  ASSERT_EQ(encoding.ids.size(), encoding.spans.size());
  std::int64_t at = 0;
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    const ByteSpan span = encoding.spans[i];
    EXPECT_EQ(span.begin, at) << "token " << i;
    ASSERT_LE(span.begin, span.end) << "token " << i;
    at = span.end;
    std::string own = tokenizer.bytes(encoding.ids[i]);
    if (i == 0 && !own.empty() && own.front() == ' ') own.erase(0, 1);  // the dummy prefix
    EXPECT_EQ(own, text.substr(static_cast<std::size_t>(span.begin),
                               static_cast<std::size_t>(span.end - span.begin)))
        << "token " << i << ", piece " << tokenizer.piece(encoding.ids[i]);
  }
  EXPECT_EQ(at, static_cast<std::int64_t>(text.size()));
  EXPECT_EQ(tokenizer.continuation({}, encoding.ids), text);
}

TEST(Tokenizer, SpansAreExact) {
  const auto tokenizer = bookworm();
  for (const char* text : {
           "Once upon a time.",
           "two  blanks   and three",
           "a\tb\tc",
           "line one\r\nline two\n\nline four\r\n",
           "naïve café, œuvre — “quoted”…",
           "日本語と中文。",
           "smile 😀 and 👩‍👩‍👧 family",
           "e\xCC\x81 as two characters",
           "\n### Document\nText\n",
           "ends with a blank ",
           " begins with one",
           "x",
       }) {
    expectExactSpans(*tokenizer, text);
  }
}

TEST(Tokenizer, ByteFallbackTokensOwnOneByteEach) {
  const auto tokenizer = bookworm();
  const std::string text = "a😀b";  // the emoji is in no vocabulary of 4,096 pieces
  const Encoding encoding = tokenizer->encode(text);
  std::string bytes;
  int single = 0;
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    if (tokenizer->piece(encoding.ids[i]).rfind("<0x", 0) != 0) continue;
    EXPECT_EQ(encoding.spans[i].end - encoding.spans[i].begin, 1);
    bytes += tokenizer->bytes(encoding.ids[i]);
    ++single;
  }
  EXPECT_EQ(single, 4);
  EXPECT_EQ(bytes, "😀");
}

// stories260K's tokenizer collapses runs of blanks: spans still ascend and stay inside the text.
TEST(Tokenizer, SpansOfANormalisingTokenizerStayInOrder) {
  const auto tokenizer = Tokenizer::load(storiesPath());
  ASSERT_TRUE(tokenizer);
  const std::string text = "  Once   upon\ta  time, 日本 😀  ";
  const Encoding encoding = (*tokenizer)->encode(text);
  std::int64_t at = 0;
  for (const ByteSpan& span : encoding.spans) {
    EXPECT_GE(span.begin, at);
    EXPECT_GE(span.end, span.begin);
    at = span.end;
  }
  EXPECT_LE(at, static_cast<std::int64_t>(text.size()));
}

TEST(Tokenizer, EmptyTextHasNoTokens) {
  const Encoding encoding = bookworm()->encode("");
  EXPECT_TRUE(encoding.ids.empty());
  EXPECT_TRUE(encoding.spans.empty());
}

TEST(Tokenizer, EncodesALaterPartAsItStandsInADocument) {
  const auto tokenizer = bookworm();
  const std::string text = "### Question\nWho?\n";
  const auto part = tokenizer->encodeAfter("\n", 2, text);
  ASSERT_TRUE(part) << part.error().message;
  const Encoding whole = tokenizer->encode("\n" + text);
  EXPECT_EQ(part->ids, Ids(whole.ids.begin() + 2, whole.ids.end()));
  EXPECT_EQ(part->spans.front().begin, 0);
  EXPECT_EQ(part->spans.back().end, static_cast<std::int64_t>(text.size()));
  EXPECT_NE(part->ids, tokenizer->encode(text).ids);  // which has the dummy prefix
  const auto nothing = tokenizer->encodeAfter("", 0, text);
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->ids, tokenizer->encode(text).ids);
}

TEST(Tokenizer, RefusesAPrefixThatJoinsTheText) {
  const auto tokenizer = bookworm();
  expectError(tokenizer->encodeAfter("\n", 1, "text"), ErrorCode::InvalidArgument,
              {"drops 1 ids", "prompt_format.json"});
  expectError(tokenizer->encodeAfter("\n", 50, "text"), ErrorCode::InvalidArgument, {"50"});
  expectError(tokenizer->encodeAfter("th", 1, "ere"), ErrorCode::InvalidArgument, {"prefix"});
}

TEST(Tokenizer, ContinuationAtATextsStartDropsTheDummyBlank) {
  const auto tokenizer = bookworm();
  const Ids ids = tokenizer->encode("the house").ids;
  const Ids bos{tokenizer->bos()};
  EXPECT_EQ(tokenizer->continuation({}, ids), "the house");
  EXPECT_EQ(tokenizer->continuation(bos, ids), "the house");
  EXPECT_EQ(tokenizer->continuation(ids, ids), " the house");
  EXPECT_EQ(tokenizer->continuation(ids, {}), "");
}

TEST(Tokenizer, ControlTokensAndForeignIdsAddNoText) {
  const auto tokenizer = bookworm();
  EXPECT_EQ(tokenizer->bytes(tokenizer->bos()), "");
  EXPECT_EQ(tokenizer->bytes(tokenizer->eos()), "");
  EXPECT_EQ(tokenizer->bytes(-1), "");
  EXPECT_EQ(tokenizer->bytes(tokenizer->size()), "");
  EXPECT_EQ(tokenizer->piece(tokenizer->size()), "<4096>");
  EXPECT_EQ(tokenizer->piece(-7), "<-7>");
}

TEST(Tokenizer, BosIsAsTheConfigSays) {
  EXPECT_TRUE(bookworm()->addsBos());
  TempDir temp;
  std::filesystem::copy_file(bookwormPath() / "tokenizer.model", temp / "tokenizer.model");
  writeText(temp / "tokenizer_config.json", R"({"add_bos_token": false})");
  EXPECT_FALSE((*Tokenizer::load(temp.path()))->addsBos());
  writeText(temp / "tokenizer_config.json", R"({"add_bos_token": null})");
  EXPECT_TRUE((*Tokenizer::load(temp.path()))->addsBos());
  std::filesystem::remove(temp / "tokenizer_config.json");
  EXPECT_TRUE((*Tokenizer::load(temp.path()))->addsBos());
  writeText(temp / "tokenizer_config.json", R"({"add_bos_token": "yes"})");
  expectError(Tokenizer::load(temp.path()), ErrorCode::CorruptFile, {"add_bos_token", "\"yes\""});
  writeText(temp / "tokenizer_config.json", "{");
  expectError(Tokenizer::load(temp.path()), ErrorCode::CorruptFile, {"not a JSON object"});
}

TEST(Tokenizer, SaysWhenItIsMissingOrGarbage) {
  TempDir temp;
  expectError(Tokenizer::load(temp.path()), ErrorCode::NotFound,
              {"tokenizer.model", "is not there", "--tokens"});
  for (const std::string garbage : {"", "not a tokenizer", "\x0a\xff\xff\xff\xff\x0f"}) {
    writeText(temp / "tokenizer.model", garbage);
    expectError(Tokenizer::load(temp.path()), ErrorCode::CorruptFile,
                {"not a SentencePiece model", "download"});
  }
  const std::string whole = readText(bookwormPath() / "tokenizer.model");
  writeText(temp / "tokenizer.model", whole.substr(0, whole.size() / 2));
  expectError(Tokenizer::load(temp.path()), ErrorCode::CorruptFile, {"tokenizer.model"});
}

// --- UTF-8 --------------------------------------------------------------------------------------

TEST(Utf8, FindsTheFirstWrongByte) {
  EXPECT_FALSE(firstInvalidUtf8(""));
  EXPECT_FALSE(firstInvalidUtf8("plain, café, 日本, 😀\t\n"));
  EXPECT_EQ(firstInvalidUtf8("caf\xE9"), 3);           // Latin-1
  EXPECT_EQ(firstInvalidUtf8("ab\x80"), 2);            // continuation alone
  EXPECT_EQ(firstInvalidUtf8("\xC0\xAF"), 0);          // overlong
  EXPECT_EQ(firstInvalidUtf8("\xE0\x80\xAF"), 0);      // overlong
  EXPECT_EQ(firstInvalidUtf8("x\xED\xA0\x80"), 1);     // surrogate
  EXPECT_EQ(firstInvalidUtf8("\xF4\x90\x80\x80"), 0);  // beyond U+10FFFF
  EXPECT_EQ(firstInvalidUtf8("\xF0\x9F\x98"), 0);      // cut off
  EXPECT_EQ(firstInvalidUtf8("\xFF"), 0);
}

TEST(Utf8, ReplacesWrongBytesOneByOne) {
  EXPECT_EQ(replaceInvalidUtf8("a\xFF\x80z"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(replaceInvalidUtf8("😀"), "😀");
}

TEST(Utf8Stream, HoldsBackHalfACharacter) {
  const std::string text = "aé日😀z";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    Utf8Stream stream;
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += step) {
      const std::string piece = stream.append(text.substr(at, step));
      EXPECT_FALSE(firstInvalidUtf8(piece)) << "step " << step << " at " << at;
      out += piece;
    }
    out += stream.finish();
    EXPECT_EQ(out, text);
  }
}

TEST(Utf8Stream, ReplacesWhatNeverBecomesACharacter) {
  Utf8Stream stream;
  EXPECT_EQ(stream.append("\xF0\x9F"), "");
  EXPECT_EQ(stream.append("x"), "\xEF\xBF\xBD\xEF\xBF\xBDx");
  EXPECT_EQ(stream.append("\xE6\x97"), "");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(stream.finish(), "");
}

}  // namespace
}  // namespace ropescope
