// contributions: two tokens and one head, rotary pair by rotary pair.
#include <numeric>

#include "app/cli/commands.h"
#include "app/cli/inputs.h"
#include "app/cli/pictures.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/eval/perplexity.h"
#include "core/lens/token_pair.h"
#include "core/tokenizer/tokenizer.h"

namespace ropescope::cli {
namespace {

// One plan's numbers for the two tokens.
struct Reading {
  std::string name;
  rope::RotaryPlan plan;
  RowScore row;
  std::vector<double> shares;
};

double sumOf(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// Plans of --against: only the rotation of what was read changes, so a calibration is refused.
Result<std::vector<Reading>> otherPlans(Run& run, std::int64_t context) {
  std::vector<Reading> others;
  for (const std::string& text : run.options().lens.against) {
    const auto curve = parseCurve(text, run.engine());
    if (!curve) return curve.error();
    if (curve->calibration) {
      return Error{ErrorCode::InvalidArgument,
                   "--against " + text +
                       ": the document is read once, with the calibration of --calibration; leave "
                       "it out of --against, or call again with it"};
    }
    auto plan = run.engine().plan(decidedChoice(*curve, run.engine(), context), context);
    if (!plan) return Error{plan.error().code, "--against " + text + ": " + plan.error().message};
    others.push_back({.name = curve->label, .plan = *std::move(plan), .row = {}, .shares = {}});
  }
  return others;
}

Json tokenJson(const Run& run, const TokenInput& input, std::int64_t position) {
  const auto tokenizer = run.tokenizerOrNull();
  const std::int32_t id = input.ids[static_cast<std::size_t>(position)];
  return {{"position", position},
          {"id", id},
          {"piece", tokenizer ? Json(tokenizer->piece(id)) : Json(nullptr)}};
}

Json curveJson(const Run& run, const TokenPair& pair, const rope::RotaryPlan& plan) {
  const auto& distances = run.options().lens.distances;
  const auto scores = scoreCurve(pairShares(pair.contents), plan, distances);
  Json points = Json::array();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    points.push_back({{"distance", distances[i]}, {"score", scores[i]}});
  }
  return points;
}

void fillFields(Run& run, const TokenPair& pair, const std::vector<Reading>& readings) {
  Json& fields = run.fields();
  fields["score"] = pair.used.score;
  fields["log_sum_exp"] = pair.used.logSumExp;
  fields["weight"] = pair.used.weight();
  Json pairs = Json::array();
  const auto shares = pairShares(pair.contents);
  for (std::size_t p = 0; p < shares.size(); ++p) {
    pairs.push_back({{"index", p},
                     {"contribution", readings.front().shares[p]},
                     {"amplitude", shares[p].amplitude},
                     {"phase", shares[p].phase}});
  }
  fields["pairs"] = std::move(pairs);
  if (!run.options().lens.distances.empty()) {
    fields["score_at"] = curveJson(run, pair, readings.front().plan);
  }
  Json others = Json::array();
  for (std::size_t i = 1; i < readings.size(); ++i) {
    const Reading& other = readings[i];
    others.push_back({{"method", other.name},
                      {"exact", pair.request.layer == 0},
                      {"score", other.row.score},
                      {"log_sum_exp", other.row.logSumExp},
                      {"weight", other.row.weight()},
                      {"contributions", other.shares}});
    if (run.options().lens.distances.empty()) continue;
    others.back()["score_at"] = curveJson(run, pair, other.plan);
  }
  fields["others"] = std::move(others);
  run.keepResult();
}

std::string placeText(const Json& token) {
  return countText(token["position"].get<std::int64_t>()) +
         (token["piece"].is_null() ? "" : " \"" + token["piece"].get<std::string>() + "\"");
}

void print(Run& run, const PairRequest& request, const std::vector<Reading>& readings) {
  std::vector<std::string> header = {"pair"};
  for (const Reading& reading : readings) header.push_back(reading.name);
  Table table(header);
  const auto addRow = [&](const std::string& name, auto value) {
    std::vector<std::string> row = {name};
    for (const Reading& reading : readings) row.push_back(fixed(value(reading), 4));
    table.add(std::move(row));
  };
  for (std::size_t p = 0; p < readings.front().shares.size(); ++p) {
    addRow(std::to_string(p), [&](const Reading& reading) { return reading.shares[p]; });
  }
  addRow("sum = score", [](const Reading& reading) { return sumOf(reading.shares); });
  addRow("log-sum-exp", [](const Reading& reading) { return reading.row.logSumExp; });
  addRow("weight", [](const Reading& reading) { return reading.row.weight(); });
  const Json& fields = run.fields();
  std::string text = "layer " + std::to_string(request.layer) + ", head " +
                     std::to_string(request.head) + ": query " + placeText(fields["query"]) +
                     " reads key " + placeText(fields["key"]) + ", " +
                     tokensText(request.query - request.key) + " apart\n" + table.text();
  if (readings.size() > 1 && request.layer > 0) {
    text +=
        "  the other methods rotate the q and k that were read anew: an approximation in layer " +
        std::to_string(request.layer) + ", exact in layer 0\n";
  }
  run.console().print(text);
}

}  // namespace

Status runContributions(Run& run) {
  const Options& options = run.options();
  if (Status valid = checkHead(run.engine().config(), *options.layer, *options.head); !valid) {
    return valid;
  }
  const auto input = readTokenInput(run);
  if (!input) return input.error();
  const auto size = static_cast<std::int64_t>(input->ids.size());
  const PairRequest request{.layer = static_cast<int>(*options.layer),
                            .head = static_cast<int>(*options.head),
                            .query = *options.lens.query,
                            .key = *options.lens.key};
  if (request.query >= size || request.key > request.query) {
    return Error{ErrorCode::InvalidArgument,
                 "--query " + std::to_string(request.query) + " and --key " +
                     std::to_string(request.key) + ": " + input->name + " has the positions 0 to " +
                     std::to_string(size - 1) +
                     ", and a token sees only itself and earlier ones; give a --query in that "
                     "range and a --key of at most it"};
  }
  const auto context = run.contextFor(size, input->name + " has", sliceCure(run, *input));
  if (!context) return context.error();
  auto sessionOptions = run.sessionOptions(*context);
  if (!sessionOptions) return sessionOptions.error();
  sessionOptions->captureLayers = {request.layer};
  auto others = otherPlans(run, *context);
  if (!others) return others.error();
  run.settings()["layer"] = request.layer;
  run.settings()["head"] = request.head;
  run.fields()["query"] = tokenJson(run, *input, request.query);
  run.fields()["key"] = tokenJson(run, *input, request.key);
  auto session = run.engine().newSession(*sessionOptions);
  if (!session) return session.error();
  if (auto read = (*session)->prefill({input->ids}, run.job()); !read) return read.error();
  const auto pair = tokenPair(**session, request, run.job());
  if (!pair) return pair.error();
  std::vector<Reading> readings = {{.name = (*session)->plan().method,
                                    .plan = (*session)->plan(),
                                    .row = pair->used,
                                    .shares = {}}};
  readings.insert(readings.end(), others->begin(), others->end());
  for (Reading& reading : readings) {
    reading.shares = contributions(pair->contents, reading.plan, request.query, request.key);
    if (&reading == &readings.front()) continue;
    auto row = rowUnder(**session, request, {reading.plan, sessionOptions->pscStrength}, run.job());
    if (!row) return row.error();
    reading.row = *row;
  }
  run.console().endProgress();
  fillFields(run, *pair, readings);
  print(run, request, readings);
  return Done{};
}

}  // namespace ropescope::cli
