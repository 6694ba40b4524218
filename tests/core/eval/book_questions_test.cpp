// Questions about books: answers that stand in the text, in the wording of the recipe
// (resources/models/bookworm-11m/recipe/questions.py).
#include "core/eval/book_questions.h"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/eval/planted_facts.h"
#include "core/eval/sentences.h"
#include "tests/support/test_models.h"

namespace ropescope::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using Books = std::vector<std::shared_ptr<const BookTokens>>;

class BookQuestions : public testing::Test {
 protected:
  static std::shared_ptr<const Tokenizer> loadTokenizer() {
    auto loaded = Tokenizer::load(bookwormPath());
    EXPECT_TRUE(loaded) << loaded.error().message;
    return *loaded;
  }
  std::shared_ptr<const BookTokens> sample(const std::string& name) const {
    const auto path = std::filesystem::path(ROPESCOPE_RESOURCES_DIR) / "samples" / name;
    return *bookTokens(*tokenizer, name, readText(path));
  }
  Result<QuestionSet> tryMake(const QuestionConfig& config) const {
    return bookQuestions(tokenizer, format, books, config);
  }
  QuestionSet make(const QuestionConfig& config) const {
    auto set = tryMake(config);
    if (!set) {
      ADD_FAILURE() << set.error().message;
      std::abort();
    }
    return *std::move(set);
  }
  QuestionConfig all(std::int64_t length, std::int64_t count, std::uint64_t seed = 0) const {
    return {.length = length,
            .count = count,
            .types = {kQuestionTypes.begin(), kQuestionTypes.end()},
            .seed = seed};
  }

  std::shared_ptr<const Tokenizer> tokenizer = loadTokenizer();
  PromptFormat format = *readPromptFormat(bookwormPath());
  Books books = {sample("01-newgate-escape.txt"), sample("02-boat-race.txt")};
};

std::size_t countOf(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// "Complete the quote: Once upon" to "Once upon".
std::string behind(const std::string& text, const std::string& start) {
  EXPECT_THAT(text, StartsWith(start));
  return text.substr(start.size());
}

TEST_F(BookQuestions, HaveTheCountOfEveryTypeAndFitTheirLength) {
  for (const std::int64_t length : {512, 1024}) {
    const auto set = make(all(length, 10));
    EXPECT_THAT(set.notices, ElementsAre());
    std::map<QuestionType, int> counts;
    for (const QuestionWindow& window : set.windows) {
      EXPECT_EQ(static_cast<std::int64_t>(window.document.size()), length - kQuestionRoom);
      EXPECT_EQ(window.document.front(), tokenizer->bos());
      EXPECT_EQ(tokenizer->continuation({}, window.document),
                "### Document\n" + window.text + "\n");
      EXPECT_FALSE(window.questions.empty());
      for (const BookQuestion& question : window.questions) {
        ++counts[question.type];
        EXPECT_LE(
            static_cast<std::int64_t>(question.ids.size()) + question.answerTokens + kAnswerSpare,
            kQuestionRoom);
        EXPECT_EQ(tokenizer->continuation(window.document, question.ids),
                  "### Question\n" + question.question + "\n### Answer\n");
      }
    }
    for (const QuestionType type : kQuestionTypes) EXPECT_EQ(counts[type], 10);
  }
}

TEST_F(BookQuestions, AreAnsweredByTheTextInOneWay) {
  const auto set = make(all(1024, 24));
  for (const QuestionWindow& window : set.windows) {
    const std::string text = squeezed(window.text);
    std::set<std::string> asked;
    for (const BookQuestion& each : window.questions) {
      EXPECT_TRUE(asked.insert(each.question).second) << each.question;
      if (each.type == QuestionType::Fact) {
        EXPECT_THAT(text, HasSubstr(each.answer));
      } else if (each.type == QuestionType::Quote) {
        const std::string quoted = behind(each.question, "Complete the quote: ");
        EXPECT_EQ(countOf(text, quoted), 1U) << quoted;
        EXPECT_EQ(countOf(text, quoted + " " + each.answer), 1U);
        const auto words = wordsOf(quoted).size();
        EXPECT_TRUE(words >= 4 && words <= 8) << quoted;
        EXPECT_GE(wordsOf(each.answer).size(), 4U);
      } else if (each.type == QuestionType::Word) {
        const std::string line = behind(each.question, "Which word is missing: ");
        const auto gap = line.find("____");
        ASSERT_NE(gap, std::string::npos);
        const std::string left = line.substr(0, gap);
        const auto at = text.find(left);
        ASSERT_NE(at, std::string::npos) << left;
        // The text has the word, perhaps with punctuation, where the gap is in one of the places
        // that begin alike.
        bool stands = false;
        for (auto place = at; place != std::string::npos; place = text.find(left, place + 1)) {
          const std::string rest = text.substr(place + left.size());
          const auto word = rest.substr(0, rest.find(' '));
          const std::string right = line.substr(gap + 4);
          const auto next = rest.substr(word.size(), right.size());
          stands = stands ||
                   (bareWord(word) == each.answer && (squeezed(right).empty() || next == right));
        }
        EXPECT_TRUE(stands) << each.question << " -> " << each.answer;
      } else {
        const std::string word = behind(each.question, "Find the sentence that mentions: ");
        EXPECT_EQ(countOf(text, each.answer), 1U) << each.answer;
        EXPECT_THAT(each.answer, HasSubstr(word));
        // No other sentence holds the word.
        int holding = 0;
        for (const auto sentence : wholeSentences(window.text)) {
          for (const auto other : wordsOf(sentence)) {
            if (bareWord(other) == word) {
              ++holding;
              break;
            }
          }
        }
        EXPECT_EQ(holding, 1) << word;
      }
    }
  }
}

TEST_F(BookQuestions, PlantTheirFactsBetweenSentencesWithoutClashes) {
  const auto set = make({.length = 1024, .count = 40, .types = {QuestionType::Fact}});
  EXPECT_EQ(set.windows.size(), 10U);  // four in each
  for (const QuestionWindow& window : set.windows) {
    const auto& book = *std::find_if(books.begin(), books.end(),
                                     [&](const auto& each) { return each->name == window.book; });
    EXPECT_TRUE(std::binary_search(book->borders.begin(), book->borders.end(), window.begin));
    ASSERT_EQ(window.questions.size(), 4U);
    std::string text = window.text;
    for (const BookQuestion& question : window.questions) {
      EXPECT_THAT(text, HasSubstr(question.answer));
    }
  }
  // Both books in turn.
  EXPECT_EQ(set.windows[0].book, "01-newgate-escape.txt");
  EXPECT_EQ(set.windows[1].book, "02-boat-race.txt");
  EXPECT_EQ(set.windows[2].book, "01-newgate-escape.txt");
}

TEST_F(BookQuestions, DependOnSeedLengthAndBooksAlone) {
  const auto questionsOf = [](const QuestionSet& set) {
    std::vector<std::string> all;
    for (const auto& window : set.windows) {
      for (const auto& each : window.questions) all.push_back(each.question + each.answer);
    }
    return all;
  };
  const auto first = make(all(512, 8));
  const auto again = make(all(512, 8));
  EXPECT_EQ(questionsOf(first), questionsOf(again));
  for (std::size_t i = 0; i < first.windows.size(); ++i) {
    EXPECT_EQ(first.windows[i].document, again.windows[i].document);
  }
  EXPECT_NE(questionsOf(first), questionsOf(make(all(512, 8, 1))));
  EXPECT_NE(questionsOf(first), questionsOf(make(all(640, 8))));
  // Asking for more keeps the first windows.
  EXPECT_EQ(first.windows[0].document, make(all(512, 20)).windows[0].document);
}

TEST_F(BookQuestions, RefuseWhatCannotHoldAWindow) {
  const auto least = [&](const std::vector<QuestionType>& types) {
    std::int64_t length = kQuestionRoom;
    while (!tryMake({.length = length, .count = 1, .types = types})) ++length;
    return length;
  };
  const std::int64_t withFacts = least({QuestionType::Fact});
  expectError(tryMake({.length = withFacts - 1, .count = 1, .types = {QuestionType::Fact}}),
              ErrorCode::InvalidArgument,
              {"too short", "lengths from " + std::to_string(withFacts)});
  EXPECT_LT(least({QuestionType::Quote}), withFacts);
  expectError(tryMake(all(40'000, 4)), ErrorCode::InvalidArgument,
              {"the longest document", "lengths up to"});
}

TEST_F(BookQuestions, SayWhichBookIsLeftOutAndWhichTypeRunsShort) {
  const auto set = make({.length = 4096, .count = 2, .types = {QuestionType::Quote}});
  ASSERT_EQ(set.notices.size(), 1U);
  EXPECT_THAT(set.notices[0], HasSubstr("01-newgate-escape.txt has 3,27"));
  for (const auto& window : set.windows) EXPECT_EQ(window.book, "02-boat-race.txt");

  std::string dull;
  for (int i = 0; i < 300; ++i) dull += "He said that it was so and so it was again today. ";
  books = {*bookTokens(*tokenizer, "dull", dull)};
  const auto none = make({.length = 512, .count = 2, .types = {QuestionType::Quote}});
  ASSERT_EQ(none.notices.size(), 1U);
  EXPECT_THAT(none.notices[0], HasSubstr("only 0 of 2 questions of the type quote"));
}

TEST_F(BookQuestions, NeedEnglishWordsForFacts) {
  std::string numbers;
  for (int i = 0; i < 2000; ++i) numbers += "12 34 56. ";
  books = {*bookTokens(*tokenizer, "numbers", numbers)};
  expectError(tryMake({.length = 600, .count = 1, .types = {QuestionType::Fact}}),
              ErrorCode::InvalidArgument, {"5 to 9 letters", "fact"});
}

TEST(TextQuestions, AskNothingThatTheTextAnswersTwice) {
  const std::string sentence =
      "The captain walked slowly over the wooden bridge that evening again.";
  const TextQuestions once("Before it. " + sentence + " After it.");
  const TextQuestions twice("Before it. " + sentence + " " + sentence + " After it.");
  const TextQuestions marked("Before it. " + sentence + " After it.");
  SplitMix random(3);
  for (const QuestionType type :
       {QuestionType::Word, QuestionType::Quote, QuestionType::Sentence}) {
    EXPECT_TRUE(once.ask(type, sentence, random)) << questionTypeName(type);
    EXPECT_FALSE(twice.ask(type, sentence, random)) << questionTypeName(type);
    EXPECT_FALSE(marked.ask(type, "The captain _walked_ slowly over the wooden bridge.", random));
    EXPECT_FALSE(once.ask(type, "Too short a one.", random));
  }
  EXPECT_FALSE(once.ask(QuestionType::Fact, sentence, random));
}

TEST(QuestionTypes, HaveNamesThatFindThem) {
  for (const QuestionType type : kQuestionTypes) {
    EXPECT_EQ(findQuestionType(questionTypeName(type)), type);
  }
  EXPECT_FALSE(findQuestionType("riddle"));
}

// One pattern a kind, typed from fact() of the recipe; groups of equal content are named by \1.
const std::map<FactKind, std::pair<std::string, std::vector<std::string>>> kWording = {
    {FactKind::PassKey,
     {R"(The pass key is (\d{5})\. Remember it\. \1 is the pass key\.)",
      {"What is the pass key\\?"}}},
    {FactKind::MagicNumber,
     {R"(One of the special magic numbers for [a-z]+ is: \d{7}\.)",
      {R"(What is the special magic number for [a-z]+\?)"}}},
    {FactKind::SecretNumber,
     {R"([A-Z]\w+ [A-Z]\w+'s secret number is \d{3,7}\.)",
      {R"(What is [A-Z]\w+ [A-Z]\w+'s secret number\?)"}}},
    {FactKind::Colour,
     {R"(The favourite colour of [A-Z]\w+ [A-Z]\w+ is [a-z]+\.)",
      {R"(What is the favourite colour of [A-Z]\w+ [A-Z]\w+\?)"}}},
    {FactKind::Animal,
     {R"([A-Z]\w+ [A-Z]\w+ owns a [a-z]+ called [A-Z]\w+\.)",
      {R"(What is the name of [A-Z]\w+ [A-Z]\w+'s [a-z]+\?)",
       R"(Who owns a [a-z]+ called [A-Z]\w+\?)"}}},
    {FactKind::Birthplace,
     {R"([A-Z]\w+ [A-Z]\w+ was born in [A-Z]\w+\.)",
      {R"(Where was [A-Z]\w+ [A-Z]\w+ born\?)", R"(Who was born in [A-Z]\w+\?)"}}},
    {FactKind::Trade,
     {R"([A-Z]\w+ [A-Z]\w+ works as a [a-z]+\.)",
      {R"(What is the profession of [A-Z]\w+ [A-Z]\w+\?)", R"(Who works as a [a-z]+\?)"}}},
    {FactKind::HidingPlace,
     {R"([A-Z]\w+ [A-Z]\w+ hid the [a-z]+ in the [a-z]+\.)",
      {R"(Where did [A-Z]\w+ [A-Z]\w+ hide the [a-z]+\?)", R"(Who hid the [a-z]+ in the [a-z]+\?)",
       R"(What did [A-Z]\w+ [A-Z]\w+ hide in the [a-z]+\?)"}}},
    {FactKind::Marriage,
     {R"([A-Z]\w+ [A-Z]\w+ is secretly married to [A-Z]\w+ [A-Z]\w+\.)",
      {R"(Who is [A-Z]\w+ [A-Z]\w+ secretly married to\?)"}}},
    {FactKind::Food,
     {R"([A-Z]\w+ [A-Z]\w+ eats nothing but [a-z]+ on Sundays\.)",
      {R"(What does [A-Z]\w+ [A-Z]\w+ eat on Sundays\?)"}}},
    {FactKind::Password,
     {R"(The password of [A-Z]\w+ [A-Z]\w+ is [a-z]+\.)",
      {R"(What is the password of [A-Z]\w+ [A-Z]\w+\?)"}}},
    {FactKind::Price,
     {R"(The [a-z]+ of [A-Z]\w+ [A-Z]\w+ cost \d{2,4} pounds\.)",
      {R"(How much did the [a-z]+ of [A-Z]\w+ [A-Z]\w+ cost\?)"}}},
    {FactKind::Arrival,
     {R"([A-Z]\w+ [A-Z]\w+ will arrive on the \d{1,2} of [A-Z]\w+\.)",
      {R"(When will [A-Z]\w+ [A-Z]\w+ arrive\?)",
       R"(Who will arrive on the \d{1,2} of [A-Z]\w+\?)"}}},
};

TEST(PlantedFacts, AreWordedAsInTheRecipe) {
  ASSERT_EQ(kWording.size(), kFactKinds);
  SplitMix random(11);
  for (const auto& [kind, wording] : kWording) {
    std::set<std::string> seen;
    for (int i = 0; i < 40; ++i) {
      const PlantedFact fact = drawFact(kind, {"candle", "harbour"}, random);
      EXPECT_TRUE(std::regex_match(fact.sentence, std::regex(wording.first))) << fact.sentence;
      ASSERT_EQ(fact.questions.size(), wording.second.size()) << fact.sentence;
      for (std::size_t q = 0; q < fact.questions.size(); ++q) {
        const auto& [question, answer] = fact.questions[q];
        EXPECT_TRUE(std::regex_match(question, std::regex(wording.second[q]))) << question;
        EXPECT_THAT(fact.sentence, HasSubstr(answer)) << question;
        EXPECT_THAT(question, testing::Not(HasSubstr(answer)));
      }
      seen.insert(fact.sentence);
    }
    EXPECT_GT(seen.size(), 30U) << *seen.begin();
  }
}

}  // namespace
}  // namespace ropescope::test
