#include "app/cli/longrope_setup.h"

#include <algorithm>

#include "app/cli/text.h"
#include "core/base/file_io.h"
#include "core/base/sha256.h"
#include "core/calibration/corpus.h"

namespace ropescope::cli {
namespace {

using calibration::SearchSample;
using calibration::SearchSpace;

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

// Options that are out of range or would change nothing.
Status checkOptions(const Options& options) {
  const LongropeOptions& longrope = options.longrope;
  std::string wrong;
  if (options.maxMinutes && !(*options.maxMinutes > 0.0)) {
    wrong = "--max-minutes is " + exactNumber(*options.maxMinutes) + "; a number above 0 is wanted";
  } else if (longrope.objective == SearchObjective::Needle &&
             longrope.positions != calibration::ScoredPositions::All) {
    wrong = "--search-positions is about windows, needles score the answer alone; leave it out";
  } else if (longrope.judgeWindows > 0 && longrope.judge.empty()) {
    wrong = "--judge-windows counts windows of --judge texts; give some or leave it out";
  } else if (longrope.variant == calibration::SearchVariant::Local &&
             longrope.population != LongropeOptions{}.population) {
    wrong = "--search-population has no meaning for the local variant; leave it out";
  }
  if (wrong.empty()) return Done{};
  return Error{ErrorCode::InvalidArgument, wrong};
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

Result<std::vector<SearchSample>> samplesFor(Run& run,
                                             const std::vector<std::filesystem::path>& corpus) {
  const Options& options = run.options();
  const calibration::SampleConfig config{
      .files = corpus,
      .count = options.longrope.samples,
      .length = *options.context,
      .seed = options.seed,
      .positions = options.longrope.positions,
      .log = [&run](LogLevel, const std::string& text) { run.notice(text); }};
  return options.longrope.objective == SearchObjective::Needle
             ? calibration::needleSamples(run.engine(), config)
             : calibration::perplexitySamples(run.engine(), config);
}

}  // namespace

Result<LongropeSearch> prepareSearch(Run& run) {
  const Options& options = run.options();
  const bool beyond = *options.context > run.engine().config().trainedLength;
  if (Status out = checkOut(options, beyond); !out) return out.error();
  if (Status valid = checkOptions(options); !valid) return valid.error();
  LongropeSearch search;
  auto corpus = calibration::corpusFiles(options.corpus);
  if (!corpus) return corpus.error();
  search.corpus = *std::move(corpus);
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
  auto samples = samplesFor(run, search.corpus);
  if (!samples) return samples.error();
  search.samples = *std::move(samples);
  return search;
}

Result<Json> searchIdentity(Run& run, const LongropeSearch& search) {
  const Options& options = run.options();
  const auto corpus = corpusHash(search.corpus, options.longrope.judge);
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
              {"corpus_files", search.corpus.size()},
              {"corpus_sha256", *corpus},
              {"calibration_sha256",
               options.calibration ? sha256Json(*options.calibration) : Json(nullptr)},
              {"psc_strength", search.session.pscStrength},
              {"lora", search.session.lora},
              {"chunk", run.engine().batchChunkTokens()}};
}

}  // namespace ropescope::cli
