// Book questions put to a model under several methods: every window is kept as soon as it is done.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/eval/book_questions.h"
#include "core/eval/perplexity.h"
#include "core/eval/proportion.h"
#include "core/eval/result_log.h"

namespace ropescope {

struct QuestionAnswer {
  std::string type;
  std::string question;
  std::string expected;
  std::string answer;
  bool correct = false;  // the whole answer, white space squeezed
};

// All questions of one window under one method.
struct AnsweredWindow {
  std::string method;  // label
  std::int64_t length = 0;
  std::int64_t window = 0;  // index within the length
  std::string book;
  std::int64_t begin = 0;
  std::vector<QuestionAnswer> answers;
};

// A line of the result file. Reading back: CorruptFile when a field is missing or of another kind.
ResultJson windowJson(const AnsweredWindow& window);
Result<AnsweredWindow> windowFrom(const ResultJson& json);

struct QuestionLength {
  std::int64_t length = 0;  // tokens of document, question and answer together, at most
  std::vector<QuestionWindow> windows;
};

struct QuestionRequest {
  std::vector<CurveSettings> methods;
  std::vector<QuestionLength> lengths;  // ascending
};

using WindowSink = std::function<void(const AnsweredWindow&)>;

// Windows that `log` holds are not asked again; each new one is appended to it. `onWindow` sees all
// of them: those from the log first. A window's document is read once for all its questions.
// Errors: those of the plans before any work; Cancelled, with every finished window in the log;
// those of the log.
Status measureQuestions(const Engine& engine, const QuestionRequest& request, ResultLog& log,
                        const WindowSink& onWindow, const JobControl& job);

struct QuestionAccuracy {
  std::string method;
  std::int64_t length = 0;
  QuestionType type = QuestionType::Fact;
  std::int64_t correct = 0;
  std::int64_t asked = 0;
  ShareInterval interval;
};

// One for every method, length and type with answers, in the order of the request.
std::vector<QuestionAccuracy> questionAccuracy(const std::vector<AnsweredWindow>& windows,
                                               const QuestionRequest& request);

}  // namespace ropescope
