// sweep: measures what a settings file asks for, cell by cell, and makes tables from the results.
#include <algorithm>
#include <chrono>

#include "app/app_info.h"
#include "app/cli/commands.h"
#include "app/cli/inputs.h"
#include "app/cli/sweep_report.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/eval/sweep_run.h"

namespace ropescope::cli {
namespace {

namespace fs = std::filesystem;

// --document; else the settings' books in --books, or beside the settings.
std::vector<fs::path> bookPaths(const Run& run, const SweepSettings& settings) {
  const Options& options = run.options();
  if (!options.documents.empty()) return options.documents;
  const fs::path folder = options.sweep.books.value_or(options.sweep.settings->parent_path());
  std::vector<fs::path> paths;
  for (const auto& name : settings.books) paths.push_back(folder / name);
  return paths;
}

Result<std::vector<SweepBook>> readBooks(Run& run, const SweepSettings& settings) {
  if (!run.options().documents.empty() && run.options().sweep.books) {
    return Error{ErrorCode::InvalidArgument,
                 "--document and --books both say what to read; leave one out"};
  }
  if (run.options().sweep.books && settings.books.empty()) {
    return Error{ErrorCode::InvalidArgument,
                 run.options().sweep.settings->string() +
                     " names no books for --books; add \"books\" to it or give --document"};
  }
  const auto tokenizer = run.tokenizer();
  if (!tokenizer) return tokenizer.error();
  std::vector<SweepBook> books;
  Json described = Json::array();
  for (const fs::path& path : bookPaths(run, settings)) {
    auto text = readDocumentText(run, path);
    if (!text) return text.error();
    SweepBook book{.name = path.filename().string(), .text = *std::move(text), .ids = {}};
    book.ids = (*tokenizer)->encode(book.text).ids;
    described.push_back({{"path", path.string()},
                         {"sha256", run.settings()["document_sha256"]},
                         {"tokens", book.ids.size()}});
    books.push_back(std::move(book));
  }
  for (const char* key : {"document", "document_sha256", "document_tokens"}) {
    run.settings().erase(key);
  }
  run.settings()["documents"] = std::move(described);
  return books;
}

// Stops when the time is up, and when the person asks for it.
class TimeLimit {
 public:
  TimeLimit(Run& run, std::optional<double> minutes)
      : m_outer(run.job()),
        m_chain(m_outer.stop, [this] { m_stop.request_stop(); }) {
    if (minutes) m_end = Clock::now() + std::chrono::duration<double>(*minutes * 60.0);
  }

  JobControl job() {
    return {.stop = m_stop.get_token(), .onProgress = m_outer.onProgress, .betweenSteps = [this] {
              if (m_end && Clock::now() >= *m_end) m_stop.request_stop();
            }};
  }
  bool reached() const { return m_end && Clock::now() >= *m_end; }

 private:
  using Clock = std::chrono::steady_clock;
  using Time = std::chrono::time_point<Clock, std::chrono::duration<double>>;
  JobControl m_outer;
  std::stop_source m_stop;
  std::stop_callback<std::function<void()>> m_chain;
  std::optional<Time> m_end;
};

// LoRA pairs alone, or PSC modules alone, are variants like others: that they lack all of the other
// kind is no news here.
void noticeOf(Run& run, const CalibrationInfo& info) {
  const std::string other = info.hasPhase ? "_lora" : "_phase";
  const bool expected =
      info.hasPhase != info.hasLora && info.surplus.empty() &&
      std::all_of(info.missing.begin(), info.missing.end(),
                  [&](const auto& name) { return name.find(other) != std::string::npos; });
  if (!expected) return run.noticeCalibration(info);
  for (const auto& warning : info.warnings) run.notice(warning);
}

fs::path outputPath(const Options& options) {
  if (options.out) return *options.out;
  return options.sweep.settings->stem().string() + ".jsonl";
}

void noticeWaiting(Run& run, const SweepPlan& plan) {
  Json waiting = Json::array();
  for (const SweepWaiting& each : plan.waiting) {
    waiting.push_back({{"setting", each.label}, {"file", each.file}});
  }
  if (!plan.waiting.empty()) {
    run.notice(std::to_string(plan.waiting.size()) +
               " settings wait for files that are not there, "
               "the first is " +
               plan.waiting.front().file + "; make them and call again");
  }
  run.fields()["waiting"] = std::move(waiting);
}

Status measureMissing(Run& run, const SweepSettings& settings, std::vector<SweepBook> books) {
  const auto plan = planSweep(settings, books);
  if (!plan) return plan.error();
  noticeWaiting(run, *plan);
  const fs::path out = outputPath(run.options());
  auto log = ResultLog::open(out, sweepHeader(run.engine()), LogStart::Resume);
  if (!log) return log.error();
  if (!log->notice().empty()) run.notice(log->notice());
  const auto total = static_cast<std::int64_t>(plan->cells.size());
  const auto missing = static_cast<std::int64_t>(missingCells(plan->cells, log->records()).size());
  run.console().info(countText(total) + " cells, " + countText(total - missing) +
                     " of them are in " + out.string() + " already");
  std::int64_t measured = 0;
  TimeLimit limit(run, run.options().maxMinutes);
  const SweepInput input{
      .engine = run.engine(),
      .settings = settings,
      .books = std::move(books),
      .stamp = {{"device", run.engine().device()}, {"version", kAppVersion}},
      .log = [&](LogLevel, const std::string& text) { run.notice(text); },
      .onCalibration = [&](const CalibrationInfo& info) { noticeOf(run, info); }};
  const Status swept = measureSweep(
      input, *plan, *log,
      [&](const ResultJson& record, std::int64_t done) {
        ++measured;
        run.console().info(countText(done) + " of " + countText(total) + ": " +
                           cellText(record["key"]));
      },
      limit.job());
  run.console().endProgress();
  run.fields()["cells"] = total;
  run.fields()["measured"] = measured;
  run.fields()["missing"] = missing - measured;
  run.fields()["out"] = out.string();
  run.keepResult();
  run.console().print(countText(measured) + " cells measured, " + countText(missing - measured) +
                      " missing, in " + out.string() + "\n");
  if (!swept && !run.stopRequested() && limit.reached()) {
    run.notice("--max-minutes is over; the same call goes on with what is missing");
    return Done{};
  }
  return swept;
}

// Options of the other half of the command would change nothing.
Status checkHalves(const Options& options) {
  const bool report = !options.sweep.report.empty();
  const std::pair<const char*, bool> useless[] = {
      {"--books", report && options.sweep.books},
      {"--document", report && !options.documents.empty()},
      {"--max-minutes", report && options.maxMinutes},
      {"--compare", !report && !options.sweep.compare.empty()}};
  for (const auto& [name, given] : useless) {
    if (!given) continue;
    return Error{ErrorCode::InvalidArgument,
                 std::string(name) + (report ? " is of no use with --report; leave it out"
                                             : " belongs to --report; leave it out")};
  }
  return Done{};
}

}  // namespace

Status runSweep(Run& run) {
  if (Status useful = checkHalves(run.options()); !useful) return useful;
  if (!run.options().sweep.report.empty()) return writeSweepReport(run);
  const auto settings = readSweepSettings(*run.options().sweep.settings);
  if (!settings) return settings.error();
  auto books = readBooks(run, *settings);
  if (!books) return books.error();
  return measureMissing(run, *settings, *std::move(books));
}

}  // namespace ropescope::cli
