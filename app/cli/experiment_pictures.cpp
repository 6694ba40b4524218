// render --experiment: pictures of what an experiment recorded. No model; every picture carries the
// experiment, so that it can be opened again.
#include "app/cli/commands.h"
#include "app/cli/text.h"
#include "core/base/file_io.h"
#include "core/base/memory_size.h"
#include "core/experiment/experiment.h"
#include "core/picture/angle_picture.h"
#include "core/picture/attention_picture.h"
#include "core/picture/perplexity_picture.h"
#include "core/picture/png.h"
#include "core/picture/png_text.h"

namespace ropescope::cli {
namespace {

using experiment::Experiment;
using experiment::RecordedSetting;

std::string planLine(const RecordedSetting& result) {
  return result.method == "none" ? result.method
                                 : result.method + " with factor " + compact(result.factor);
}

Status writePicture(Run& run, const picture::Canvas& canvas, const std::string& experimentText,
                    const std::string& name) {
  const auto path = *run.options().out / name;
  const auto png = picture::encodePng(canvas);
  if (!png) return png.error();
  const auto carrying = picture::withPngText(*png, experiment::kPictureKeyword, experimentText);
  if (!carrying) return carrying.error();
  if (Status written = writeFileAtomically(path, *carrying); !written) return written;
  run.fields()["files"].push_back(path.string());
  run.keepResult();
  run.console().print(path.string() + "\n");
  return Done{};
}

Status drawMap(Run& run, const Experiment& recorded, const std::string& text, std::size_t setting,
               std::size_t index) {
  const RecordedSetting& result = recorded.results[setting];
  const AttentionMap& map = result.maps[index];
  const MapRequest& request = map.request;
  picture::AttentionPictureInput input;
  input.width = request.width;
  input.height = request.height;
  input.values = map.values;
  input.queries = {request.queries.begin, request.queries.end};
  input.keys = {request.keys.begin, request.keys.end};
  input.title = "Attention map: layer " + std::to_string(request.layer) + ", head " +
                std::to_string(request.head);
  input.subtitle = recorded.plan.model + " · " + recorded.plan.documentName + " · " +
                   planLine(result) + " · trained " + countText(recorded.plan.trainedLength) +
                   " tokens";
  input.reducer = reducerName(request.reducer);
  const auto drawn = picture::drawAttentionPicture(input);
  if (!drawn) return drawn.error();
  return writePicture(run, drawn->canvas, text,
                      "attention-" + std::to_string(setting + 1) + "-layer" +
                          std::to_string(request.layer) + "-head" + std::to_string(request.head) +
                          ".png");
}

Status drawAngles(Run& run, const Experiment& recorded, const std::string& text) {
  picture::AnglePictureInput input;
  input.subtitle = recorded.plan.model;
  input.plainInvFreq = recorded.plan.plainInvFreq;
  for (const auto& result : recorded.results) {
    if (result.method == "none") continue;  // drawn as plain RoPE
    input.methods.push_back({.name = result.setting,
                             .invFreq = result.invFreq,
                             .attentionFactor = result.attentionFactor});
  }
  input.trainedLength = recorded.plan.trainedLength;
  input.plannedLength = recorded.plan.contextTokens;
  input.position = recorded.plan.contextTokens - 1;
  const auto canvas = picture::drawAnglePicture(input);
  if (!canvas) return canvas.error();
  return writePicture(run, *canvas, text, "angles.png");
}

Status drawCurves(Run& run, const Experiment& recorded, const std::string& text) {
  if (recorded.plan.lengths.empty()) return Done{};
  picture::PerplexityPictureInput input;
  input.subtitle = recorded.plan.model + " · " + recorded.plan.documentName;
  input.protocol = recorded.plan.protocol;
  input.trainedLength = recorded.plan.trainedLength;
  for (const auto& result : recorded.results) {
    picture::PerplexityLine line{.name = result.setting};
    for (const auto& point : result.perplexity) {
      line.points.push_back({.length = point.length, .perplexity = point.perplexity});
    }
    input.curves.push_back(std::move(line));
  }
  const auto canvas = picture::drawPerplexityPicture(input);
  if (!canvas) return canvas.error();
  return writePicture(run, *canvas, text, "perplexity.png");
}

}  // namespace

Status renderExperiment(Run& run) {
  const auto recorded = experiment::readExperiment(*run.options().experiment.file);
  if (!recorded) return recorded.error();
  if (recorded->results.empty()) {
    return Error{ErrorCode::InvalidArgument,
                 run.options().experiment.file->string() +
                     ": no setting is recorded yet; run it with 'experiment run FILE --out FILE'"};
  }
  run.fields()["files"] = Json::array();
  const std::string text = experiment::toText(*recorded);
  for (std::size_t setting = 0; setting < recorded->results.size(); ++setting) {
    for (std::size_t i = 0; i < recorded->results[setting].maps.size(); ++i) {
      if (recorded->results[setting].maps[i].values.empty()) continue;  // not drawn when recorded
      if (Status drawn = drawMap(run, *recorded, text, setting, i); !drawn) return drawn;
    }
  }
  if (Status drawn = drawAngles(run, *recorded, text); !drawn) return drawn;
  return drawCurves(run, *recorded, text);
}

}  // namespace ropescope::cli
