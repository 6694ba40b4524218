// heads: the copy test, all heads with the best first.
#include <algorithm>

#include "app/cli/commands.h"
#include "app/cli/planned_length.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/lens/retrieval_heads.h"

namespace ropescope::cli {
namespace {

constexpr std::size_t kShown = 12;  // rows of the table; JSON has all

Json headsJson(const CopyTestResult& found) {
  Json heads = Json::array();
  for (std::size_t i = 0; i < found.heads.size(); ++i) {
    const HeadScore& score = found.heads[i];
    heads.push_back({{"rank", i + 1},
                     {"layer", score.head.layer},
                     {"head", score.head.head},
                     {"score", score.score},
                     {"standard_error", score.standardError},
                     {"copy_rate", score.copyRate}});
  }
  return heads;
}

std::string tableText(const CopyTestResult& found) {
  Table table({"rank", "layer", "head", "score", "std. error", "copies"});
  for (std::size_t i = 0; i < std::min(kShown, found.heads.size()); ++i) {
    const HeadScore& score = found.heads[i];
    table.add({std::to_string(i + 1), std::to_string(score.head.layer),
               std::to_string(score.head.head), fixed(score.score, 4),
               fixed(score.standardError, 4), fixed(100 * score.copyRate, 1) + " %"});
  }
  const auto retrieval =
      std::count_if(found.heads.begin(), found.heads.end(),
                    [](const HeadScore& score) { return score.copyRate > kRetrievalCopyRate; });
  return table.text() + "  " + std::to_string(retrieval) + " of " +
         std::to_string(found.heads.size()) +
         " heads copy at more than a tenth of the positions (what arXiv 2404.15574 calls a "
         "retrieval head)" +
         (found.heads.size() > kShown ? "; --json gives all of them" : "") + "\n";
}

}  // namespace

Status runHeads(Run& run) {
  const auto planned = plannedLengthWithoutInput(run);
  if (!planned) return planned.error();
  const auto options = run.sessionOptions(*planned);
  if (!options) return options.error();
  Json& fields = run.fields();
  fields["repeat_tokens"] = nullptr;
  fields["prompts"] = run.options().heads.prompts;
  fields["heads"] = nullptr;
  const auto found = findRetrievalHeads(run.engine(), *options,
                                        {.repeatTokens = run.options().heads.repeat,
                                         .prompts = run.options().heads.prompts,
                                         .seed = run.options().seed},
                                        run.job());
  if (!found) return found.error();
  run.console().endProgress();
  fields["repeat_tokens"] = found->test.repeatTokens;
  fields["heads"] = headsJson(*found);
  run.keepResult();
  run.console().print("copy test: " + std::to_string(found->test.prompts) + " prompts of 2 x " +
                      countText(found->test.repeatTokens) + " random tokens\n" + tableText(*found));
  return Done{};
}

}  // namespace ropescope::cli
