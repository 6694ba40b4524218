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
  std::error_code ignored;
  if (std::filesystem::is_directory(folder, ignored)) return Done{};
  if (!error) error = std::make_error_code(std::errc::not_a_directory);
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

// One factor for every picture: the chosen method's; planned / trained length when it takes none.
Result<double> commonFactor(const Run& run, const SessionOptions& chosen) {
  const auto plan = run.engine().plan(chosen.rope, chosen.contextTokens);
  if (!plan) return plan.error();
  const auto method = rope::findMethod(chosen.rope.id);
  if (method && method->info().takesFactor) return plan->context.factor;
  return std::max(1.0, static_cast<double>(chosen.contextTokens) /
                           static_cast<double>(run.engine().config().trainedLength));
}

// Every method that this model can do; the chosen one as chosen.
Status drawAngles(Run& run, const SessionOptions& chosen, double factor,
                  const std::filesystem::path& path) {
  std::vector<rope::RotaryPlan> plans;
  for (const auto& method : rope::allMethods()) {
    if (method->info().id == "none") continue;  // drawn as plain RoPE
    rope::MethodChoice choice{.id = method->info().id, .values = {}, .factor = factor};
    if (choice.id == chosen.rope.id) choice.values = chosen.rope.values;
    auto plan = run.engine().plan(choice, chosen.contextTokens);
    if (plan) plans.push_back(*std::move(plan));
  }
  return writeAnglePicture(run.engine(), plans, chosen.contextTokens, path);
}

// Plain RoPE, PI, YaRN and the chosen method; with a calibration the chosen one once more under it.
std::vector<CurveSettings> curvesToDraw(const SessionOptions& chosen, double factor) {
  std::vector<std::string> ids = {"none", "pi", "yarn"};
  if (std::find(ids.begin(), ids.end(), chosen.rope.id) == ids.end()) ids.push_back(chosen.rope.id);
  std::vector<CurveSettings> curves;
  for (const auto& id : ids) {
    CurveSettings curve;
    curve.label = id;
    curve.rope = {.id = id, .values = {}, .factor = factor};
    if (id == chosen.rope.id) curve.rope.values = chosen.rope.values;
    curves.push_back(std::move(curve));
  }
  if (!chosen.calibration) return curves;
  CurveSettings calibrated;
  calibrated.label = chosen.rope.id + " + calibration";
  calibrated.rope = {.id = chosen.rope.id, .values = chosen.rope.values, .factor = factor};
  calibrated.calibration = chosen.calibration;
  calibrated.pscStrength = chosen.pscStrength;
  calibrated.lora = chosen.lora;
  curves.push_back(std::move(calibrated));
  return curves;
}

Status drawCurves(Run& run, const TokenInput& input, const SessionOptions& chosen, double factor,
                  const std::filesystem::path& path) {
  const auto tokenizer = run.tokenizerOrNull();
  std::vector<std::int32_t> own = input.ids;
  if (tokenizer->addsBos()) own.erase(own.begin());
  const PerplexityConfig config{
      .lengths = defaultLengths(run.engine().config().trainedLength,
                                static_cast<std::int64_t>(input.ids.size())),
      .protocol = Protocol::OnePass};
  std::vector<PerplexityCurve> curves;
  const auto settings = curvesToDraw(chosen, factor);
  if (Status measured = measureCurves(run, settings, {std::move(own)}, config, curves); !measured) {
    return measured;
  }
  if (run.stopRequested()) return Error{ErrorCode::Cancelled, "stopped while measuring"};
  run.console().print(curveTable(curves));
  return writePerplexityPicture(run.engine(), curves, config, input.name, path);
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
  if (run.options().experiment.file) return renderExperiment(run);
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
  const auto factor = commonFactor(run, *options);
  if (!factor) return factor.error();
  run.settings()["compared_factor"] = *factor;
  run.settings()["layer"] = layer;
  run.settings()["head"] = head;
  run.fields()["files"] = Json::array();
  const auto add = [&](const char* name, const auto& draw) -> Status {
    const auto path = out / name;
    if (Status drawn = draw(path); !drawn) return drawn;
    run.fields()["files"].push_back(path.string());
    run.keepResult();
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
          add("angles.png",
              [&](const auto& path) { return drawAngles(run, *options, *factor, path); });
      !angles) {
    return angles;
  }
  return add("perplexity.png", [&](const auto& path) {
    return drawCurves(run, *input, *options, *factor, path);
  });
}

}  // namespace ropescope::cli
