#include "core/experiment/experiment_run.h"

#include <algorithm>
#include <chrono>

#include "core/base/file_io.h"
#include "core/base/memory_size.h"
#include "core/base/sha256.h"
#include "core/eval/curve_text.h"
#include "core/rope/rope_math.h"
#include "core/tokenizer/utf8.h"

namespace ropescope::experiment {
namespace {

using Ids = std::vector<std::int32_t>;
using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Result<std::string> fileHash(const std::filesystem::path& path) {
  const auto bytes = readFile(path);
  if (!bytes) return bytes.error();
  Sha256 sum;
  sum.add(*bytes);
  return sum.hex();
}

std::string folderName(const std::filesystem::path& folder) {
  return (folder.has_filename() ? folder.filename() : folder.parent_path().filename()).string();
}

Status checkMaps(const ModelConfig& config, const Plan& plan) {
  for (const auto& map : plan.maps) {
    if (map.layer < config.layers && map.head < config.heads) continue;
    return Error{ErrorCode::InvalidArgument,
                 "a map of layer " + std::to_string(map.layer) + ", head " +
                     std::to_string(map.head) + " is wanted; the model has layers 0 to " +
                     std::to_string(config.layers - 1) + " and heads 0 to " +
                     std::to_string(config.heads - 1)};
  }
  return Done{};
}

// Bundled files lie in a folder per model: the plan's own first.
std::vector<std::filesystem::path> filesNamed(const std::filesystem::path& name,
                                              const std::filesystem::path& bundled,
                                              const std::string& model) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  std::filesystem::recursive_directory_iterator each(bundled, error);
  for (; !error && each != std::filesystem::end(each); each.increment(error)) {
    std::error_code unreadable;
    if (each->path().filename() == name && each->is_regular_file(unreadable)) {
      found.push_back(each->path());
    }
  }
  std::sort(found.begin(), found.end());
  std::stable_partition(found.begin(), found.end(), [&](const std::filesystem::path& file) {
    return file.parent_path().filename() == model;
  });
  return found;
}

Result<std::string> fileHere(const std::string& recorded, const std::optional<std::string>& hash,
                             const std::filesystem::path& bundled, const std::string& model) {
  std::error_code error;
  if (std::filesystem::is_regular_file(recorded, error)) return recorded;
  for (const auto& file : filesNamed(std::filesystem::path(recorded).filename(), bundled, model)) {
    if (!hash) return file.string();
    const auto here = fileHash(file);
    if (here && *here == *hash) return file.string();
  }
  return Error{ErrorCode::NotFound, recorded + " is not there, and no bundled file has its name" +
                                        (hash ? " and contents" : "")};
}

struct Prompt {
  Ids document;
  std::vector<Ids> questions;
  Ids ownTokens;  // of the bare text, without BOS
};

Result<Prompt> makePrompt(const Engine& engine, const Plan& plan) {
  const auto tokenizer = engine.tokenizer();
  if (!tokenizer) return tokenizer.error();
  auto document = documentPart(engine.promptFormat(), **tokenizer, plan.documentText);
  if (!document) return document.error();
  Prompt prompt{.document = std::move(document->ids),
                .questions = {},
                .ownTokens = (*tokenizer)->encode(plan.documentText).ids};
  for (const auto& question : plan.questions) {
    auto part = questionPart(engine.promptFormat(), **tokenizer, question);
    if (!part) return part.error();
    prompt.questions.push_back(std::move(part->ids));
  }
  return prompt;
}

Status drawMaps(const Session& session, const Plan& plan, std::int64_t documentTokens,
                const JobControl& job, RecordedSetting& result) {
  const TokenRange all{.begin = 0, .end = documentTokens};
  for (const auto& map : plan.maps) {
    const int cells = static_cast<int>(std::min<std::int64_t>(map.cells, documentTokens));
    auto drawn = session.attentionMap({.layer = map.layer,
                                       .head = map.head,
                                       .queries = all,
                                       .keys = all,
                                       .width = cells,
                                       .height = cells,
                                       .reducer = map.reducer},
                                      job);
    if (!drawn) return drawn.error();
    result.maps.push_back(*std::move(drawn));
  }
  return Done{};
}

Status answerAll(const Engine& engine, Session& session, const Plan& plan, const Prompt& prompt,
                 const JobControl& job, RecordedSetting& result) {
  const auto tokenizer = engine.tokenizer();
  if (!tokenizer) return tokenizer.error();
  for (const auto& question : prompt.questions) {
    const auto read = session.prefill({prompt.document, question}, job);
    if (!read) return read.error();
    const Ids before(session.tokens().begin(), session.tokens().end());
    const auto begin = Clock::now();
    const auto generated = session.generate(
        plan.generation, [](const GeneratedToken&) {}, job);
    if (!generated) return generated.error();
    // Half an answer is no record.
    if (generated->finishReason == FinishReason::Stopped) {
      return Error{ErrorCode::Cancelled, "stopped while answering"};
    }
    result.answers.push_back(
        recordAnswer(**tokenizer, before, generated->tokens, generated->finishReason));
    result.answers.back().seconds = secondsSince(begin);
  }
  return Done{};
}

Status useSession(const Engine& engine, const Plan& plan, const Prompt& prompt,
                  const CurveSettings& curve, const JobControl& job, RecordedSetting& result) {
  SessionOptions options{.rope = decidedChoice(curve, engine, plan.contextTokens),
                         .contextTokens = plan.contextTokens,
                         .calibration = curve.calibration,
                         .pscStrength = curve.pscStrength,
                         .lora = curve.lora};
  for (const auto& map : plan.maps) options.captureLayers.push_back(map.layer);
  std::sort(options.captureLayers.begin(), options.captureLayers.end());
  options.captureLayers.erase(
      std::unique(options.captureLayers.begin(), options.captureLayers.end()),
      options.captureLayers.end());
  auto session = engine.newSession(options);
  if (!session) return session.error();
  const rope::RotaryPlan& rotation = (*session)->plan();
  result.method = rotation.method;
  result.factor = rotation.context.factor;
  result.attentionFactor = rotation.attentionFactor;
  result.invFreq = rotation.invFreq;
  result.note = rotation.note;
  const auto read = (*session)->prefill({prompt.document}, job);
  if (!read) return read.error();
  result.documentTokens = (*session)->position();
  if (Status drawn = drawMaps(**session, plan, result.documentTokens, job, result); !drawn) {
    return drawn;
  }
  return answerAll(engine, **session, plan, prompt, job, result);
}

}  // namespace

RecordedAnswer recordAnswer(const Tokenizer& tokenizer, const std::vector<std::int32_t>& before,
                            const std::vector<GeneratedToken>& tokens, FinishReason reason) {
  RecordedAnswer answer{.tokens = tokens, .finishReason = std::string(finishReasonName(reason))};
  Utf8Stream characters;  // half a character belongs to the token that completes it
  Ids ids;
  for (const auto& token : tokens) {
    ids.push_back(token.id);
    answer.text += characters.append(ids.size() == 1 ? tokenizer.continuation(before, ids)
                                                     : tokenizer.bytes(token.id));
    answer.ends.push_back(static_cast<std::int64_t>(answer.text.size()));
  }
  answer.text += characters.finish();
  if (!answer.ends.empty()) answer.ends.back() = static_cast<std::int64_t>(answer.text.size());
  return answer;
}

Status describeModel(const Engine& engine, Plan& plan) {
  auto tokenizerHash = fileHash(engine.folder() / "tokenizer.model");
  if (!tokenizerHash) return tokenizerHash.error();
  plan.model = folderName(engine.folder());
  plan.modelHash = engine.modelHash();
  plan.tokenizerHash = *std::move(tokenizerHash);
  plan.dtype = engine.dtype();
  plan.trainedLength = engine.config().trainedLength;
  plan.plainInvFreq = rope::plainInvFreq(engine.config().ropeBase, engine.config().headDim);
  const auto tokenizer = engine.tokenizer();
  if (!tokenizer) return tokenizer.error();
  plan.protocol = protocolText({.lengths = plan.lengths}, (*tokenizer)->addsBos());
  return Done{};
}

Status checkModel(const Engine& engine, const Plan& plan) {
  Plan here;
  if (Status described = describeModel(engine, here); !described) return described;
  const bool sameModel = here.modelHash == plan.modelHash;
  if (sameModel && here.tokenizerHash == plan.tokenizerHash) return Done{};
  const std::string what = sameModel ? "tokenizer" : "model";
  const auto shown = [&](const Plan& of) {
    return of.model + " (" + (sameModel ? of.tokenizerHash : of.modelHash).substr(0, 12) + ")";
  };
  return Error{ErrorCode::InvalidArgument, "the experiment was made with the " + what + " of " +
                                               shown(plan) + ", loaded is that of " + shown(here) +
                                               "; name the experiment's model with --model"};
}

Result<RecordedSetting> runSetting(const Engine& engine, const Plan& plan,
                                   const std::string& setting, const JobControl& job) {
  const auto begin = Clock::now();
  if (Status valid = checkMaps(engine.config(), plan); !valid) return valid.error();
  auto curve = parseCurve(setting, engine);
  if (!curve) return curve.error();
  // Answers, maps and losses under one factor: the planned length decides it where it is left open.
  if (!curve->factorFollowsLength) {
    curve->rope = decidedChoice(*curve, engine, plan.contextTokens);
  }
  const auto prompt = makePrompt(engine, plan);
  if (!prompt) return prompt.error();
  RecordedSetting result{.setting = setting};
  if (curve->calibration) {
    auto hash = fileHash(curve->calibration->info().path);
    if (!hash) return hash.error();
    result.calibrationHash = *std::move(hash);
  }
  if (Status used = useSession(engine, plan, *prompt, *curve, job, result); !used) {
    return used.error();
  }
  if (!plan.lengths.empty()) {
    const auto measured =
        measureCurve(engine, *curve, {prompt->ownTokens},
                     {.lengths = plan.lengths, .protocol = Protocol::OnePass}, {}, job);
    if (!measured) return measured.error();
    result.perplexity = measured->points;
  }
  result.seconds = secondsSince(begin);
  return result;
}

Result<std::string> settingHere(const Plan& plan, const std::string& setting,
                                const std::optional<std::string>& calibrationHash,
                                const std::filesystem::path& bundled) {
  auto curve = readCurve(setting);
  if (!curve) return curve.error();
  for (const auto& spec : rope::findMethod(curve->rope.id)->parameters()) {
    const auto value = curve->rope.values.find(spec.name);
    if (spec.kind != rope::ParameterKind::File || value == curve->rope.values.end()) continue;
    auto file = fileHere(std::get<std::string>(value->second), {}, bundled, plan.model);
    if (!file) return file.error();
    value->second = *std::move(file);
  }
  if (!curve->calibrationFile.empty()) {
    auto file = fileHere(curve->calibrationFile, calibrationHash, bundled, plan.model);
    if (!file) return file.error();
    curve->calibrationFile = *std::move(file);
  }
  return curveText(*curve);
}

Result<Rerun> runAgain(const Engine& engine, const Experiment& recorded,
                       const std::filesystem::path& bundled,
                       const std::function<void(const std::string&)>& onSetting,
                       const JobControl& job) {
  const Plan& plan = recorded.plan;
  if (Status same = checkModel(engine, plan); !same) return same.error();
  Rerun rerun;
  for (const std::string& setting : plan.settings) {
    onSetting(setting);
    const auto before =
        std::find_if(recorded.results.begin(), recorded.results.end(),
                     [&](const RecordedSetting& result) { return result.setting == setting; });
    const auto hash =
        before == recorded.results.end() ? std::optional<std::string>() : before->calibrationHash;
    const auto here = settingHere(plan, setting, hash, bundled);
    auto result =
        here ? runSetting(engine, plan, *here, job) : Result<RecordedSetting>(here.error());
    if (result) {
      result->setting = setting;
      rerun.results.push_back(*std::move(result));
    } else if (result.error().code == ErrorCode::Cancelled) {
      return result.error();
    } else {
      rerun.failed.push_back({setting, result.error().message});
    }
  }
  return rerun;
}

}  // namespace ropescope::experiment
