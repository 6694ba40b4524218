// inspect: the model in words.
#include <algorithm>
#include <array>

#include "app/cli/commands.h"
#include "app/cli/planned_length.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"

namespace ropescope::cli {
namespace {

constexpr std::array<std::int64_t, 6> kMemoryLengths{4096, 8192, 16384, 32768, 65536, 131072};
constexpr std::size_t kColumns = 98;

Json shapesJson(const ModelConfig& config) {
  return {{"layers", config.layers},
          {"hidden_size", config.hiddenSize},
          {"heads", config.heads},
          {"kv_heads", config.kvHeads},
          {"head_dim", config.headDim},
          {"intermediate_size", config.intermediateSize},
          {"vocabulary_size", config.vocabularySize},
          {"tied_head", config.tiedHead},
          {"attention_bias", config.attentionBias},
          {"mlp_bias", config.mlpBias}};
}

std::string ropeWords(const Engine& engine) {
  const ModelConfig& config = engine.config();
  std::string text = std::to_string(config.headDim / 2) + " pairs per head, base " +
                     rope::valueText(config.ropeBase) + ", trained at " +
                     countText(config.trainedLength) + " tokens; the config asks for ";
  if (config.rope.id == "none") return text + "no scaling";
  text += config.rope.id;
  if (config.rope.factor) text += " with factor " + rope::valueText(*config.rope.factor);
  for (const auto& [name, value] : config.rope.values) {
    if (!std::holds_alternative<std::vector<double>>(value)) {
      text += ", " + name + " " + rope::valueText(value);
    }
  }
  if (!config.factorLists.empty()) text += ", with factor lists";
  return text + ", up to " + countText(config.maxPositions) + " tokens";
}

std::string rangeWords(const rope::ParameterSpec& spec) {
  switch (spec.kind) {
    case rope::ParameterKind::Flag:
      return "true or false";
    case rope::ParameterKind::Numbers:
      return "numbers with commas";
    case rope::ParameterKind::File:
      return "a file";
    case rope::ParameterKind::Number:
      return rope::valueText(spec.minimum) + " to " + rope::valueText(spec.maximum) +
             (spec.unit.empty() ? "" : " " + spec.unit);
    case rope::ParameterKind::Choice:
      break;
  }
  std::string words;
  for (const auto& choice : spec.choices) words += (words.empty() ? "" : " or ") + choice;
  return words;
}

Json parameterJson(const rope::ParameterSpec& spec) {
  Json json{
      {"name", spec.name}, {"title", spec.title}, {"help", spec.help}, {"range", rangeWords(spec)}};
  json["default"] = spec.defaultValue ? std::visit([](const auto& value) { return Json(value); },
                                                   *spec.defaultValue)
                                      : Json(nullptr);
  if (spec.kind == rope::ParameterKind::Number) {
    json["minimum"] = spec.minimum;
    json["maximum"] = spec.maximum;
  }
  if (!spec.choices.empty()) json["choices"] = spec.choices;
  json["unit"] = spec.unit;
  return json;
}

// Tried at twice the trained length, where every method has to scale.
Json methodJson(const Engine& engine, const rope::RopeMethod& method) {
  const rope::MethodInfo info = method.info();
  const auto plan = engine.plan({.id = info.id, .values = {}, .factor = std::nullopt},
                                2 * std::min(engine.config().trainedLength, kMostTokens / 2));
  Json parameters = Json::array();
  for (const auto& spec : method.parameters()) parameters.push_back(parameterJson(spec));
  return {{"id", info.id},
          {"title", info.title},
          {"summary", info.summary},
          {"reference", info.reference},
          {"takes_factor", info.takesFactor},
          {"depends_on_length", info.dependsOnLength},
          {"available", static_cast<bool>(plan)},
          {"reason", plan ? Json(nullptr) : Json(plan.error().message)},
          {"parameters", std::move(parameters)}};
}

std::string methodWords(const Json& method) {
  const auto text = [](const Json& json, const char* field) {
    return json[field].get<std::string>();
  };
  std::string id = "  " + text(method, "id");
  id.resize(12, ' ');
  std::string words =
      id + wrapped(text(method, "title") + ": " + text(method, "summary"), 12, kColumns - 12) +
      "\n";
  if (!method["available"].get<bool>()) {
    words += std::string(12, ' ') +
             wrapped("not available: " + text(method, "reason"), 12, kColumns - 12) + "\n";
  }
  for (const auto& parameter : method["parameters"]) {
    std::string name = "    " + text(parameter, "name");
    name.resize(std::max<std::size_t>(22, name.size() + 1), ' ');
    const std::string standard =
        parameter["default"].is_null()
            ? std::string()
            : ", default " + (parameter["default"].is_string() ? text(parameter, "default")
                              : parameter["default"].is_number()
                                  ? exactNumber(parameter["default"].get<double>())
                                  : parameter["default"].dump());
    words += std::string(8, ' ') + name +
             wrapped(text(parameter, "help") + " (" + text(parameter, "range") + standard + ")", 30,
                     kColumns - 30) +
             "\n";
  }
  return words;
}

Json memoryJson(const Engine& engine) {
  Json lengths = Json::array();
  for (const auto tokens : kMemoryLengths) {
    const MemoryEstimate memory = engine.memoryFor(tokens);
    lengths.push_back({{"tokens", tokens},
                       {"weights", memory.weights},
                       {"kv_cache", memory.kvCache},
                       {"workspace", memory.workspace},
                       {"capture_per_layer", memory.capturePerLayer},
                       {"total", memory.total()}});
  }
  return lengths;
}

std::string memoryWords(const Engine& engine) {
  Table table({"tokens", "weights", "KV cache", "workspace", "total", "capture per layer"});
  for (const auto tokens : kMemoryLengths) {
    const MemoryEstimate memory = engine.memoryFor(tokens);
    table.add({countText(tokens), bytesText(memory.weights), bytesText(memory.kvCache),
               bytesText(memory.workspace), bytesText(memory.total()),
               bytesText(memory.capturePerLayer)});
  }
  return table.text();
}

std::string modelWords(const Engine& engine) {
  const ModelConfig& c = engine.config();
  const std::string shapes = c.architecture + ", " + std::to_string(c.layers) + " layers, width " +
                             countText(c.hiddenSize) + ", " + std::to_string(c.heads) +
                             " query heads, " + std::to_string(c.kvHeads) +
                             " key/value heads of size " + std::to_string(c.headDim) +
                             ", feed-forward " + countText(c.intermediateSize) + ", vocabulary " +
                             countText(c.vocabularySize) + (c.tiedHead ? ", tied head" : "");
  const auto tokenizer = engine.tokenizer();
  return engine.folder().string() + "\n  " + wrapped(shapes, 2, kColumns - 2) + "\n  " +
         bytesText(engine.memoryFor(1).weights) + " of weights on " + engine.device() + " in " +
         engine.dtype() + ", " + std::to_string(engine.threads()) + " threads\n  " +
         (tokenizer ? "tokenizer.model (SentencePiece)"
                    : wrapped("no usable tokenizer, ids only: " + tokenizer.error().message, 2,
                              kColumns - 2)) +
         (engine.promptFormat().fromModel ? ", prompt_format.json" : ", no prompt_format.json") +
         "\n  hash " + engine.modelHash() + "\n";
}

}  // namespace

Status runInspect(Run& run) {
  const Engine& engine = run.engine();
  const bool planAsked = run.options().rope || run.options().context || run.options().factor ||
                         run.options().calibration || !run.options().ropeParameters.empty();
  Json methods = Json::array();
  for (const auto& method : rope::allMethods()) methods.push_back(methodJson(engine, *method));
  Json& fields = run.fields();
  fields["architecture"] = engine.config().architecture;
  fields["family"] = engine.config().family;
  fields["shapes"] = shapesJson(engine.config());
  fields["trained_length"] = engine.config().trainedLength;
  fields["max_positions"] = engine.config().maxPositions;
  fields["rope"] = {
      {"base", engine.config().ropeBase},
      {"method", engine.config().rope.id},
      {"factor", engine.config().rope.factor ? Json(*engine.config().rope.factor) : Json(nullptr)},
      {"words", ropeWords(engine)}};
  const auto tokenizer = run.tokenizer();
  fields["tokenizer"] = static_cast<bool>(tokenizer);
  fields["tokenizer_error"] = tokenizer ? Json(nullptr) : Json(tokenizer.error().message);
  fields["prompt_format"] = engine.promptFormat().fromModel;
  fields["kv_bytes_per_token"] = engine.kvBytesPerToken();
  fields["memory"] = memoryJson(engine);

  std::string words = modelWords(engine) + "\nRoPE\n  " +
                      wrapped(ropeWords(engine), 2, kColumns - 2) +
                      "\n\nMethods (--rope; parameters with --rope-param NAME=VALUE)\n";
  for (const auto& method : methods) words += methodWords(method);
  words += "\nMemory: " + bytesText(engine.kvBytesPerToken()) + " of KV cache per token\n" +
           memoryWords(engine);
  fields["methods"] = std::move(methods);
  run.console().print(words);
  if (!planAsked) return Done{};
  const auto planned = plannedLengthWithoutInput(run);
  if (!planned) return planned.error();
  const auto session = run.sessionOptions(*planned);
  if (!session) return session.error();
  const auto plan = engine.plan(session->rope, *planned);
  if (!plan) return plan.error();
  fields["plan"] = run.settings()["rope"];
  run.console().print("\nPlan for " + tokensText(*planned) + ": " + planText(*plan) +
                      ", attention factor " + fixed(plan->attentionFactor, 4) +
                      (plan->note.empty() ? "" : "; " + plan->note) + "\n");
  return Done{};
}

}  // namespace ropescope::cli
