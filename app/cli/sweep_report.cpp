#include "app/cli/sweep_report.h"

#include "core/base/file_io.h"
#include "core/eval/sweep_report.h"

namespace ropescope::cli {
namespace {

// Names without folders: the report says the same wherever it was made.
std::string commandText(const Options& options) {
  std::string text = "ropescope-cli sweep --report";
  for (const auto& file : options.sweep.report) text += " " + file.filename().string();
  if (!options.sweep.compare.empty()) {
    std::string pairs;
    for (const auto& pair : options.sweep.compare) pairs += (pairs.empty() ? "" : ";") + pair;
    text += " --compare '" + pairs + "'";
  }
  if (options.out) text += " --out " + options.out->filename().string();
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
