// angles: every rotary pair in numbers.
#include <algorithm>
#include <cmath>

#include "app/cli/commands.h"
#include "app/cli/planned_length.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/probe/angle_coverage.h"
#include "core/probe/angle_table.h"

namespace ropescope::cli {

Result<std::int64_t> plannedLengthWithoutInput(Run& run) {
  const ModelConfig& config = run.engine().config();
  if (run.options().context) return *run.options().context;
  std::int64_t length = std::min(std::max(config.maxPositions, config.trainedLength), kMostTokens);
  std::string why = "what the model's config allows; --context or --factor change it";
  if (const auto factor = run.usedFactor(); factor && *factor >= 1.0) {
    const double tokens = std::ceil(*factor * static_cast<double>(config.trainedLength));
    if (tokens > static_cast<double>(kMostTokens)) {
      return Error{ErrorCode::InvalidArgument,
                   "--factor " + exactNumber(*factor) + " times the trained length " +
                       countText(config.trainedLength) + " is more than the " +
                       tokensText(kMostTokens) +
                       " that can be planned; give a smaller --factor or --context"};
    }
    length = static_cast<std::int64_t>(tokens);
    why = "trained length times factor";
  }
  if (const std::int64_t reached = run.options().position.value_or(0) + 1; reached > length) {
    length = reached;
    why = "up to --position; --context changes it";
  }
  run.console().info("planned " + tokensText(length) + ": " + why);
  return length;
}

Status runAngles(Run& run) {
  const auto planned = plannedLengthWithoutInput(run);
  if (!planned) return planned.error();
  const auto plan = run.plan(*planned);
  if (!plan) return plan.error();
  const std::int64_t position = run.options().position.value_or(*planned - 1);
  run.settings()["position"] = position;
  const auto rows = angleTable(*plan, position);
  const auto unseen = unseenFrom(*plan);
  Json pairs = Json::array();
  Table table({"pair", "rad/token", "wavelength", "turns in trained", "slowed by", "angle (rad)",
               "unseen from"});
  for (const AngleRow& row : rows) {
    const UnseenFrom from = unseen[static_cast<std::size_t>(row.index)];
    pairs.push_back({{"index", row.index},
                     {"inv_freq", row.invFreq},
                     {"wavelength", row.wavelength},
                     {"turns_in_trained_length", row.turnsInTrainedLength},
                     {"scale", row.scale ? Json(*row.scale) : Json(nullptr)},
                     {"angle", row.angle},
                     {"unseen_from", from ? Json(*from) : Json(nullptr)}});
    table.add({std::to_string(row.index), compact(row.invFreq), compact(row.wavelength, 5),
               compact(row.turnsInTrainedLength), row.scale ? fixed(*row.scale, 3) : "–",
               compact(row.angle, 6), from ? countText(*from) : "–"});
  }
  run.fields()["attention_factor"] = plan->attentionFactor;
  run.fields()["pairs"] = std::move(pairs);
  run.fields()["unseen_pairs"] = unseenPairs(unseen, position);
  run.console().print(planText(*plan) + ", planned " + tokensText(*planned) + " (trained " +
                      countText(plan->context.originalLength) + "), attention factor " +
                      fixed(plan->attentionFactor, 4) + ", angles at position " +
                      countText(position) + (plan->note.empty() ? "" : "\n" + plan->note) + "\n" +
                      table.text());
  return Done{};
}

}  // namespace ropescope::cli
