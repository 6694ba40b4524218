#include "app/cli/pictures.h"

#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/picture/angle_picture.h"
#include "core/picture/attention_picture.h"
#include "core/picture/perplexity_picture.h"
#include "core/picture/png.h"
#include "core/rope/rope_math.h"

namespace ropescope::cli {
namespace {

std::string modelName(const Engine& engine) {
  const auto& folder = engine.folder();
  return (folder.has_filename() ? folder.filename() : folder.parent_path().filename()).string();
}

// "yarn ×4": the factor too, where the label does not say it.
std::string curveName(const PerplexityCurve& curve) {
  const std::string& label = curve.settings.label;
  const auto method = rope::findMethod(curve.settings.rope.id);
  const bool silent =
      method && method->info().takesFactor && label.find("factor=") == std::string::npos;
  return silent ? label + " ×" + compact(curve.factor) : label;
}

Status checkIndex(const char* what, std::int64_t found, int size) {
  if (found < size) return Done{};
  return Error{ErrorCode::InvalidArgument, std::string("--") + what + " is " +
                                               std::to_string(found) + ", the model has " + what +
                                               "s 0 to " + std::to_string(size - 1)};
}

}  // namespace

Status checkHead(const ModelConfig& config, std::int64_t layer, std::int64_t head) {
  if (Status valid = checkIndex("layer", layer, config.layers); !valid) return valid;
  return checkIndex("head", head, config.heads);
}

Status writeAttentionPicture(const Engine& engine, const rope::RotaryPlan& plan,
                             const AttentionMap& map, const std::string& document,
                             const std::filesystem::path& path) {
  const MapRequest& request = map.request;
  picture::AttentionPictureInput input;
  input.width = request.width;
  input.height = request.height;
  input.values = map.values;
  input.queries = {request.queries.begin, request.queries.end};
  input.keys = {request.keys.begin, request.keys.end};
  input.title = "Attention map: layer " + std::to_string(request.layer) + ", head " +
                std::to_string(request.head);
  input.subtitle = modelName(engine) + " · " + document + " · " + planText(plan) + " · trained " +
                   countText(plan.context.originalLength) + " tokens";
  input.reducer = reducerName(request.reducer);
  const auto drawn = picture::drawAttentionPicture(input);
  if (!drawn) return drawn.error();
  return picture::writePng(drawn->canvas, path);
}

Status writeAnglePicture(const Engine& engine, const std::vector<rope::RotaryPlan>& plans,
                         std::int64_t plannedLength, const std::filesystem::path& path) {
  const ModelConfig& config = engine.config();
  picture::AnglePictureInput input;
  input.subtitle = modelName(engine) + " · head size " + std::to_string(config.headDim) +
                   " · base " + rope::valueText(config.ropeBase);
  input.plainInvFreq = rope::plainInvFreq(config.ropeBase, config.headDim);
  for (const auto& plan : plans) {
    input.methods.push_back(
        {.name = planText(plan), .invFreq = plan.invFreq, .attentionFactor = plan.attentionFactor});
  }
  input.trainedLength = config.trainedLength;
  input.plannedLength = plannedLength;
  input.position = plannedLength - 1;
  const auto canvas = picture::drawAnglePicture(input);
  if (!canvas) return canvas.error();
  return picture::writePng(*canvas, path);
}

Status writePerplexityPicture(const Engine& engine, const std::vector<PerplexityCurve>& curves,
                              const PerplexityConfig& config, const std::string& document,
                              const std::filesystem::path& path) {
  const auto tokenizer = engine.tokenizer();
  picture::PerplexityPictureInput input;
  input.subtitle = modelName(engine) + " · " + document;
  input.protocol = protocolText(config, tokenizer && (*tokenizer)->addsBos());
  input.trainedLength = engine.config().trainedLength;
  for (const auto& curve : curves) {
    picture::PerplexityLine line{.name = curveName(curve)};
    for (const auto& point : curve.points) {
      line.points.push_back({.length = point.length,
                             .perplexity = point.perplexity,
                             .standardError = point.standardError});
    }
    input.curves.push_back(std::move(line));
  }
  const auto canvas = picture::drawPerplexityPicture(input);
  if (!canvas) return canvas.error();
  return picture::writePng(*canvas, path);
}

}  // namespace ropescope::cli
