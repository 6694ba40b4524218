#include "core/eval/question_run.h"

#include <set>
#include <tuple>

#include "core/base/memory_size.h"
#include "core/eval/result_fields.h"
#include "core/eval/retrieval_session.h"

namespace ropescope {
namespace {

using WindowKey = std::tuple<std::string, std::int64_t, std::int64_t>;

std::string soFar(std::int64_t correct, std::int64_t asked) {
  return countText(correct) + " of " + countText(asked) + " right";
}

// One method at one length.
struct Column {
  const Engine& engine;
  const CurveSettings& method;
  const QuestionLength& asked;
  LengthPlan plan;
};

Result<AnsweredWindow> answerWindow(const Column& column, Session& session, std::int64_t index,
                                    const JobControl& job) {
  const QuestionWindow& window = column.asked.windows[static_cast<std::size_t>(index)];
  AnsweredWindow answered{.method = column.method.label,
                          .length = column.asked.length,
                          .window = index,
                          .book = window.book,
                          .begin = window.begin,
                          .answers = {}};
  for (const BookQuestion& question : window.questions) {
    const auto answer = greedyAnswer(column.engine, session, {window.document, question.ids},
                                     question.answerTokens + kAnswerSpare, job);
    if (!answer) return answer.error();
    answered.answers.push_back({.type = std::string(questionTypeName(question.type)),
                                .question = question.question,
                                .expected = question.answer,
                                .answer = *answer,
                                .correct = judgeText(*answer, question.answer).found});
  }
  return answered;
}

Status measureColumn(const Column& column, const std::vector<std::int64_t>& windows, ResultLog& log,
                     const WindowSink& onWindow, const JobControl& job) {
  if (windows.empty()) return Done{};
  auto session = sessionAt(column.engine, column.method, column.plan);
  if (!session) return session.error();
  const std::string stage =
      column.method.label + " at " + countText(column.asked.length) + ", window";
  const auto total = static_cast<std::int64_t>(windows.size());
  std::int64_t correct = 0;
  std::int64_t asked = 0;
  for (std::int64_t done = 0; done < total; ++done) {
    job.report({stage, done, total, soFar(correct, asked)});
    const auto answered =
        answerWindow(column, **session, windows[static_cast<std::size_t>(done)], job);
    if (!answered) return answered.error();
    if (Status kept = log.append(windowJson(*answered)); !kept) return kept;
    if (onWindow) onWindow(*answered);
    for (const QuestionAnswer& each : answered->answers) correct += each.correct ? 1 : 0;
    asked += static_cast<std::int64_t>(answered->answers.size());
  }
  job.report({stage, total, total, soFar(correct, asked)});
  return Done{};
}

LengthPlan planOf(const QuestionRequest& request, const QuestionLength& asked) {
  return {.longest = request.lengths.back().length, .length = asked.length};
}

}  // namespace

ResultJson windowJson(const AnsweredWindow& window) {
  ResultJson json = {{"method", window.method}, {"length", window.length},
                     {"window", window.window}, {"book", window.book},
                     {"begin", window.begin},   {"answers", ResultJson::array()}};
  for (const QuestionAnswer& each : window.answers) {
    json["answers"].push_back({{"type", each.type},
                               {"question", each.question},
                               {"expected", each.expected},
                               {"answer", each.answer},
                               {"correct", each.correct}});
  }
  return json;
}

Result<AnsweredWindow> windowFrom(const ResultJson& json) {
  AnsweredWindow window;
  ResultFields fields(json);
  fields.read("method", window.method);
  fields.read("length", window.length);
  fields.read("window", window.window);
  fields.read("book", window.book);
  fields.read("begin", window.begin);
  for (const ResultJson& each : fields.list("answers")) {
    QuestionAnswer answer;
    ResultFields inner(each);
    inner.read("type", answer.type);
    inner.read("question", answer.question);
    inner.read("expected", answer.expected);
    inner.read("answer", answer.answer);
    inner.read("correct", answer.correct);
    fields.take(inner);
    window.answers.push_back(std::move(answer));
  }
  if (Status whole = fields.status(); !whole) return whole.error();
  return window;
}

Status measureQuestions(const Engine& engine, const QuestionRequest& request, ResultLog& log,
                        const WindowSink& onWindow, const JobControl& job) {
  for (const CurveSettings& method : request.methods) {
    for (const QuestionLength& asked : request.lengths) {
      if (Status planned = checkPlan(engine, method, planOf(request, asked)); !planned) {
        return planned;
      }
    }
  }
  std::set<WindowKey> known;
  for (const ResultJson& record : log.records()) {
    const auto window = windowFrom(record);
    if (!window) return window.error();
    const bool fresh = known.insert({window->method, window->length, window->window}).second;
    if (fresh && onWindow) onWindow(*window);
  }
  for (const CurveSettings& method : request.methods) {
    for (const QuestionLength& asked : request.lengths) {
      std::vector<std::int64_t> missing;
      for (std::int64_t i = 0; i < static_cast<std::int64_t>(asked.windows.size()); ++i) {
        if (!known.contains({method.label, asked.length, i})) missing.push_back(i);
      }
      Status measured = measureColumn({engine, method, asked, planOf(request, asked)}, missing, log,
                                      onWindow, job);
      if (!measured) return measured;
    }
  }
  return Done{};
}

std::vector<QuestionAccuracy> questionAccuracy(const std::vector<AnsweredWindow>& windows,
                                               const QuestionRequest& request) {
  std::vector<QuestionAccuracy> accuracy;
  for (const CurveSettings& method : request.methods) {
    for (const QuestionLength& asked : request.lengths) {
      for (const QuestionType type : kQuestionTypes) {
        QuestionAccuracy own{.method = method.label, .length = asked.length, .type = type};
        for (const AnsweredWindow& window : windows) {
          if (window.method != own.method || window.length != own.length) continue;
          for (const QuestionAnswer& answer : window.answers) {
            if (answer.type != questionTypeName(type)) continue;
            ++own.asked;
            if (answer.correct) ++own.correct;
          }
        }
        if (own.asked == 0) continue;
        own.interval = wilsonInterval(own.correct, own.asked);
        accuracy.push_back(std::move(own));
      }
    }
  }
  return accuracy;
}

}  // namespace ropescope
