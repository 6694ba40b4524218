#include "core/eval/retrieval_grid.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/base/memory_size.h"
#include "core/eval/result_fields.h"
#include "core/eval/retrieval_session.h"

namespace ropescope {
namespace {

using CellKey = std::tuple<std::string, std::int64_t, double>;

CellKey keyOf(const RetrievalCell& cell) {
  return {cell.method, cell.length, cell.depth};
}

// What can be refused now is not refused after minutes.
Status checkRequest(const Engine& engine, const GridRequest& request) {
  for (const std::int64_t length : request.lengths) {
    for (const double depth : request.depths) {
      const auto prompt = request.prompt(length, depth, 0);
      if (!prompt) return prompt.error();
    }
    for (const CurveSettings& method : request.methods) {
      Status planned = checkPlan(engine, method,
                                 {.longest = request.lengths.back(),
                                  .length = length,
                                  .answerRoom = request.mostAnswerTokens});
      if (!planned) return planned;
    }
  }
  return Done{};
}

std::string soFar(std::int64_t found, std::int64_t asked) {
  return countText(found) + " of " + countText(asked) + " found";
}

// One method at one length.
struct Column {
  const Engine& engine;
  const GridRequest& request;
  const CurveSettings& method;
  std::int64_t length = 0;
};

Result<RetrievalCell> measureCell(const Column& column, Session& session, double depth,
                                  const JobControl& job) {
  RetrievalCell cell{
      .method = column.method.label, .length = column.length, .depth = depth, .answers = {}};
  for (std::int64_t trial = 0; trial < column.request.trials; ++trial) {
    const auto prompt = column.request.prompt(column.length, depth, trial);
    if (!prompt) return prompt.error();
    const auto answer =
        greedyAnswer(column.engine, session, prompt->parts, column.request.mostAnswerTokens, job);
    if (!answer) return answer.error();
    cell.answers.push_back({.expected = prompt->expected,
                            .answer = *answer,
                            .judgement = column.request.judge(*answer, prompt->expected),
                            .needleBegin = prompt->needleBegin});
  }
  return cell;
}

Status measureColumn(const Column& column, const std::vector<double>& depths, ResultLog& log,
                     const CellSink& onCell, const JobControl& job) {
  if (depths.empty()) return Done{};
  auto session = sessionAt(column.engine, column.method,
                           {.longest = column.request.lengths.back(),
                            .length = column.length,
                            .answerRoom = column.request.mostAnswerTokens});
  if (!session) return session.error();
  const std::string stage = column.method.label + " at " + countText(column.length) + ", cell";
  const auto total = static_cast<std::int64_t>(depths.size());
  std::int64_t found = 0;
  std::int64_t asked = 0;
  for (std::int64_t done = 0; done < total; ++done) {
    job.report({stage, done, total, soFar(found, asked)});
    const auto cell = measureCell(column, **session, depths[static_cast<std::size_t>(done)], job);
    if (!cell) return cell.error();
    if (Status kept = log.append(cellJson(*cell)); !kept) return kept;
    if (onCell) onCell(*cell);
    found += cell->found();
    asked += cell->trials();
  }
  job.report({stage, total, total, soFar(found, asked)});
  return Done{};
}

}  // namespace

std::int64_t RetrievalCell::found() const {
  return std::count_if(answers.begin(), answers.end(),
                       [](const RetrievalAnswer& each) { return each.judgement.found; });
}

std::int64_t RetrievalCell::contained() const {
  return std::count_if(answers.begin(), answers.end(),
                       [](const RetrievalAnswer& each) { return each.judgement.contained; });
}

ResultJson cellJson(const RetrievalCell& cell) {
  ResultJson json = {{"method", cell.method},         {"length", cell.length},
                     {"depth", cell.depth},           {"found", cell.found()},
                     {"contained", cell.contained()}, {"trials", cell.trials()},
                     {"answers", ResultJson::array()}};
  for (const RetrievalAnswer& each : cell.answers) {
    json["answers"].push_back({{"expected", each.expected},
                               {"answer", each.answer},
                               {"found", each.judgement.found},
                               {"contained", each.judgement.contained},
                               {"needle_at", each.needleBegin}});
  }
  return json;
}

Result<RetrievalCell> cellFrom(const ResultJson& json) {
  RetrievalCell cell;
  ResultFields fields(json);
  fields.read("method", cell.method);
  fields.read("length", cell.length);
  fields.read("depth", cell.depth);
  for (const ResultJson& each : fields.list("answers")) {
    RetrievalAnswer answer;
    ResultFields inner(each);
    inner.read("expected", answer.expected);
    inner.read("answer", answer.answer);
    inner.read("found", answer.judgement.found);
    inner.read("contained", answer.judgement.contained);
    inner.read("needle_at", answer.needleBegin);
    fields.take(inner);
    cell.answers.push_back(std::move(answer));
  }
  if (Status whole = fields.status(); !whole) return whole.error();
  return cell;
}

Status measureGrid(const Engine& engine, const GridRequest& request, ResultLog& log,
                   const CellSink& onCell, const JobControl& job) {
  if (Status valid = checkRequest(engine, request); !valid) return valid;
  std::set<CellKey> known;
  for (const ResultJson& record : log.records()) {
    const auto cell = cellFrom(record);
    if (!cell) return cell.error();
    if (known.insert(keyOf(*cell)).second && onCell) onCell(*cell);
  }
  for (const CurveSettings& method : request.methods) {
    for (const std::int64_t length : request.lengths) {
      std::vector<double> missing;
      for (const double depth : request.depths) {
        if (!known.contains({method.label, length, depth})) missing.push_back(depth);
      }
      Status measured = measureColumn({engine, request, method, length}, missing, log, onCell, job);
      if (!measured) return measured;
    }
  }
  return Done{};
}

std::vector<EffectiveContext> effectiveContext(const std::vector<RetrievalCell>& cells,
                                               const GridRequest& request, double threshold) {
  std::set<CellKey> good;
  for (const RetrievalCell& cell : cells) {
    constexpr double kRounding = 1e-9;  // 0.1 * 30 is a little more than 3
    const double wanted = threshold * static_cast<double>(cell.trials()) - kRounding;
    if (cell.trials() > 0 && static_cast<double>(cell.found()) >= wanted) good.insert(keyOf(cell));
  }
  std::vector<EffectiveContext> contexts;
  for (const CurveSettings& method : request.methods) {
    EffectiveContext context{.method = method.label, .length = std::nullopt};
    for (const std::int64_t length : request.lengths) {
      const bool all = std::all_of(request.depths.begin(), request.depths.end(), [&](double depth) {
        return good.contains({method.label, length, depth});
      });
      if (!all) break;
      context.length = length;
    }
    contexts.push_back(std::move(context));
  }
  return contexts;
}

}  // namespace ropescope
