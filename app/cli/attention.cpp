// attention: one head's map as numbers, as a picture, or as characters on a terminal.
#include <algorithm>
#include <cmath>

#include "app/cli/commands.h"
#include "app/cli/inputs.h"
#include "app/cli/pictures.h"
#include "core/base/memory_size.h"

namespace ropescope::cli {
namespace {

constexpr int kTerminalColumns = 72;
constexpr int kTerminalRows = 28;

Result<MapRequest> mapRequest(const Options& options, std::int64_t tokens,
                              const std::string& name) {
  const TokenRange all{.begin = 0, .end = tokens};
  const auto queries = rangeWithin(options.queries.value_or(all), tokens, "--queries", name);
  if (!queries) return queries.error();
  const auto keys = rangeWithin(options.keys.value_or(all), tokens, "--keys", name);
  if (!keys) return keys.error();
  if (keys->begin >= queries->end) {
    return Error{ErrorCode::InvalidArgument,
                 "the keys begin at " + countText(keys->begin) + ", behind the last query " +
                     countText(queries->end - 1) +
                     "; a token sees only itself and earlier ones, choose earlier --keys"};
  }
  const auto cells = [&](const TokenRange& range) {
    return static_cast<int>(std::min(options.size, range.size()));
  };
  return MapRequest{.layer = static_cast<int>(*options.layer),
                    .head = static_cast<int>(*options.head),
                    .queries = *queries,
                    .keys = *keys,
                    .width = cells(*keys),
                    .height = cells(*queries),
                    .reducer = options.reduce};
}

// Weights on a logarithmic scale: what matters spans three powers of ten and more.
std::string drawnWithCharacters(const AttentionMap& map) {
  static constexpr const char* kShades = " .:-=+*#%@";
  constexpr int kLastShade = 9;
  std::string text;
  for (int row = 0; row < map.request.height; ++row) {
    text += "  ";
    for (int column = 0; column < map.request.width; ++column) {
      const float value =
          map.values[static_cast<std::size_t>(row) * static_cast<std::size_t>(map.request.width) +
                     static_cast<std::size_t>(column)];
      if (std::isnan(value)) break;
      const double decades = 3.0 + std::log10(std::max(static_cast<double>(value), 1e-9));
      text += kShades[std::clamp(static_cast<int>(decades * 3.0) + 1, 0, kLastShade)];
    }
    text += "\n";
  }
  return text + "  keys " + countText(map.request.keys.begin) + " to " +
         countText(map.request.keys.end - 1) + " from left to right, queries " +
         countText(map.request.queries.begin) + " to " + countText(map.request.queries.end - 1) +
         " downward; '.' 0.001, '@' 1\n";
}

void fillFields(Run& run, const AttentionMap& map) {
  Json rows = Json::array();
  for (int row = 0; row < map.request.height; ++row) {
    Json values = Json::array();
    for (int column = 0; column < map.request.width; ++column) {
      const float value =
          map.values[static_cast<std::size_t>(row) * static_cast<std::size_t>(map.request.width) +
                     static_cast<std::size_t>(column)];
      values.push_back(std::isnan(value) ? Json(nullptr) : Json(value));
    }
    rows.push_back(std::move(values));
  }
  run.fields()["values"] = std::move(rows);
  run.keepResult();
}

// Everything but the values, which an interrupted run leaves null.
void describeMap(Run& run, const MapRequest& request) {
  run.settings()["layer"] = request.layer;
  run.settings()["head"] = request.head;
  run.settings()["reduce"] = reducerName(request.reducer);
  run.settings()["size"] = run.options().size;
  Json& fields = run.fields();
  fields["width"] = request.width;
  fields["height"] = request.height;
  fields["queries"] = {request.queries.begin, request.queries.end};
  fields["keys"] = {request.keys.begin, request.keys.end};
  fields["values"] = nullptr;
}

Status output(Run& run, const Session& session, const AttentionMap& map, const std::string& name) {
  if (run.options().json) fillFields(run, map);
  if (run.options().png) {
    if (Status written =
            writeAttentionPicture(run.engine(), session.plan(), map, name, *run.options().png);
        !written) {
      return written;
    }
    run.fields()["png"] = run.options().png->string();
    run.console().print("picture written to " + run.options().png->string() + "\n");
  }
  if (run.options().json || run.options().png) return Done{};
  MapRequest small = map.request;
  small.width = std::min(small.width, kTerminalColumns);
  small.height = std::min(small.height, kTerminalRows);
  const auto drawn = session.attentionMap(small, run.job());
  if (!drawn) return drawn.error();
  run.console().print("layer " + std::to_string(small.layer) + ", head " +
                      std::to_string(small.head) + ", " + std::string(reducerName(small.reducer)) +
                      " per cell\n" + drawnWithCharacters(*drawn));
  return Done{};
}

}  // namespace

Status runAttention(Run& run) {
  const Options& options = run.options();
  if (Status valid = checkHead(run.engine().config(), *options.layer, *options.head); !valid) {
    return valid;
  }
  const auto input = readTokenInput(run);
  if (!input) return input.error();
  const auto size = static_cast<std::int64_t>(input->ids.size());
  const auto request = mapRequest(options, size, input->name);
  if (!request) return request.error();
  const auto context = run.contextFor(size, input->name + " has", sliceCure(run, *input));
  if (!context) return context.error();
  auto sessionOptions = run.sessionOptions(*context);
  if (!sessionOptions) return sessionOptions.error();
  sessionOptions->captureLayers = {request->layer};
  describeMap(run, *request);
  auto session = run.engine().newSession(*sessionOptions);
  if (!session) return session.error();
  const auto prefilled = (*session)->prefill({input->ids}, run.job());
  if (!prefilled) return prefilled.error();
  const auto map = (*session)->attentionMap(*request, run.job());
  if (!map) return map.error();
  run.console().endProgress();
  return output(run, **session, *map, input->name);
}

}  // namespace ropescope::cli
