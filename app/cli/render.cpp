// render: the three pictures without a window.
#include <algorithm>
#include <system_error>

#include "app/cli/commands.h"
#include "app/cli/curve_output.h"
#include "app/cli/inputs.h"
#include "app/cli/pictures.h"
#include "app/resource_folder.h"
#include "core/base/memory_size.h"

namespace ropescope::cli {
namespace {

Status makeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (std::filesystem::is_directory(folder)) return Done{};
  return Error{ErrorCode::Device, folder.string() + ": the folder cannot be made (" +
                                      error.message() + "); name another with --out"};
}

Status drawMap(Run& run, const TokenInput& input, SessionOptions options, MapRequest request,
               const std::filesystem::path& path) {
  options.captureLayers = {request.layer};
  auto session = run.engine().newSession(options);
  if (!session) return session.error();
  const auto prefilled = (*session)->prefill({input.ids}, run.job());
  if (!prefilled) return prefilled.error();
  const auto size = static_cast<std::int64_t>(input.ids.size());
  request.queries = request.keys = {.begin = 0, .end = size};
  request.width = request.height =
      static_cast<int>(std::min<std::int64_t>(size, run.options().size));
  const auto map = (*session)->attentionMap(request, run.job());
  if (!map) return map.error();
  return writeAttentionPicture(run.engine(), (*session)->plan(), *map, input.name, path);
}

// Every method that this model can do, at the factor of the planned length; the chosen one as chosen.
Status drawAngles(Run& run, const SessionOptions& chosen, const std::filesystem::path& path) {
  std::vector<rope::RotaryPlan> plans;
  for (const auto& method : rope::allMethods()) {
    if (method->info().id == "none") continue;  // drawn as plain RoPE
    const bool isChosen = method->info().id == chosen.rope.id;
    auto plan = run.engine().plan(
        isChosen ? chosen.rope
                 : rope::MethodChoice{.id = method->info().id, .factor = run.options().factor},
        chosen.contextTokens);
    if (plan) plans.push_back(*std::move(plan));
  }
  return writeAnglePicture(run.engine(), plans, chosen.contextTokens, path);
}

// Plain RoPE, PI and YaRN under the factor that was given, and the chosen method with everything
// that was chosen for it.
Result<std::vector<CurveSettings>> curvesToDraw(const Run& run, const SessionOptions& chosen) {
  std::vector<CurveSettings> curves;
  bool drawn = false;
  for (const char* text : {"none", "pi", "yarn"}) {
    auto curve = parseCurve(text, run.engine());
    if (!curve) return curve.error();
    curve->rope.factor = run.options().factor;
    const bool isChosen = chosen.rope.id == text && !chosen.calibration;
    if (isChosen) curve->rope = chosen.rope;
    drawn = drawn || isChosen;
    curves.push_back(*std::move(curve));
  }
  if (!drawn) {
    curves.push_back({.label = chosen.rope.id + (chosen.calibration ? " + calibration" : ""),
                      .rope = chosen.rope,
                      .calibration = chosen.calibration,
                      .pscStrength = chosen.pscStrength,
                      .lora = chosen.lora});
  }
  return curves;
}

Status drawCurves(Run& run, const TokenInput& input, const SessionOptions& chosen,
                  const std::filesystem::path& path) {
  const auto tokenizer = run.tokenizerOrNull();
  std::vector<std::int32_t> own = input.ids;
  if (tokenizer->addsBos()) own.erase(own.begin());
  const PerplexityConfig config{
      .lengths = defaultLengths(run.engine().config().trainedLength,
                                static_cast<std::int64_t>(input.ids.size())),
      .protocol = Protocol::OnePass};
  const auto settings = curvesToDraw(run, chosen);
  if (!settings) return settings.error();
  const auto curves = measureCurves(run, *settings, {std::move(own)}, config);
  if (!curves) return curves.error();
  if (run.stopRequested()) return Error{ErrorCode::Cancelled, "stopped while measuring"};
  run.console().print(curveTable(*curves));
  return writePerplexityPicture(run.engine(), *curves, config, input.name, path);
}

Result<TokenInput> readRenderInput(Run& run) {
  if (!run.options().documents.empty()) return readTokenInput(run);
  const auto sample = findFirstSample();
  if (!sample) return sample.error();
  return readTokenInput(run, *sample);
}

}  // namespace

Status runRender(Run& run) {
  const auto& out = *run.options().out;
  if (Status made = makeFolder(out); !made) return made;
  const ModelConfig& config = run.engine().config();
  // A layer between first and last shows most.
  const std::int64_t layer = run.options().layer.value_or(config.layers / 2);
  const std::int64_t head = run.options().head.value_or(config.heads / 3);
  if (Status valid = checkHead(config, layer, head); !valid) return valid;
  const MapRequest request{.layer = static_cast<int>(layer), .head = static_cast<int>(head)};
  const auto input = readRenderInput(run);
  if (!input) return input.error();
  const auto size = static_cast<std::int64_t>(input->ids.size());
  const auto context = run.contextFor(size, input->name + " has", sliceCure(run, *input));
  if (!context) return context.error();
  auto options = run.sessionOptions(*context);
  if (!options) return options.error();
  run.settings()["layer"] = layer;
  run.settings()["head"] = head;
  run.fields()["files"] = Json::array();
  const auto add = [&](const char* name, const auto& draw) -> Status {
    const auto path = out / name;
    if (Status drawn = draw(path); !drawn) return drawn;
    run.fields()["files"].push_back(path.string());
    run.console().print(path.string() + "\n");
    return Done{};
  };
  if (Status map =
          add("attention.png",
              [&](const auto& path) { return drawMap(run, *input, *options, request, path); });
      !map) {
    return map;
  }
  if (Status angles =
          add("angles.png", [&](const auto& path) { return drawAngles(run, *options, path); });
      !angles) {
    return angles;
  }
  return add("perplexity.png", [&](const auto& path) {
    return drawCurves(run, *input, *options, path);
  });
}

}  // namespace ropescope::cli
