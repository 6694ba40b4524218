// longrope search: factors for a target length, and what they are worth on other books.
#include <algorithm>
#include <chrono>

#include "app/cli/commands.h"
#include "app/cli/longrope_report.h"
#include "app/cli/longrope_setup.h"
#include "app/cli/text.h"
#include "core/base/file_io.h"
#include "core/base/memory_size.h"
#include "core/calibration/longrope_log.h"

namespace ropescope::cli {
namespace {

using calibration::Candidate;
using calibration::Evaluation;
using calibration::SearchEnd;
using calibration::SearchResult;
using calibration::SearchSample;
using calibration::SearchSpace;

bool isBeyond(const SearchSpace& space) {
  return space.context.plannedLength > space.context.originalLength;
}

std::filesystem::path logPath(const Options& options) {
  return options.out->string() + ".search.jsonl";
}

void describe(Run& run, const LongropeSearch& search, const Json& settings) {
  const Options& options = run.options();
  for (const auto& [name, value] : settings.items()) run.settings()[name] = value;
  Json files = Json::array();
  for (const auto& path : options.corpus) files.push_back(path.string());
  run.settings()["corpus"] = std::move(files);
  run.settings()["search_samples"] = samplesJson(search.samples);
  run.settings()["evaluations"] = options.longrope.evaluations;
  run.settings()["max_minutes"] = options.maxMinutes ? Json(*options.maxMinutes) : Json(nullptr);
  run.settings()["out"] = options.out->string();
  run.settings()["log"] = logPath(options).string();
  std::string places;
  constexpr std::size_t kMostNamed = 3;
  for (std::size_t i = 0; i < std::min(kMostNamed, search.samples.size()); ++i) {
    const SearchSample& sample = search.samples[i];
    places += (i > 0 ? ", " : "") + sample.book;
    if (sample.question.empty()) places += " from token " + countText(sample.begin);
  }
  if (search.samples.size() > kMostNamed) places += ", …";
  run.console().info("scored on " + countText(static_cast<std::int64_t>(search.samples.size())) +
                     (search.samples.front().question.empty() ? " windows" : " needles") + " of " +
                     tokensText(*options.context) + " (" + places + "); all places are in --json");
}

Result<SearchResult> runSearch(Run& run, const LongropeSearch& search, ResultLog& log) {
  using Clock = std::chrono::steady_clock;
  const Options& options = run.options();
  auto replay = calibration::evaluationsFrom(log.records(), logPath(options));
  if (!replay) return replay.error();
  const auto known = static_cast<std::int64_t>(replay->size());
  const std::int64_t all = std::max(options.longrope.evaluations, known);
  const auto start = Clock::now();
  const auto seconds = [start] {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  calibration::SearchHooks hooks;
  hooks.score = calibration::sampleScore(run.engine().shared_from_this(), search.samples,
                                         search.space.context, search.session, run.job());
  hooks.replay = *std::move(replay);
  hooks.record = [&log](const Evaluation& each) { return log.append(recordOf(each)); };
  hooks.onEvaluation = [&](const SearchResult& so_far) {
    const auto done = static_cast<std::int64_t>(so_far.evaluations.size());
    const Evaluation& best = so_far.bestEvaluation();
    if (done == known)
      run.console().info("resumed after " + countText(known) +
                         " evaluations; best so far: " + evaluationText(best, all));
    if (done > known && best.number == done) run.console().info(evaluationText(best, all));
    const double pace = done > known ? seconds() / static_cast<double>(done - known) : 0.0;
    run.console().progress({"longrope search", done, all,
                            "best loss " + fixed(best.loss, 4) + ", " + secondsText(pace) +
                                " an evaluation, " +
                                secondsText(pace * static_cast<double>(all - done)) + " left"});
  };
  if (options.maxMinutes) {
    hooks.outOfTime = [&] { return seconds() >= *options.maxMinutes * 60.0; };
  }
  auto result = calibration::searchFactors(search.space, search.settings, hooks, run.job());
  run.console().endProgress();
  if (result && static_cast<std::int64_t>(result->evaluations.size()) > known) {
    run.fields()["seconds_per_evaluation"] =
        seconds() /
        static_cast<double>(result->evaluations.size() - static_cast<std::size_t>(known));
  }
  return result;
}

Status writeFactors(Run& run, const LongropeSearch& search, const Candidate& found) {
  const auto& path = *run.options().out;
  rope::RescaleFactors factors = search.other;
  (isBeyond(search.space) ? factors.longFactor : factors.shortFactor) = found.factors;
  factors.unscaledTokens = found.unscaledTokens;
  const std::string text = path.extension() == ".csv"
                               ? rope::factorColumn(found.factors)
                               : rope::factorBlock(factors, search.space.context);
  if (Status written = writeFileAtomically(path, text); !written) return written;
  run.console().print(path.string() +
                      " is written: use it with --rope longrope --rope-param factors=" +
                      path.string() + " --factor " + compact(search.space.context.factor) + "\n");
  return Done{};
}

Status judge(Run& run, const LongropeSearch& search, const Candidate& found) {
  if (search.judges.empty()) return Done{};
  const auto judgement = calibration::judgeFactors(
      run.engine(), search.judges, search.space, found,
      {.windowsPerBook = run.options().longrope.judgeWindows, .session = search.session},
      run.job());
  run.console().endProgress();
  if (!judgement) {
    return Error{judgement.error().code,
                 "the search is done, judging is not: " + judgement.error().message +
                     " (--resume judges without searching again)"};
  }
  run.fields()["judge"] = judgementJson(*judgement);
  run.console().print(judgementText(*judgement));
  return Done{};
}

}  // namespace

Status runLongropeSearch(Run& run) {
  const auto search = prepareSearch(run);
  if (!search) return search.error();
  const auto settings = searchIdentity(run, *search);
  if (!settings) return settings.error();
  describe(run, *search, *settings);
  auto log = ResultLog::open(logPath(run.options()), *settings,
                             run.options().resume ? LogStart::Resume : LogStart::Fresh);
  if (!log) return log.error();
  if (!log->notice().empty()) run.notice(log->notice());
  const auto result = runSearch(run, *search, *log);
  if (!result) return result.error();
  const Evaluation& best = result->bestEvaluation();
  searchFields(run.fields(), *result);
  run.fields()["judge"] = nullptr;
  run.keepResult();
  const auto plan = run.engine().plan(choiceOf(best.candidate, search->space.context),
                                      search->space.context.plannedLength);
  if (!plan) return plan.error();
  run.console().print(resultTable(*result, *plan));
  if (result->end == SearchEnd::Time) {
    run.console().info("time is up; --resume goes on");
  }
  if (best.isSeed) return result->end == SearchEnd::Stopped ? Status(Done{}) : seedIsBest(*result);
  if (Status written = writeFactors(run, *search, best.candidate); !written) return written;
  if (result->end == SearchEnd::Stopped) return Done{};
  return judge(run, *search, best.candidate);
}

}  // namespace ropescope::cli
