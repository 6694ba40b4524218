// The bundled model's kinds of question over any book: planted facts, quotes, missing words,
// sentences. Kinds and wording as in resources/models/bookworm-11m/recipe/questions.py.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/eval/planted_document.h"
#include "core/eval/text_questions.h"

namespace ropescope {

struct BookQuestion {
  QuestionType type = QuestionType::Fact;
  std::string question;
  std::string answer;             // white space squeezed
  TokenIds ids;                   // the question part
  std::int64_t answerTokens = 0;  // of the answer, without EOS
};

// One document with its questions, to be asked one by one.
struct QuestionWindow {
  std::string book;
  std::int64_t begin = 0;  // first token in the book
  TokenIds document;       // BOS, text with the planted facts; the format's words around them
  std::string text;        // of the document, as far as the format's words
  std::vector<BookQuestion> questions;
};

struct QuestionConfig {
  std::int64_t length = 0;          // tokens of document, question and answer together, at most
  std::int64_t count = 0;           // questions of every type
  std::vector<QuestionType> types;  // each once
  std::uint64_t seed = 0;
};

// Kept free behind every document for one question and its answer; what needs more is not asked.
inline constexpr std::int64_t kQuestionRoom = 128;
// Of every type, in one window.
inline constexpr std::int64_t kQuestionsPerWindow = 4;
// How much longer than expected an answer may become before it is cut and wrong.
inline constexpr std::int64_t kAnswerSpare = 8;

struct QuestionSet {
  std::vector<QuestionWindow> windows;
  std::vector<std::string> notices;  // books left out, types with fewer questions than wanted
};

// The document of a window has exactly length - kQuestionRoom tokens: a stretch of a book that
// starts behind a sentence, with the facts planted between its sentences. Windows take the books in
// turn, at random places. Everything depends on the seed, the length and the books alone, so all
// methods are asked the same.
// Unlike the recipe, only questions with a single right answer are asked: the quoted words stand
// once in the document, so do the words on one side of a gap, the mentioned word stands in one
// sentence, and no two facts share a question. Errors: InvalidArgument (length too short for a
// window with its facts, every book too short); those of the format and the tokenizer.
Result<QuestionSet> bookQuestions(std::shared_ptr<const Tokenizer> tokenizer,
                                  const PromptFormat& format,
                                  const std::vector<std::shared_ptr<const BookTokens>>& books,
                                  const QuestionConfig& config);

}  // namespace ropescope
