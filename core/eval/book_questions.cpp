#include "core/eval/book_questions.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/memory_size.h"
#include "core/eval/planted_facts.h"
#include "core/eval/sentences.h"
#include "core/tokenizer/utf8.h"

namespace ropescope {
namespace {

constexpr std::int64_t kMostFactTokens = 64;  // longer ones are drawn again
constexpr std::int64_t kLeastText = 64;       // tokens of the book in a window

struct Fact {
  PlantedFact fact;
  TokenIds ids;             // with the blank in front
  std::int64_t border = 0;  // token of the book before which it stands
};

// Everything that windows are made from.
struct Maker {
  std::shared_ptr<const Tokenizer> tokenizer;
  const PromptFormat& format;
  const QuestionConfig& config;
  DocumentFrame frame;
  std::vector<std::string> words;  // for passwords and magic numbers
  std::vector<std::shared_ptr<const BookTokens>> books;

  bool asks(QuestionType type) const {
    return std::find(config.types.begin(), config.types.end(), type) != config.types.end();
  }
  // Tokens of a document.
  std::int64_t documentTokens() const { return config.length - kQuestionRoom; }
  std::int64_t frameTokens() const {
    return static_cast<std::int64_t>(frame.head.size() + frame.tail.size());
  }
};

Result<std::vector<Fact>> drawFacts(const Maker& maker, SplitMix& random) {
  std::vector<Fact> facts;
  std::set<std::string> seen;
  while (maker.asks(QuestionType::Fact) &&
         static_cast<std::int64_t>(facts.size()) < kQuestionsPerWindow) {
    const auto kind = static_cast<FactKind>(random.below(kFactKinds));
    PlantedFact fact = drawFact(kind, maker.words, random);
    const bool fresh = std::none_of(fact.questions.begin(), fact.questions.end(),
                                    [&](const auto& each) { return seen.contains(each.first); });
    auto ids = encodeInside(*maker.tokenizer, " " + fact.sentence);
    if (!ids) return ids.error();
    if (!fresh || static_cast<std::int64_t>(ids->size()) > kMostFactTokens) continue;
    for (const auto& [question, answer] : fact.questions) seen.insert(question);
    facts.push_back({std::move(fact), *std::move(ids)});
  }
  return facts;
}

// A stretch of a book.
struct Stretch {
  const BookTokens& book;
  std::int64_t begin = 0;
  std::int64_t end = 0;

  // Bytes of the tokens from … to, without half a character at the end.
  std::string_view text(std::int64_t from, std::int64_t to) const {
    if (from >= to) return {};
    const auto first = static_cast<std::size_t>(book.spans[static_cast<std::size_t>(from)].begin);
    const auto last = static_cast<std::size_t>(book.spans[static_cast<std::size_t>(to) - 1].end);
    const std::string_view bytes = std::string_view(book.text).substr(first, last - first);
    const auto invalid = firstInvalidUtf8(bytes);
    return invalid ? bytes.substr(0, static_cast<std::size_t>(*invalid)) : bytes;
  }
};

Result<Stretch> drawStretch(const BookTokens& book, std::int64_t tokens, SplitMix& random) {
  const auto last =
      std::upper_bound(book.borders.begin(), book.borders.end(), book.size() - tokens);
  if (last == book.borders.begin()) {
    return Error{ErrorCode::InvalidArgument,
                 book.name + " has no end of a sentence with " + countText(tokens) +
                     " tokens behind it; give a longer document or shorter lengths"};
  }
  const auto choices = static_cast<std::uint64_t>(last - book.borders.begin());
  const std::int64_t begin = book.borders[random.below(choices)];
  return Stretch{book, begin, begin + tokens};
}

void placeFacts(std::vector<Fact>& facts, const Stretch& stretch, SplitMix& random) {
  const auto& borders = stretch.book.borders;
  const auto first = std::upper_bound(borders.begin(), borders.end(), stretch.begin);
  const auto end = std::lower_bound(first, borders.end(), stretch.end);
  for (Fact& fact : facts) {
    fact.border = first == end ? stretch.end
                               : first[static_cast<std::ptrdiff_t>(
                                     random.below(static_cast<std::uint64_t>(end - first)))];
  }
  std::stable_sort(facts.begin(), facts.end(),
                   [](const Fact& a, const Fact& b) { return a.border < b.border; });
}

QuestionWindow windowWith(const Maker& maker, const std::vector<Fact>& facts,
                          const Stretch& stretch) {
  QuestionWindow window{.book = stretch.book.name, .begin = stretch.begin};
  window.document = maker.frame.head;
  std::int64_t at = stretch.begin;
  const auto copyTo = [&](std::int64_t end) {
    window.document.insert(window.document.end(), stretch.book.ids.begin() + at,
                           stretch.book.ids.begin() + end);
    window.text += stretch.text(at, end);
    at = end;
  };
  for (const Fact& fact : facts) {
    copyTo(fact.border);
    window.document.insert(window.document.end(), fact.ids.begin(), fact.ids.end());
    window.text += " " + fact.fact.sentence;
  }
  copyTo(stretch.end);
  window.document.insert(window.document.end(), maker.frame.tail.begin(), maker.frame.tail.end());
  return window;
}

// False when question and answer do not fit into the room behind the document.
Result<bool> addQuestion(const Maker& maker, QuestionType type, const TextQuestion& asked,
                         QuestionWindow& window) {
  auto part = questionPart(maker.format, *maker.tokenizer, asked.question);
  if (!part) return part.error();
  const auto answer = encodeInside(*maker.tokenizer, asked.answer);
  if (!answer) return answer.error();
  const auto answerTokens = static_cast<std::int64_t>(answer->size());
  if (static_cast<std::int64_t>(part->ids.size()) + answerTokens + kAnswerSpare > kQuestionRoom) {
    return false;
  }
  window.questions.push_back(
      {type, asked.question, asked.answer, std::move(part->ids), answerTokens});
  return true;
}

Status addFactQuestions(const Maker& maker, const std::vector<Fact>& facts, SplitMix& random,
                        QuestionWindow& window) {
  for (const Fact& fact : facts) {
    const auto& [question, answer] = fact.fact.questions[random.below(fact.fact.questions.size())];
    const auto added = addQuestion(maker, QuestionType::Fact, {question, answer}, window);
    if (!added) return added.error();
  }
  return Done{};
}

Status addTextQuestions(const Maker& maker, const Stretch& stretch, SplitMix& random,
                        QuestionWindow& window) {
  std::vector<std::string> sentences;
  for (const std::string_view each : wholeSentences(stretch.text(stretch.begin, stretch.end))) {
    sentences.push_back(squeezed(each));
  }
  for (std::size_t i = sentences.size(); i > 1; --i) {
    std::swap(sentences[i - 1], sentences[random.below(i)]);
  }
  const TextQuestions questions(window.text);
  for (const QuestionType type : kQuestionTypes) {
    std::int64_t asked = 0;
    for (std::string& sentence : sentences) {
      if (!maker.asks(type) || asked == kQuestionsPerWindow) break;
      const auto question = questions.ask(type, sentence, random);
      if (!question) continue;
      const auto added = addQuestion(maker, type, *question, window);
      if (!added) return added.error();
      if (!*added) continue;
      sentence.clear();  // every sentence is asked about once
      ++asked;
    }
  }
  return Done{};
}

Result<QuestionWindow> makeWindow(const Maker& maker, std::int64_t number) {
  SplitMix random(seedFor(maker.config.seed, "questions/" + std::to_string(maker.config.length) +
                                                 "/" + std::to_string(number)));
  const BookTokens& book = *maker.books[static_cast<std::size_t>(number) % maker.books.size()];
  auto facts = drawFacts(maker, random);
  if (!facts) return facts.error();
  std::int64_t tokens = maker.documentTokens() - maker.frameTokens();
  for (const Fact& fact : *facts) tokens -= static_cast<std::int64_t>(fact.ids.size());
  const auto stretch = drawStretch(book, tokens, random);
  if (!stretch) return stretch.error();
  placeFacts(*facts, *stretch, random);
  QuestionWindow window = windowWith(maker, *facts, *stretch);
  if (Status added = addFactQuestions(maker, *facts, random, window); !added) return added.error();
  if (Status added = addTextQuestions(maker, *stretch, random, window); !added) {
    return added.error();
  }
  return window;
}

Status checkLength(const Maker& maker) {
  const std::int64_t least =
      kQuestionRoom + maker.frameTokens() + kLeastText +
      (maker.asks(QuestionType::Fact) ? kQuestionsPerWindow * kMostFactTokens : 0);
  if (maker.config.length >= least) return Done{};
  return Error{
      ErrorCode::InvalidArgument,
      "a window of " + countText(maker.config.length) +
          " tokens is too short for a passage, its facts and a question; give lengths from " +
          std::to_string(least) + " up"};
}

// Leaves out the books that are too short for a window.
Status chooseBooks(Maker& maker, const std::vector<std::shared_ptr<const BookTokens>>& books,
                   std::vector<std::string>& notices) {
  std::int64_t longest = 0;
  for (const auto& book : books) {
    longest = std::max(longest, book->size());
    if (book->size() >= maker.documentTokens()) {
      maker.books.push_back(book);
    } else {
      notices.push_back(book->name + " has " + countText(book->size()) +
                        " tokens and is left out at " + countText(maker.config.length) +
                        ", which needs " + countText(maker.documentTokens()));
    }
  }
  if (!maker.books.empty()) return Done{};
  return Error{ErrorCode::InvalidArgument,
               "the longest document has " + countText(longest) + " tokens, a window of " +
                   countText(maker.config.length) + " takes " + countText(maker.documentTokens()) +
                   "; give a longer document or lengths up to " +
                   std::to_string(longest + kQuestionRoom)};
}

Status chooseWords(Maker& maker) {
  std::set<std::string> words;
  for (const auto& book : maker.books) {
    for (std::string& word : plainWords(book->text)) words.insert(std::move(word));
  }
  maker.words.assign(words.begin(), words.end());
  if (!maker.words.empty() || !maker.asks(QuestionType::Fact)) return Done{};
  return Error{ErrorCode::InvalidArgument,
               "the documents have no word of 5 to 9 letters a to z to make facts from; give "
               "English books or leave out the type fact"};
}

}  // namespace

Result<QuestionSet> bookQuestions(std::shared_ptr<const Tokenizer> tokenizer,
                                  const PromptFormat& format,
                                  const std::vector<std::shared_ptr<const BookTokens>>& books,
                                  const QuestionConfig& config) {
  auto frame = documentFrame(format, *tokenizer);
  if (!frame) return frame.error();
  Maker maker{.tokenizer = std::move(tokenizer),
              .format = format,
              .config = config,
              .frame = *std::move(frame),
              .words = {},
              .books = {}};
  QuestionSet set;
  if (Status fits = checkLength(maker); !fits) return fits.error();
  if (Status chosen = chooseBooks(maker, books, set.notices); !chosen) return chosen.error();
  if (Status chosen = chooseWords(maker); !chosen) return chosen.error();
  std::map<QuestionType, std::int64_t> asked;
  const auto complete = [&] {
    return std::all_of(config.types.begin(), config.types.end(),
                       [&](QuestionType type) { return asked[type] == config.count; });
  };
  // A text may be poor in one type: not for ever.
  const std::int64_t mostWindows = 4 * (config.count / kQuestionsPerWindow + 2);
  for (std::int64_t number = 0; number < mostWindows && !complete(); ++number) {
    auto window = makeWindow(maker, number);
    if (!window) return window.error();
    std::erase_if(window->questions, [&](const BookQuestion& question) {
      return asked[question.type] == config.count || (++asked[question.type], false);
    });
    if (!window->questions.empty()) set.windows.push_back(*std::move(window));
  }
  for (const QuestionType type : config.types) {
    if (asked[type] == config.count) continue;
    set.notices.push_back("only " + countText(asked[type]) + " of " + countText(config.count) +
                          " questions of the type " + std::string(questionTypeName(type)) +
                          " could be made at " + countText(config.length));
  }
  return set;
}

}  // namespace ropescope
