// Prompts of an exact number of tokens, and how answers are judged.
#include "core/eval/retrieval_prompt.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/eval/passkey_prompt.h"
#include "core/eval/planted_document.h"
#include "tests/support/test_models.h"

namespace ropescope::test {
namespace {

using testing::AnyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// Published wording: arXiv:2306.15595, figure 3; eval/passkey.py of jquesnelle/yarn;
// evaluation/passkey.py of microsoft/LongRoPE. All three say the same.
const std::string kTask =
    "There is an important info hidden inside a lot of irrelevant text. Find it and memorize them. "
    "I will quiz you about the important information there.";
const std::string kFiller =
    "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.";
const std::string kQuestion = "What is the pass key? The pass key is";

std::string needleFor(const std::string& key) {
  return "The pass key is " + key + ". Remember it. " + key + " is the pass key.";
}

std::shared_ptr<const Tokenizer> tokenizerOf(const std::filesystem::path& model) {
  auto tokenizer = Tokenizer::load(model);
  if (!tokenizer) {
    ADD_FAILURE() << tokenizer.error().message;
    std::abort();
  }
  return *std::move(tokenizer);
}

std::shared_ptr<const BookTokens> excerpt(const Tokenizer& tokenizer) {
  return *bookTokens(tokenizer, "excerpt.txt",
                     readText(testsDir() / "golden" / "inputs" / "excerpt.txt"));
}

PromptFormat formatOf(const std::filesystem::path& model) {
  const auto format = readPromptFormat(model);
  EXPECT_TRUE(format) << format.error().message;
  return *format;
}

Ids joined(const RetrievalPrompt& prompt) {
  Ids ids;
  for (const auto& part : prompt.parts) ids.insert(ids.end(), part.begin(), part.end());
  return ids;
}

std::string textOf(const Tokenizer& tokenizer, const Ids& ids) {
  return tokenizer.continuation({}, ids);
}

std::size_t countOf(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

PasskeyPrompts passkey(PasskeyRecipe recipe, const std::filesystem::path& model,
                       std::uint64_t seed = 0) {
  const auto tokenizer = tokenizerOf(model);
  const bool own = recipe == PasskeyRecipe::Bookworm;
  auto prompts = PasskeyPrompts::make({.recipe = recipe,
                                       .seed = seed,
                                       .tokenizer = tokenizer,
                                       .format = own ? formatOf(model) : PromptFormat{},
                                       .book = own ? excerpt(*tokenizer) : nullptr});
  if (!prompts) {
    ADD_FAILURE() << prompts.error().message;
    std::abort();
  }
  return *std::move(prompts);
}

RetrievalPrompt promptAt(const PasskeyPrompts& prompts, const PasskeySpot& spot) {
  auto prompt = prompts.prompt(spot);
  if (!prompt) {
    ADD_FAILURE() << prompt.error().message;
    std::abort();
  }
  return *std::move(prompt);
}

TEST(JudgeKey, TakesTheFirstRunOfDigits) {
  EXPECT_TRUE(judgeKey(" 12345. Remember it.", "12345").found);
  EXPECT_TRUE(judgeKey("is 12345, not 54321", "12345").found);
  EXPECT_TRUE(judgeKey(" 0012345", "12345").found);  // compared as numbers in the three programs
  EXPECT_FALSE(judgeKey(" 123456", "12345").found);
  EXPECT_FALSE(judgeKey(" 1234", "12345").found);
  EXPECT_FALSE(judgeKey(" 1 12345", "12345").found);
  EXPECT_TRUE(judgeKey(" 1 12345", "12345").contained);
  EXPECT_FALSE(judgeKey(" the grass is green", "12345").found);
  EXPECT_FALSE(judgeKey("", "12345").found);
  EXPECT_FALSE(judgeKey("0", "12345").found);
}

TEST(JudgeText, WantsTheWholeAnswerButNotItsWhiteSpace) {
  EXPECT_TRUE(judgeText(" Vienna\n", "Vienna").found);
  EXPECT_TRUE(judgeText("in the  old\nmill", "in the old mill").found);
  EXPECT_FALSE(judgeText("Vienna.", "Vienna").found);
  EXPECT_TRUE(judgeText("In Vienna.", "Vienna").contained);
  EXPECT_FALSE(judgeText("vienna", "Vienna").found);
  EXPECT_FALSE(judgeText("", "Vienna").contained);
}

TEST(EncodeInside, GivesTheIdsOfTheTextInItsPlace) {
  for (const auto& model : {storiesPath(), bookwormPath()}) {
    const auto tokenizer = tokenizerOf(model);
    const Ids before = tokenizer->encode("He came in.\n").ids;
    const Ids whole = tokenizer->encode("He came in.\nThe pass key is 12345.").ids;
    const auto inside = encodeInside(*tokenizer, "The pass key is 12345.");
    ASSERT_TRUE(inside) << inside.error().message;
    Ids both = before;
    both.insert(both.end(), inside->begin(), inside->end());
    EXPECT_EQ(both, whole) << model;
    EXPECT_EQ(encodeInside(*tokenizer, "")->size(), 0U);
    EXPECT_EQ(encodeInside(*tokenizer, "\n")->size(), 1U);
  }
}

struct RecipeCase {
  PasskeyRecipe recipe;
  bool bookworm;  // model: bookworm, else stories260K
};

class PublishedRecipe : public testing::TestWithParam<RecipeCase> {
 protected:
  std::filesystem::path model() const {
    return GetParam().bookworm ? bookwormPath() : storiesPath();
  }
};

TEST_P(PublishedRecipe, HasExactlyTheWantedTokensAndWording) {
  const auto tokenizer = tokenizerOf(model());
  const auto prompts = passkey(GetParam().recipe, model());
  std::string filler = kFiller;
  for (int i = 0; i < 100; ++i) filler += " " + kFiller;
  for (const std::int64_t length : {prompts.leastLength(), std::int64_t{200}, std::int64_t{377},
                                    std::int64_t{1024}, std::int64_t{2049}}) {
    for (const double depth : {0.0, 0.3, 0.5, 1.0}) {
      const auto prompt = promptAt(prompts, {.length = length, .depth = depth, .trial = 1});
      EXPECT_EQ(prompt.tokens(), length);
      const Ids ids = joined(prompt);
      EXPECT_EQ(ids.front(), tokenizer->bos());
      const std::string text = textOf(*tokenizer, ids);
      const std::string needle = "\n" + needleFor(prompt.expected) + "\n";
      ASSERT_THAT(text, StartsWith(kTask + "\n"));
      ASSERT_THAT(text, EndsWith("\n" + kQuestion));
      ASSERT_EQ(countOf(text, needle), 1U) << text;
      const auto at = text.find(needle);
      const auto begin = kTask.size() + 1;
      // Both halves of the filler start with its first word, as in YaRN's program.
      EXPECT_THAT(filler, StartsWith(text.substr(begin, at - begin)));
      const auto behind = at + needle.size();
      EXPECT_THAT(filler,
                  StartsWith(text.substr(behind, text.size() - behind - kQuestion.size() - 1)));
    }
  }
}

TEST_P(PublishedRecipe, PutsTheNeedleAtTheTokenOfItsDepth) {
  const auto tokenizer = tokenizerOf(model());
  const auto prompts = passkey(GetParam().recipe, model());
  const auto task = static_cast<std::int64_t>(tokenizer->encode(kTask + "\n").ids.size()) + 1;
  for (const double depth : {0.0, 0.25, 0.5, 0.9, 1.0}) {
    const auto prompt = promptAt(prompts, {.length = 700, .depth = depth});
    const auto needle = encodeInside(*tokenizer, needleFor(prompt.expected));
    const auto question = encodeInside(*tokenizer, kQuestion);
    // Three line ends stand between task, filler, needle, filler and question, besides the task's.
    const std::int64_t filler = 700 - task - static_cast<std::int64_t>(needle->size()) -
                                static_cast<std::int64_t>(question->size()) - 3;
    EXPECT_EQ(prompt.needleBegin, task + std::llround(depth * static_cast<double>(filler)) + 1);
    const Ids ids = joined(prompt);
    EXPECT_TRUE(std::equal(needle->begin(), needle->end(), ids.begin() + prompt.needleBegin));
  }
}

TEST_P(PublishedRecipe, IsTheEncodedTextWhereNoWordIsCut) {
  const auto tokenizer = tokenizerOf(model());
  const auto prompts = passkey(GetParam().recipe, model());
  // Python's sentencepiece 0.2.1, BOS counted: tokens of the prompt with the key 50000 and no
  // filler, and with two filler sentences before the key and one behind it. The two take `before`.
  const std::int64_t least = GetParam().bookworm ? 83 : 160;
  const std::int64_t length = GetParam().bookworm ? 155 : 312;
  const double before = GetParam().bookworm ? 48.0 : 101.0;
  EXPECT_EQ(prompts.leastLength(), least);
  RetrievalPrompt prompt;
  for (std::int64_t trial = 0; prompt.expected.size() != 5; ++trial) {
    prompt = promptAt(
        prompts,
        {.length = length, .depth = before / static_cast<double>(length - least), .trial = trial});
  }
  Ids whole{tokenizer->bos()};
  const Ids text = tokenizer
                       ->encode(kTask + "\n" + kFiller + " " + kFiller + "\n" +
                                needleFor(prompt.expected) + "\n" + kFiller + "\n" + kQuestion)
                       .ids;
  whole.insert(whole.end(), text.begin(), text.end());
  EXPECT_EQ(joined(prompt), whole);
}

TEST_P(PublishedRecipe, RefusesALengthWithoutRoomAndNamesTheLeast) {
  const auto prompts = passkey(GetParam().recipe, model());
  const std::int64_t least = prompts.leastLength();
  EXPECT_EQ(promptAt(prompts, {.length = least, .depth = 0.5}).tokens(), least);
  expectError(prompts.prompt({.length = least - 1, .depth = 0.5}), ErrorCode::InvalidArgument,
              {std::to_string(least - 1), "lengths from " + std::to_string(least)});
}

INSTANTIATE_TEST_SUITE_P(Recipes, PublishedRecipe,
                         testing::Values(RecipeCase{PasskeyRecipe::Yarn, true},
                                         RecipeCase{PasskeyRecipe::Yarn, false},
                                         RecipeCase{PasskeyRecipe::Pi, true},
                                         RecipeCase{PasskeyRecipe::LongRope, false}),
                         [](const auto& each) {
                           return std::string(recipeName(each.param.recipe)) +
                                  (each.param.bookworm ? "_bookworm" : "_stories");
                         });

std::set<std::string> keys(const PasskeyPrompts& prompts, std::int64_t length) {
  std::set<std::string> all;
  for (std::int64_t trial = 0; trial < 50; ++trial) {
    all.insert(promptAt(prompts, {.length = length, .depth = 0.5, .trial = trial}).expected);
  }
  return all;
}

TEST(PasskeyKeys, FollowTheSeedAndTheRecipe) {
  const auto yarn = keys(passkey(PasskeyRecipe::Yarn, bookwormPath()), 512);
  EXPECT_GT(yarn.size(), 45U);
  for (const std::string& key : yarn) {
    EXPECT_GE(std::stoi(key), 1);
    EXPECT_LE(std::stoi(key), 50000);
  }
  EXPECT_EQ(yarn, keys(passkey(PasskeyRecipe::Yarn, bookwormPath()), 512));
  EXPECT_NE(yarn, keys(passkey(PasskeyRecipe::Yarn, bookwormPath(), 1), 512));
  EXPECT_NE(yarn, keys(passkey(PasskeyRecipe::Yarn, bookwormPath()), 513));
  for (const std::string& key : keys(passkey(PasskeyRecipe::Pi, bookwormPath()), 512)) {
    EXPECT_EQ(key.size(), 5U);
  }
  const auto longrope = passkey(PasskeyRecipe::LongRope, bookwormPath());
  EXPECT_EQ(keys(longrope, 512), keys(longrope, 2048));
}

TEST(PasskeyRecipes, HaveNamesThatFindThem) {
  for (const PasskeyRecipe recipe : kPasskeyRecipes) {
    EXPECT_EQ(findRecipe(recipeName(recipe)), recipe);
    EXPECT_FALSE(recipeText(recipe).empty());
  }
  EXPECT_FALSE(findRecipe("landmark"));
  EXPECT_EQ(recipeThreshold(PasskeyRecipe::Pi), 0.2);
  EXPECT_EQ(recipeThreshold(PasskeyRecipe::Yarn), 1.0);
}

TEST(BookwormRecipe, StandsInTheModelsOwnFormatAtTheTokenOfItsDepth) {
  const auto tokenizer = tokenizerOf(bookwormPath());
  const auto prompts = passkey(PasskeyRecipe::Bookworm, bookwormPath());
  const std::string question = "### Question\nWhat is the pass key?\n### Answer\n";
  // "### Document\n" and BOS; the tail is one line end.
  const auto head = static_cast<std::int64_t>(tokenizer->encode("### Document\n").ids.size()) + 1;
  for (const std::int64_t length : {prompts.leastLength() + 100, std::int64_t{1024}}) {
    for (const double depth : {0.0, 0.2, 0.5, 1.0}) {
      const auto prompt = promptAt(prompts, {.length = length, .depth = depth, .trial = 2});
      EXPECT_EQ(prompt.tokens(), length);
      ASSERT_EQ(prompt.parts.size(), 2U);
      const std::string document = textOf(*tokenizer, prompt.parts[0]);
      ASSERT_THAT(document, StartsWith("### Document\n"));
      ASSERT_THAT(document, EndsWith("\n"));
      EXPECT_EQ(tokenizer->continuation(prompt.parts[0], prompt.parts[1]), question);
      const std::string sentence = needleFor(prompt.expected);
      ASSERT_EQ(countOf(document, sentence), 1U) << document;
      const auto at = document.find(sentence);
      if (depth > 0.0) {  // between two sentences of the book
        EXPECT_THAT(document.substr(at - 4, 4),
                    AnyOf(HasSubstr(". "), HasSubstr("! "), HasSubstr("? "), HasSubstr("\" "),
                          HasSubstr("’ "), HasSubstr("” ")));
      } else {
        EXPECT_EQ(at, std::string("### Document\n").size());
      }
      EXPECT_EQ(document.ends_with(sentence + "\n"), depth == 1.0);
      const auto needle = encodeInside(*tokenizer, (depth > 0.0 ? " " : "") + sentence);
      const std::int64_t room = static_cast<std::int64_t>(prompt.parts[0].size()) - head - 1 -
                                static_cast<std::int64_t>(needle->size());
      EXPECT_EQ(prompt.needleBegin, head + std::llround(depth * static_cast<double>(room)));
    }
  }
  const std::int64_t least = prompts.leastLength();
  EXPECT_EQ(promptAt(prompts, {.length = least, .depth = 0.5}).tokens(), least);
  expectError(prompts.prompt({.length = least - 1, .depth = 0.5}), ErrorCode::InvalidArgument,
              {"lengths from " + std::to_string(least)});
}

TEST(BookwormRecipe, TakesOtherPassagesForOtherTrials) {
  const auto prompts = passkey(PasskeyRecipe::Bookworm, bookwormPath());
  const auto first = promptAt(prompts, {.length = 512, .depth = 0.5, .trial = 0});
  const auto second = promptAt(prompts, {.length = 512, .depth = 0.5, .trial = 1});
  EXPECT_NE(first.parts[0], second.parts[0]);
  EXPECT_EQ(first.parts[0], promptAt(prompts, {.length = 512, .depth = 0.5, .trial = 0}).parts[0]);
}

TEST(BookwormRecipe, NeedsABookThatIsLongEnough) {
  const auto tokenizer = tokenizerOf(bookwormPath());
  expectError(PasskeyPrompts::make(
                  {.recipe = PasskeyRecipe::Bookworm, .tokenizer = tokenizer, .format = {}}),
              ErrorCode::InvalidArgument, {"--document", "--recipe"});
  const auto prompts = passkey(PasskeyRecipe::Bookworm, bookwormPath());
  const auto size = excerpt(*tokenizer)->size();
  expectError(prompts.prompt({.length = size + 1000, .depth = 0.5}), ErrorCode::InvalidArgument,
              {"excerpt.txt", "lengths up to"});
}

class PlantedNeedle : public testing::Test {
 protected:
  const std::string needle = "Rose Winter was born in Vienna.";
  std::shared_ptr<const Tokenizer> tokenizer = tokenizerOf(bookwormPath());
  std::shared_ptr<const BookTokens> book = excerpt(*tokenizer);
  PlantedPrompts prompts =
      *PlantedPrompts::make(tokenizer, formatOf(bookwormPath()), book, "Where was Rose born?");

  RetrievalPrompt inWindow(std::int64_t length, double depth, double share = 0.0) const {
    auto prompt = prompts.inWindow(needle, {.length = length, .depth = depth}, share);
    EXPECT_TRUE(prompt) << prompt.error().message;
    return *std::move(prompt);
  }
};

TEST_F(PlantedNeedle, StandsAtTheSentenceBorderNearestItsDepth) {
  for (const double depth : {0.0, 0.1, 0.33, 0.5, 0.77, 1.0}) {
    const auto prompt = inWindow(1024, depth);
    EXPECT_EQ(prompt.tokens(), 1024);
    const std::string document = textOf(*tokenizer, prompt.parts[0]);
    const auto at = document.find(needle);
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(countOf(document, needle), 1U);
    // What is left without it is the book from its start.
    const std::string head = "### Document\n";
    const std::string before = document.substr(head.size(), at - head.size());
    const std::string after = document.substr(at + needle.size());
    EXPECT_TRUE(book->text.starts_with(before.substr(0, before.empty() ? 0 : before.size() - 1)));
    // No border of the book lies nearer.
    const auto first = static_cast<std::int64_t>(tokenizer->encode(head).ids.size()) + 1;
    const auto needleTokens =
        static_cast<std::int64_t>(encodeInside(*tokenizer, " " + needle)->size());
    const std::int64_t room =
        static_cast<std::int64_t>(prompt.parts[0].size()) - first - 1 - needleTokens;
    const std::int64_t wanted = std::llround(depth * static_cast<double>(room));
    const std::int64_t reached = prompt.needleBegin - first;
    for (const std::int64_t border : book->borders) {
      if (border > 0 && border < room) {
        EXPECT_LE(std::abs(reached - wanted), std::abs(border - wanted) + 1) << depth;
      }
    }
    EXPECT_EQ(document.starts_with(head + needle + "\n" + "What my friend"), depth == 0.0);
    EXPECT_EQ(document.ends_with(needle + "\n"), depth == 1.0);
  }
}

TEST_F(PlantedNeedle, WalksThroughTheDocumentWithTheTrials) {
  const auto last = inWindow(512, 1.0, 1.0);
  EXPECT_EQ(last.tokens(), 512);
  // The last window ends where the book ends.
  EXPECT_THAT(textOf(*tokenizer, last.parts[0]), HasSubstr("very near the sky indeed."));
  EXPECT_NE(inWindow(512, 0.5, 0.0).parts[0], inWindow(512, 0.5, 0.5).parts[0]);
}

TEST_F(PlantedNeedle, RefusesWhatDoesNotFit) {
  const auto least = prompts.leastLength(needle);
  ASSERT_TRUE(least);
  for (const double depth : {0.0, 1.0}) {
    EXPECT_LE(inWindow(*least, depth).tokens(), *least);
    expectError(prompts.inWindow(needle, {.length = *least - 3, .depth = depth}, 0.0),
                ErrorCode::InvalidArgument, {"too short", "give lengths from"});
  }
  expectError(prompts.inWindow(needle, {.length = book->size() + 500, .depth = 0.5}, 0.0),
              ErrorCode::InvalidArgument, {"excerpt.txt", "longer document"});
}

TEST_F(PlantedNeedle, FindsAPlaceInATextWithoutSentences) {
  std::string words;
  for (int i = 0; i < 400; ++i) words += "word ";
  const auto plain = PlantedPrompts::make(tokenizer, formatOf(bookwormPath()),
                                          *bookTokens(*tokenizer, "words", words), "Where?");
  const auto prompt = plain->inWindow(needle, {.length = 200, .depth = 0.4}, 0.0);
  ASSERT_TRUE(prompt) << prompt.error().message;
  EXPECT_EQ(prompt->tokens(), 200);
  EXPECT_THAT(textOf(*tokenizer, prompt->parts[0]), StartsWith("### Document\n" + needle));
  SplitMix random(1);
  expectError(plain->atDepth(needle, {.length = 200, .depth = 0.5}, random),
              ErrorCode::InvalidArgument, {"words", "end of a sentence"});
}

}  // namespace
}  // namespace ropescope::test
