#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/base/base64.h"
#include "core/base/file_io.h"
#include "core/base/json_text.h"
#include "core/experiment/experiment.h"
#include "core/picture/carried_text.h"

namespace ropescope::experiment {
namespace {

using Ordered = nlohmann::ordered_json;
using Json = nlohmann::json;

constexpr const char* kFormKey = "ropescope_experiment";
static_assert(std::endian::native == std::endian::little, "maps are stored as they lie in memory");

std::string bytesOf(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

Ordered mapChoiceJson(const MapChoice& map) {
  return {{"layer", map.layer},
          {"head", map.head},
          {"cells", map.cells},
          {"reducer", reducerName(map.reducer)}};
}

Ordered planJson(const Plan& plan) {
  Ordered maps = Ordered::array();
  for (const auto& map : plan.maps) maps.push_back(mapChoiceJson(map));
  const GenerationConfig& sampling = plan.generation;
  return {{"model",
           {{"name", plan.model},
            {"hash", plan.modelHash},
            {"tokenizer_sha256", plan.tokenizerHash},
            {"dtype", plan.dtype},
            {"trained_length", plan.trainedLength},
            {"plain_inv_freq", plan.plainInvFreq}}},
          {"protocol", plan.protocol},
          {"document", {{"name", plan.documentName}, {"text", plan.documentText}}},
          {"settings", plan.settings},
          {"context", plan.contextTokens},
          {"questions", plan.questions},
          {"sampling",
           {{"max_new_tokens", sampling.maxNewTokens},
            {"temperature", sampling.temperature},
            {"top_p", sampling.topP},
            {"top_k", sampling.topK},
            {"seed", sampling.seed},
            {"stop_at_eos", sampling.stopAtEos}}},
          {"lengths", plan.lengths},
          {"maps", maps}};
}

Ordered answerJson(const RecordedAnswer& answer) {
  if (!answer.isRecorded()) return nullptr;
  Ordered ids = Ordered::array();
  Ordered logProbabilities = Ordered::array();
  for (const auto& token : answer.tokens) {
    ids.push_back(token.id);
    logProbabilities.push_back(token.logProbability);
  }
  Ordered json{{"text", answer.text},
               {"token_ids", ids},
               {"log_probabilities", logProbabilities},
               {"finish_reason", answer.finishReason}};
  if (!answer.ends.empty()) json["token_ends"] = answer.ends;
  if (answer.seconds > 0.0) json["seconds"] = answer.seconds;
  return json;
}

Ordered pointJson(const PerplexityPoint& point) {
  Ordered json{{"length", point.length},
               {"nll", point.nllMeanTo},
               {"perplexity", point.perplexity},
               {"scored_tokens", point.scoredTokens}};
  if (point.nllBin) json["nll_since_previous"] = *point.nllBin;
  if (point.standardError) json["standard_error"] = *point.standardError;
  if (point.documents != 1) json["documents"] = point.documents;
  return json;
}

Ordered mapJson(const AttentionMap& map) {
  if (map.values.empty()) return nullptr;
  const MapRequest& request = map.request;
  return {{"layer", request.layer},
          {"head", request.head},
          {"queries", {request.queries.begin, request.queries.end}},
          {"keys", {request.keys.begin, request.keys.end}},
          {"width", request.width},
          {"height", request.height},
          {"reducer", reducerName(request.reducer)},
          {"weights", toBase64(bytesOf(map.values))}};
}

Ordered settingJson(const RecordedSetting& result) {
  Ordered json{{"setting", result.setting},     {"method", result.method},
               {"factor", result.factor},       {"attention_factor", result.attentionFactor},
               {"inv_freq", result.invFreq},    {"note", result.note},
               {"calibration_sha256", nullptr}, {"document_tokens", result.documentTokens},
               {"answers", Ordered::array()},   {"perplexity", Ordered::array()},
               {"maps", Ordered::array()},      {"seconds", result.seconds}};
  if (result.calibrationHash) json["calibration_sha256"] = *result.calibrationHash;
  for (const auto& answer : result.answers) json["answers"].push_back(answerJson(answer));
  for (const auto& point : result.perplexity) json["perplexity"].push_back(pointJson(point));
  for (const auto& map : result.maps) json["maps"].push_back(mapJson(map));
  return json;
}

// What reading throws; caught once, in fromText().
struct Wrong {
  std::string what;
};

void demand(bool holds, const std::string& what) {
  if (!holds) throw Wrong{what};
}

Reducer reducerOf(const Json& json) {
  const auto name = json.at("reducer").get<std::string>();
  demand(name == "max" || name == "mean", "a reducer is '" + name + "'; max or mean is wanted");
  return name == "max" ? Reducer::Max : Reducer::Mean;
}

GenerationConfig samplingOf(const Json& json) {
  GenerationConfig config{.maxNewTokens = json.at("max_new_tokens").get<std::int64_t>(),
                          .temperature = json.at("temperature").get<double>(),
                          .topP = json.at("top_p").get<double>(),
                          .topK = json.at("top_k").get<std::int64_t>(),
                          .seed = json.at("seed").get<std::uint64_t>(),
                          .stopAtEos = json.at("stop_at_eos").get<bool>()};
  if (const Status valid = validate(config); !valid) throw Wrong{valid.error().message};
  return config;
}

Plan planOf(const Json& json) {
  const Json& model = json.at("model");
  const Json& document = json.at("document");
  Plan plan{.model = model.at("name").get<std::string>(),
            .modelHash = model.at("hash").get<std::string>(),
            .tokenizerHash = model.at("tokenizer_sha256").get<std::string>(),
            .dtype = model.at("dtype").get<std::string>(),
            .trainedLength = model.at("trained_length").get<std::int64_t>(),
            .plainInvFreq = model.at("plain_inv_freq").get<std::vector<double>>(),
            .protocol = json.at("protocol").get<std::string>(),
            .documentName = document.at("name").get<std::string>(),
            .documentText = document.at("text").get<std::string>(),
            .settings = json.at("settings").get<std::vector<std::string>>(),
            .contextTokens = json.at("context").get<std::int64_t>(),
            .questions = json.at("questions").get<std::vector<std::string>>(),
            .generation = samplingOf(json.at("sampling")),
            .lengths = json.at("lengths").get<std::vector<std::int64_t>>()};
  demand(!plan.settings.empty(), "settings is empty; one setting at least is wanted");
  demand(plan.contextTokens > 0, "context is not above 0");
  for (const Json& each : json.at("maps")) {
    const MapChoice map{.layer = each.at("layer").get<int>(),
                        .head = each.at("head").get<int>(),
                        .cells = each.at("cells").get<int>(),
                        .reducer = reducerOf(each)};
    constexpr int kMostCells = 8192;
    demand(map.layer >= 0 && map.head >= 0, "a map's layer or head is below 0");
    demand(map.cells >= 1 && map.cells <= kMostCells, "a map's cells are not from 1 to 8192");
    plan.maps.push_back(map);
  }
  return plan;
}

RecordedAnswer answerOf(const Json& json) {
  if (json.is_null()) return {};
  RecordedAnswer answer{.text = json.at("text").get<std::string>(),
                        .finishReason = json.at("finish_reason").get<std::string>()};
  const auto ids = json.at("token_ids").get<std::vector<std::int32_t>>();
  const auto logProbabilities = json.at("log_probabilities").get<std::vector<double>>();
  demand(ids.size() == logProbabilities.size(),
         "an answer has " + std::to_string(ids.size()) + " token ids and " +
             std::to_string(logProbabilities.size()) + " log-probabilities");
  for (std::size_t i = 0; i < ids.size(); ++i)
    answer.tokens.push_back({ids[i], logProbabilities[i]});
  demand(answer.isRecorded(), "an answer has no finish reason");
  if (json.contains("token_ends")) {
    answer.ends = json.at("token_ends").get<std::vector<std::int64_t>>();
    const auto length = static_cast<std::int64_t>(answer.text.size());
    demand(answer.ends.size() == ids.size() &&
               std::is_sorted(answer.ends.begin(), answer.ends.end()) &&
               (answer.ends.empty() || (answer.ends.front() >= 0 && answer.ends.back() <= length)),
           "the ends of an answer's tokens do not fit its text");
  }
  if (json.contains("seconds")) answer.seconds = json.at("seconds").get<double>();
  return answer;
}

PerplexityPoint pointOf(const Json& json) {
  PerplexityPoint point;
  point.length = json.at("length").get<std::int64_t>();
  point.nllMeanTo = json.at("nll").get<double>();
  point.perplexity = json.at("perplexity").get<double>();
  point.scoredTokens = json.at("scored_tokens").get<std::int64_t>();
  point.documents = json.contains("documents") ? json.at("documents").get<int>() : 1;
  if (json.contains("standard_error")) {
    point.standardError = json.at("standard_error").get<double>();
  }
  if (json.contains("nll_since_previous")) {
    point.nllBin = json.at("nll_since_previous").get<double>();
  }
  return point;
}

TokenRange rangeOf(const Json& json) {
  const auto ends = json.get<std::vector<std::int64_t>>();
  demand(ends.size() == 2 && ends[0] >= 0 && ends[0] < ends[1],
         "a range of tokens is not two rising numbers");
  return {ends[0], ends[1]};
}

AttentionMap mapOf(const Json& json) {
  AttentionMap map;
  if (json.is_null()) return map;
  map.request = {.layer = json.at("layer").get<int>(),
                 .head = json.at("head").get<int>(),
                 .queries = rangeOf(json.at("queries")),
                 .keys = rangeOf(json.at("keys")),
                 .width = json.at("width").get<int>(),
                 .height = json.at("height").get<int>(),
                 .reducer = reducerOf(json)};
  demand(map.request.width > 0 && map.request.height > 0, "a map has no cells");
  const auto cells =
      static_cast<std::size_t>(map.request.width) * static_cast<std::size_t>(map.request.height);
  const auto bytes = fromBase64(json.at("weights").get_ref<const std::string&>());
  demand(bytes.has_value(), "the weights of a map are no base64");
  demand(bytes->size() == cells * sizeof(float),
         "a map of " + std::to_string(cells) + " cells has " +
             std::to_string(bytes->size() / sizeof(float)) + " weights");
  map.values.resize(cells);
  std::memcpy(map.values.data(), bytes->data(), bytes->size());
  return map;
}

RecordedSetting settingOf(const Json& json, const Plan& plan) {
  RecordedSetting result{.setting = json.at("setting").get<std::string>(),
                         .method = json.at("method").get<std::string>(),
                         .factor = json.at("factor").get<double>(),
                         .attentionFactor = json.at("attention_factor").get<double>(),
                         .invFreq = json.at("inv_freq").get<std::vector<double>>(),
                         .note = json.at("note").get<std::string>(),
                         .documentTokens = json.at("document_tokens").get<std::int64_t>(),
                         .seconds = json.at("seconds").get<double>()};
  if (!json.at("calibration_sha256").is_null()) {
    result.calibrationHash = json.at("calibration_sha256").get<std::string>();
  }
  for (const Json& each : json.at("answers")) result.answers.push_back(answerOf(each));
  for (const Json& each : json.at("perplexity")) result.perplexity.push_back(pointOf(each));
  for (const Json& each : json.at("maps")) result.maps.push_back(mapOf(each));
  demand(result.answers.size() == plan.questions.size(),
         result.setting + " has " + std::to_string(result.answers.size()) + " answers to " +
             std::to_string(plan.questions.size()) + " questions");
  demand(result.maps.size() == plan.maps.size(), result.setting + " lacks a map, or has one more");
  return result;
}

// Form 1 has every answer and every map.
bool isWhole(const RecordedSetting& result) {
  return std::all_of(result.answers.begin(), result.answers.end(),
                     [](const RecordedAnswer& answer) { return answer.isRecorded(); }) &&
         std::none_of(result.maps.begin(), result.maps.end(),
                      [](const AttentionMap& map) { return map.values.empty(); });
}

bool isWhole(const Experiment& experiment) {
  return std::all_of(experiment.results.begin(), experiment.results.end(),
                     [](const RecordedSetting& result) { return isWhole(result); });
}

Experiment experimentOf(const Json& json) {
  Experiment experiment{.program = json.at("program").get<std::string>(),
                        .plan = planOf(json.at("plan"))};
  if (json.contains("layout")) experiment.layout = json.at("layout").get<std::string>();
  for (const Json& each : json.at("results")) {
    experiment.results.push_back(settingOf(each, experiment.plan));
  }
  const auto& settings = experiment.plan.settings;
  demand(experiment.results.size() <= settings.size(), "there are more results than settings");
  for (std::size_t i = 0; i < experiment.results.size(); ++i) {
    demand(experiment.results[i].setting == settings[i],
           "result " + std::to_string(i + 1) + " is of '" + experiment.results[i].setting +
               "', setting " + std::to_string(i + 1) + " is '" + settings[i] + "'");
  }
  demand(isWhole(experiment) || json.at(kFormKey) != 1, "an answer or a map is missing");
  return experiment;
}

}  // namespace

std::string toText(const Experiment& experiment) {
  Ordered json{{kFormKey, isWhole(experiment) ? 1 : kNewestForm},
               {"program", experiment.program},
               {"plan", planJson(experiment.plan)},
               {"results", Ordered::array()}};
  for (const auto& result : experiment.results) json["results"].push_back(settingJson(result));
  if (!experiment.layout.empty()) json["layout"] = experiment.layout;
  return json.dump(1) + "\n";
}

Result<Experiment> fromText(const std::string& text, const std::string& name) {
  const auto json = parseJsonObject(text, name);
  if (!json || !json->contains(kFormKey) || !json->at(kFormKey).is_number_integer()) {
    return Error{ErrorCode::CorruptFile,
                 name +
                     ": no experiment; a file that the window or 'experiment new' wrote is "
                     "wanted"};
  }
  if (const Json& form = json->at(kFormKey); form < 1 || form > kNewestForm) {
    return Error{ErrorCode::Unsupported, name + ": the experiment has form " + shortText(form) +
                                             ", this program reads forms 1 to " +
                                             std::to_string(kNewestForm) + "; use a newer program"};
  }
  try {
    return experimentOf(*json);
  } catch (const Wrong& wrong) {
    return Error{ErrorCode::CorruptFile, name + ": " + wrong.what};
  } catch (const Json::exception& exception) {
    return Error{ErrorCode::CorruptFile, name + ": " + exception.what()};
  }
}

Result<Experiment> readExperiment(const std::filesystem::path& path) {
  const auto bytes = readFile(path);
  if (!bytes) return bytes.error();
  const auto kind = picture::kindOf(*bytes);
  if (!kind) return fromText(*bytes, path.string());
  const auto text = picture::carriedText(*bytes, *kind, kPictureKeyword);
  if (!text) {
    return Error{ErrorCode::NotFound, path.string() +
                                          ": the picture carries no experiment; export it anew "
                                          "from one, or open the experiment's own file"};
  }
  return fromText(*text, path.string());
}

Result<std::string> withExperiment(std::string_view picture, const std::string& experimentText) {
  const auto kind = picture::kindOf(picture);
  if (!kind) {
    return Error{ErrorCode::Unsupported,
                 "the file is no PNG, SVG or PDF; only these carry an experiment"};
  }
  return picture::withText(picture, *kind, kPictureKeyword, experimentText);
}

bool mayBeExperiment(const std::filesystem::path& path) {
  if (path.extension() == kFileEnding) return true;
  constexpr std::size_t kHead = 4096;
  std::string head(kHead, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, file.gcount())));
  return picture::kindOf(head).has_value() ||
         head.find('"' + std::string(kFormKey) + '"') != std::string::npos;
}

Status writeExperiment(const Experiment& experiment, const std::filesystem::path& path) {
  return writeFileAtomically(path, toText(experiment));
}

}  // namespace ropescope::experiment
