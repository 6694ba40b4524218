// longrope search: factors for a target length, and what they are worth on other books.
#include <algorithm>
#include <chrono>

#include "app/cli/commands.h"
#include "app/cli/longrope_report.h"
#include "app/cli/text.h"
#include "core/base/file_io.h"
#include "core/base/memory_size.h"
#include "core/base/sha256.h"
#include "core/calibration/longrope_log.h"
#include "core/rope/factor_file.h"

namespace ropescope::cli {
namespace {

using calibration::Candidate;
using calibration::Evaluation;
using calibration::SearchEnd;
using calibration::SearchResult;
using calibration::SearchSample;
using calibration::SearchSpace;

// Everything that a search is made of.
struct Search {
  calibration::SearchSettings settings;
  SearchSpace space;
  SessionOptions session;              // calibration and chunk
  rope::RescaleFactors other;          // the list that is not searched
  std::vector<EvaluationBook> judges;  // books for --judge
  std::vector<SearchSample> samples;
};

bool isBeyond(const SearchSpace& space) {
  return space.context.plannedLength > space.context.originalLength;
}

std::filesystem::path logPath(const Options& options) {
  return options.out->string() + ".search.jsonl";
}

Error wrongOut(const Options& options, const std::string& why) {
  return Error{ErrorCode::InvalidArgument, "--out is " + options.out->string() + "; " + why};
}

// A CSV holds one column of long factors and nothing else.
Status checkOut(const Options& options, bool beyond) {
  const auto kind = options.out->extension();
  std::error_code ignored;
  if (std::filesystem::is_directory(*options.out, ignored)) {
    return wrongOut(options, "that is a folder, name a file in it");
  }
  if (kind != ".csv" && kind != ".json") {
    return wrongOut(options,
                    "the name says the form: .csv (one column of factors) or .json (a config's "
                    "rope_parameters)");
  }
  if (kind == ".json") return Done{};
  if (!beyond) {
    return wrongOut(options,
                    "a CSV holds long factors, these are short ones (the target is within "
                    "the trained length); name a .json file");
  }
  if (options.longrope.searchUnscaled) {
    return wrongOut(options,
                    "a CSV has no place for n-hat; name a .json file or leave "
                    "--search-unscaled out");
  }
  if (options.longrope.otherFactors) {
    return wrongOut(options, "a CSV holds one list; name a .json file to keep --other-factors");
  }
  return Done{};
}

Result<rope::RescaleFactors> readOther(const Options& options, std::size_t pairs, bool beyond) {
  rope::RescaleFactors other;
  if (!options.longrope.otherFactors) return other;
  const auto& path = *options.longrope.otherFactors;
  if (options.longrope.searchUnscaled) {
    return Error{ErrorCode::InvalidArgument,
                 "n-hat holds for both lists, and --other-factors brings its own; leave "
                 "--search-unscaled or --other-factors out"};
  }
  auto read = rope::readFactorFile(path);
  if (!read) return read.error();
  auto& list = beyond ? read->shortFactor : read->longFactor;
  const std::string name = beyond ? "short" : "long";
  if (list.size() != pairs) {
    return Error{ErrorCode::InvalidArgument, path.string() + " holds " +
                                                 std::to_string(list.size()) + " " + name +
                                                 " factors, one for each of the model's " +
                                                 std::to_string(pairs) + " rotary pairs is wanted"};
  }
  (beyond ? other.shortFactor : other.longFactor) = std::move(list);
  other.unscaledTokens = read->unscaledTokens;
  return other;
}

Status checkMinutes(const Options& options) {
  if (!options.maxMinutes || *options.maxMinutes > 0.0) return Done{};
  return Error{ErrorCode::InvalidArgument, "--max-minutes is " + exactNumber(*options.maxMinutes) +
                                               "; a number above 0 is wanted"};
}

// One hash over the contents, in order; NotFound names a file that cannot be read.
Result<std::string> corpusHash(const std::vector<std::filesystem::path>& files,
                               const std::vector<std::filesystem::path>& judges) {
  std::vector<std::string> judged;
  const auto hashOf = [](const std::filesystem::path& path) -> Result<std::string> {
    const auto bytes = readFile(path);
    if (!bytes) return bytes.error();
    Sha256 hash;
    hash.add(*bytes);
    return hash.hex();
  };
  for (const auto& path : judges) {
    auto hash = hashOf(path);
    if (!hash) return hash;
    judged.push_back(*std::move(hash));
  }
  Sha256 all;
  for (const auto& path : files) {
    const auto hash = hashOf(path);
    if (!hash) return hash;
    const auto same = std::find(judged.begin(), judged.end(), *hash);
    if (same != judged.end()) {
      return Error{ErrorCode::InvalidArgument,
                   judges[static_cast<std::size_t>(same - judged.begin())].string() +
                       " is in --corpus too (" + path.string() +
                       "); books that judge must be others than the search has seen"};
    }
    all.add(*hash + "\n");
  }
  return all.hex();
}

Result<SessionOptions> sessionFor(Run& run) {
  const Options& options = run.options();
  SessionOptions session;
  if (!options.calibration) return session;
  auto loaded = run.engine().loadCalibration(
      *options.calibration, options.force ? OriginCheck::Ignore : OriginCheck::Enforce);
  if (!loaded) return loaded.error();
  run.noticeCalibration((*loaded)->info());
  session.calibration = *std::move(loaded);
  session.pscStrength = options.pscStrength.value_or(1.0);
  session.lora = options.lora.value_or(true);
  return session;
}

Result<SearchSpace> spaceFor(Run& run, const calibration::SearchSettings& settings) {
  const Options& options = run.options();
  const auto plain =
      run.engine().plan({.id = "none", .values = {}, .factor = {}}, *options.context);
  if (!plain) return plain.error();
  rope::RopeContext context = plain->context;
  context.factor =
      options.factor.value_or(std::max(1.0, static_cast<double>(context.plannedLength) /
                                                static_cast<double>(context.originalLength)));
  return calibration::makeSearchSpace(context, settings);
}

Result<std::vector<SearchSample>> samplesFor(Run& run) {
  const Options& options = run.options();
  const calibration::SampleConfig config{
      .files = options.corpus,
      .count = options.longrope.samples,
      .length = *options.context,
      .seed = options.seed,
      .positions = options.longrope.positions,
      .log = [&run](LogLevel, const std::string& text) { run.notice(text); }};
  return options.longrope.objective == SearchObjective::Needle
             ? calibration::needleSamples(run.engine(), config)
             : calibration::perplexitySamples(run.engine(), config);
}

Result<Search> prepare(Run& run) {
  const Options& options = run.options();
  const bool beyond = *options.context > run.engine().config().trainedLength;
  if (Status out = checkOut(options, beyond); !out) return out.error();
  if (Status minutes = checkMinutes(options); !minutes) return minutes.error();
  Search search;
  const auto pairs = static_cast<std::size_t>(run.engine().config().headDim / 2);
  auto other = readOther(options, pairs, beyond);
  if (!other) return other.error();
  search.other = *std::move(other);
  search.settings = {.variant = options.longrope.variant,
                     .population = options.longrope.population,
                     .evaluations = options.longrope.evaluations,
                     .searchUnscaled = options.longrope.searchUnscaled,
                     .unscaledTokens = search.other.unscaledTokens.value_or(0),
                     .seed = options.seed};
  auto space = spaceFor(run, search.settings);
  if (!space) return space.error();
  search.space = *std::move(space);
  auto session = sessionFor(run);
  if (!session) return session.error();
  search.session = *std::move(session);
  for (const auto& path : options.longrope.judge) {
    auto book = calibration::readSearchBook(run.engine(), path);
    if (!book) return book.error();
    search.judges.push_back({std::move(book->name), std::move(book->ids)});
  }
  if (!search.judges.empty()) {  // what cannot be judged is refused before the work
    const auto windows = evaluationWindows(
        search.judges, {.length = *options.context, .bos = bosOf(run.engine()), .mostPerBook = 1});
    if (!windows) return windows.error();
  }
  auto samples = samplesFor(run);
  if (!samples) return samples.error();
  search.samples = *std::move(samples);
  return search;
}

// All that decides candidates and losses; the log of a resumed search must have the same.
Result<Json> identity(Run& run, const Search& search) {
  const Options& options = run.options();
  const auto corpus = corpusHash(options.corpus, options.longrope.judge);
  if (!corpus) return corpus.error();
  const bool needle = options.longrope.objective == SearchObjective::Needle;
  const bool all = options.longrope.positions == calibration::ScoredPositions::All;
  return Json{{"command", options.command},
              {"model_hash", run.engine().modelHash()},
              {"device", run.engine().device()},
              {"dtype", run.engine().dtype()},
              {"context", search.space.context.plannedLength},
              {"trained_length", search.space.context.originalLength},
              {"factor", search.space.context.factor},
              {"variant", calibration::variantName(search.settings.variant)},
              {"population", search.settings.population},
              {"search_unscaled", search.settings.searchUnscaled},
              {"unscaled_tokens", search.settings.unscaledTokens},
              {"seed", options.seed},
              {"objective", needle ? "needle" : "perplexity"},
              {"samples", options.longrope.samples},
              {"positions", needle ? "answers"
                            : all  ? "all"
                                   : "second-half"},
              {"corpus_files", options.corpus.size()},
              {"corpus_sha256", *corpus},
              {"calibration_sha256",
               options.calibration ? sha256Json(*options.calibration) : Json(nullptr)},
              {"psc_strength", search.session.pscStrength},
              {"lora", search.session.lora},
              {"chunk", search.session.chunkTokens}};
}

void describe(Run& run, const Search& search, const Json& settings) {
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

Result<SearchResult> runSearch(Run& run, const Search& search, ResultLog& log) {
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
    if (done == known) run.console().info("resumed at " + evaluationText(best, all));
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

Status writeFactors(Run& run, const Search& search, const Candidate& found) {
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

Status judge(Run& run, const Search& search, const Candidate& found) {
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
  const auto search = prepare(run);
  if (!search) return search.error();
  const auto settings = identity(run, *search);
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
  if (best.isSeed) return result->end == SearchEnd::Stopped ? Status(Done{}) : seedIsBest(*result);
  if (Status written = writeFactors(run, *search, best.candidate); !written) return written;
  if (result->end == SearchEnd::Stopped) return Done{};
  return judge(run, *search, best.candidate);
}

}  // namespace ropescope::cli
