#include "app/cli/sweep_report.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/file_io.h"
#include "core/eval/sweep_report.h"

namespace ropescope::cli {
namespace {

// As it was called; an absolute path of this machine says nothing elsewhere.
std::string shownPath(const std::filesystem::path& path) {
  return (path.is_absolute() ? path.filename() : path).string();
}

// "results/*.jsonl" when all files of that kind in the folder are meant.
std::string filesText(const std::vector<std::filesystem::path>& files) {
  namespace fs = std::filesystem;
  const auto pattern = [](const fs::path& file) {
    return file.parent_path() / ("*" + file.extension().string());
  };
  std::map<fs::path, std::ptrdiff_t> given;
  for (const auto& file : files) ++given[pattern(file)];
  std::string text;
  std::set<std::string> shown;
  for (const auto& file : files) {
    std::error_code ignored;
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    const auto there = std::count_if(
        fs::directory_iterator(folder, ignored), fs::directory_iterator(),
        [&](const auto& entry) { return entry.path().extension() == file.extension(); });
    const bool all = !file.is_absolute() && there > 1 && given[pattern(file)] == there;
    const std::string name = all ? pattern(file).string() : shownPath(file);
    if (shown.insert(name).second) text += " " + name;
  }
  return text;
}

std::string commandText(const Options& options) {
  std::string text = "ropescope-cli sweep --report" + filesText(options.sweep.report);
  if (!options.sweep.compare.empty()) {
    std::string pairs;
    for (const auto& pair : options.sweep.compare) pairs += (pairs.empty() ? "" : ";") + pair;
    text += " --compare '" + pairs + "'";
  }
  if (options.out) text += " --out " + shownPath(*options.out);
  return text;
}

// Variants that were asked for and that no record has.
void noticeUnknown(Run& run, const SweepRecords& records, const ReportOptions& options) {
  for (const VariantPair& pair : options.comparisons) {
    for (const std::string& variant : {pair.candidate, pair.baseline}) {
      bool known = false;
      for (const auto& record : records.perplexity) known |= record.setting.variant == variant;
      if (!known) run.notice("no result has the variant " + variant + " of --compare");
    }
  }
}

}  // namespace

Status writeSweepReport(Run& run) {
  const Options& options = run.options();
  const auto records = readSweepRecords(options.sweep.report);
  if (!records) return records.error();
  ReportOptions report{.comparisons = {}, .command = commandText(options)};
  for (const auto& pair : options.sweep.compare) {
    const auto slash = pair.find('/');
    report.comparisons.push_back({pair.substr(0, slash), pair.substr(slash + 1)});
  }
  noticeUnknown(run, *records, report);
  for (const auto& notice : records->notices) run.notice(notice);
  const std::string text = sweepReport(*records, report);
  run.fields()["out"] = options.out ? Json(options.out->string()) : Json(nullptr);
  run.fields()["report"] = text;
  if (!options.out) {
    run.console().print(text);
    return Done{};
  }
  if (Status written = writeFileAtomically(*options.out, text); !written) return written;
  run.console().info("report written to " + options.out->string());
  return Done{};
}

}  // namespace ropescope::cli
