// gate: what a PSC calibration does to q and k of one layer.
#include <algorithm>
#include <cmath>

#include "app/cli/commands.h"
#include "app/cli/inputs.h"
#include "app/cli/pictures.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/lens/psc_gate.h"

namespace ropescope::cli {
namespace {

Json quantilesJson(const Quantiles& q) {
  return {{"p05", q.low},
          {"p25", q.quarter},
          {"median", q.median},
          {"p75", q.threeQuarters},
          {"p95", q.high}};
}

Json quantilesJson(const std::vector<Quantiles>& all) {
  Json list = Json::array();
  for (const Quantiles& q : all) list.push_back(quantilesJson(q));
  return list;
}

double widestTurn(const std::vector<PairTurn>& turns) {
  double widest = 0.0;
  for (const PairTurn& turn : turns) widest = std::max(widest, std::abs(turn.degrees));
  return widest;
}

// One head: gates and turns of the token, and how both vary over the sample.
Json headJson(const SideGates& side, int head, const GateSpread& spread) {
  const auto gates = side.gatesOf(head);
  const auto turned = pairTurns(side.contentsOf(head), gates);
  Json turns = Json::array();
  Json lengths = Json::array();
  for (const PairTurn& turn : turned) {
    turns.push_back(turn.degrees);
    lengths.push_back(turn.length);
  }
  return {{"head", head},
          {"gates", std::vector<double>(gates.begin(), gates.end())},
          {"turns_degrees", std::move(turns)},
          {"length_ratios", std::move(lengths)},
          {"spread",
           {{"all", quantilesJson(spread.all)},
            {"gates", quantilesJson(spread.gates)},
            {"turns_degrees", quantilesJson(spread.turns)}}}};
}

struct Sides {
  TokenGates token;
  std::vector<GateSpread> query;  // a head each
  std::vector<GateSpread> key;
};

Result<Sides> readSides(Run& run, const Session& session, const GateRequest& request) {
  auto token = tokenGates(session, request, run.job());
  if (!token) return token.error();
  Sides sides{*std::move(token), {}, {}};
  for (const GateSide side : {GateSide::Query, GateSide::Key}) {
    const bool isQuery = side == GateSide::Query;
    const int heads = isQuery ? sides.token.query.heads : sides.token.key.heads;
    for (int head = 0; head < heads; ++head) {
      auto spread = gateSpread(
          session,
          {.layer = request.layer, .side = side, .head = head, .strength = request.strength},
          run.job());
      if (!spread) return spread.error();
      (isQuery ? sides.query : sides.key).push_back(*std::move(spread));
    }
  }
  return sides;
}

void output(Run& run, const Sides& sides) {
  Table table({"head", "gate 5 %", "median", "95 %", "token's gates", "its widest turn"});
  const auto add = [&](const char* name, const SideGates& side,
                       const std::vector<GateSpread>& spreads) {
    Json heads = Json::array();
    for (int head = 0; head < side.heads; ++head) {
      const GateSpread& spread = spreads[static_cast<std::size_t>(head)];
      heads.push_back(headJson(side, head, spread));
      const auto gates = side.gatesOf(head);
      const auto [least, most] = std::minmax_element(gates.begin(), gates.end());
      table.add({std::string(name) + " " + std::to_string(head), fixed(spread.all.low, 3),
                 fixed(spread.all.median, 3), fixed(spread.all.high, 3),
                 fixed(*least, 3) + " to " + fixed(*most, 3),
                 fixed(widestTurn(pairTurns(side.contentsOf(head), gates)), 1) + " degrees"});
    }
    run.fields()[name] = std::move(heads);
  };
  const GateSpread& any = sides.query.front();
  run.fields()["sample"] = {{"tokens", any.tokens}, {"stride", any.stride}};
  add("q", sides.token.query, sides.query);
  add("k", sides.token.key, sides.key);
  run.keepResult();
  run.console().print("layer " + std::to_string(sides.token.request.layer) + ", token " +
                      countText(sides.token.request.position) + ", strength " +
                      fixed(sides.token.request.strength, 2) + "; quantiles over " +
                      tokensText(any.tokens) +
                      (any.stride > 1 ? " (every " + std::to_string(any.stride) + "th)" : "") +
                      "\n" + table.text());
}

}  // namespace

Status runGate(Run& run) {
  const Options& options = run.options();
  if (Status valid = checkHead(run.engine().config(), *options.layer, 0); !valid) return valid;
  const auto input = readTokenInput(run);
  if (!input) return input.error();
  const auto size = static_cast<std::int64_t>(input->ids.size());
  const auto context = run.contextFor(size, input->name + " has", sliceCure(run, *input));
  if (!context) return context.error();
  auto sessionOptions = run.sessionOptions(*context);
  if (!sessionOptions) return sessionOptions.error();
  sessionOptions->captureLayers = {static_cast<int>(*options.layer)};
  const GateRequest request{.layer = static_cast<int>(*options.layer),
                            .position = options.position.value_or(size - 1),
                            .strength = sessionOptions->pscStrength};
  run.settings()["layer"] = request.layer;
  run.settings()["position"] = request.position;
  auto session = run.engine().newSession(*sessionOptions);
  if (!session) return session.error();
  if (auto read = (*session)->prefill({input->ids}, run.job()); !read) return read.error();
  const auto sides = readSides(run, **session, request);
  if (!sides) return sides.error();
  run.console().endProgress();
  output(run, *sides);
  return Done{};
}

}  // namespace ropescope::cli
