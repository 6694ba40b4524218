// How positions are rotated: from options to a plan, and the plan to words and settings.
#include <algorithm>

#include "app/cli/run.h"
#include "app/cli/text.h"
#include "core/base/file_io.h"
#include "core/base/memory_size.h"
#include "core/base/sha256.h"

namespace ropescope::cli {
namespace {

Json valueJson(const rope::ParameterValue& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

Status addParameter(rope::MethodChoice& choice, const std::string& name, const std::string& text) {
  const auto method = rope::findMethod(choice.id);
  const auto specs = method ? method->parameters() : std::vector<rope::ParameterSpec>();
  std::vector<std::string> names;
  for (const auto& spec : specs) {
    if (spec.name == name) {
      auto value = rope::parseValue(spec, text);
      if (!value) return value.error();
      choice.values[name] = *std::move(value);
      return Done{};
    }
    names.push_back(spec.name);
  }
  const auto guess = nearest(name, names);
  std::string known;
  for (const auto& each : names) known += (known.empty() ? "" : ", ") + each;
  return Error{ErrorCode::InvalidArgument,
               "method " + choice.id + " has no parameter '" + name + "'; " +
                   (guess           ? "did you mean " + *guess + "?"
                    : known.empty() ? "it has none; choose another with --rope"
                                    : "it has " + known)};
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kMost) text += " and " + std::to_string(names.size() - kMost) + " more";
  return text;
}

bool takesFactor(const std::string& id) {
  const auto method = rope::findMethod(id);
  return !method || method->info().takesFactor;
}

}  // namespace

std::string planText(const rope::RotaryPlan& plan) {
  return takesFactor(plan.method) ? plan.method + " with factor " + compact(plan.context.factor)
         : plan.method == "none"  ? "no RoPE scaling"
                                  : plan.method;
}

Json sha256Json(const std::filesystem::path& path) {
  const auto bytes = readFile(path);
  if (!bytes) return nullptr;
  Sha256 hash;
  hash.add(*bytes);
  return hash.hex();
}

Json parametersJson(const rope::MethodChoice& completed) {
  Json parameters = Json::object();
  const auto method = rope::findMethod(completed.id);
  if (!method) return parameters;
  for (const auto& spec : method->parameters()) {
    const auto given = completed.values.find(spec.name);
    parameters[spec.name] = given != completed.values.end() ? valueJson(given->second)
                            : spec.defaultValue             ? valueJson(*spec.defaultValue)
                                                            : Json(nullptr);
    if (spec.kind == rope::ParameterKind::File && given != completed.values.end()) {
      parameters[spec.name + "_sha256"] = sha256Json(std::get<std::string>(given->second));
    }
  }
  return parameters;
}

Json calibrationJson(const Calibration* calibration, double strength, bool lora) {
  if (calibration == nullptr) return nullptr;
  const CalibrationInfo& info = calibration->info();
  return Json{{"path", info.path.string()}, {"sha256", sha256Json(info.path)},
              {"psc_strength", strength},   {"lora", lora},
              {"has_phase", info.hasPhase}, {"has_lora", info.hasLora},
              {"lora_rank", info.loraRank}, {"lora_alpha", info.loraAlpha},
              {"missing", info.missing},    {"surplus", info.surplus},
              {"metadata", info.metadata},  {"forced", info.originIgnored}};
}

std::optional<double> Run::usedFactor() const {
  const std::string& method = m_options.rope ? *m_options.rope : m_engine->config().rope.id;
  return takesFactor(method) ? m_options.factor : std::nullopt;
}

Result<rope::MethodChoice> Run::methodChoice() {
  rope::MethodChoice choice = m_engine->config().rope;
  if (m_options.rope) choice = {.id = *m_options.rope, .values = {}, .factor = std::nullopt};
  for (const auto& [name, text] : m_options.ropeParameters) {
    if (Status added = addParameter(choice, name, text); !added) return added.error();
  }
  if (m_options.factor) {
    if (*m_options.factor < 1.0) {
      return Error{ErrorCode::InvalidArgument,
                   "--factor is " + exactNumber(*m_options.factor) +
                       "; RoPE scaling stretches, so it must be 1 or larger"};
    }
    choice.factor = m_options.factor;
    if (!takesFactor(choice.id)) {
      notice("method " + choice.id + " takes no factor; --factor " +
             exactNumber(*m_options.factor) + " has no effect (choose a method with --rope)");
    }
  }
  return choice;
}

Result<rope::RotaryPlan> Run::plan(std::int64_t plannedTokens) {
  auto choice = methodChoice();
  if (!choice) return choice.error();
  auto plan = m_engine->plan(*choice, plannedTokens);
  if (!plan) return plan;
  describePlan(*choice, *plan);
  return plan;
}

Result<std::shared_ptr<const Calibration>> Run::calibration() {
  if (!m_options.calibration || m_calibration) return m_calibration;
  auto loaded = m_engine->loadCalibration(
      *m_options.calibration, m_options.force ? OriginCheck::Ignore : OriginCheck::Enforce);
  if (!loaded) return loaded;
  m_calibration = *std::move(loaded);
  noticeCalibration(m_calibration->info());
  return m_calibration;
}

void Run::noticeCalibration(const CalibrationInfo& info) {
  const std::string name = info.path.filename().string();
  for (const auto& warning : info.warnings) notice(warning);
  if (!info.missing.empty()) {
    notice(name + " lacks " + std::to_string(info.missing.size()) + " tensors (" +
           listed(info.missing) + "); nothing is changed there");
  }
  if (!info.surplus.empty()) {
    notice(name + " has " + std::to_string(info.surplus.size()) +
           " tensors that this model does not take (" + listed(info.surplus) + ")");
  }
  if (m_options.lora == true && !info.hasLora) {
    notice(name + " holds no LoRA pairs; --lora on has no effect");
  }
}

Result<SessionOptions> Run::sessionOptions(std::int64_t plannedTokens) {
  if (const double strength = m_options.pscStrength.value_or(1.0);
      strength < 0.0 || strength > 2.0) {
    return Error{ErrorCode::InvalidArgument, "--psc-strength is " + exactNumber(strength) +
                                                 "; 0 (none) to 1 (as trained), at most 2, is "
                                                 "wanted"};
  }
  auto choice = methodChoice();
  if (!choice) return choice.error();
  const auto plan = m_engine->plan(*choice, plannedTokens);
  if (!plan) return plan.error();
  auto loaded = calibration();
  if (!loaded) return loaded.error();
  SessionOptions session;
  session.rope = *std::move(choice);
  session.contextTokens = plannedTokens;
  session.calibration = *loaded;
  session.pscStrength = m_options.pscStrength.value_or(1.0);
  session.lora = m_options.lora.value_or(true);
  describePlan(session.rope, *plan);
  if (session.calibration && session.calibration->info().origin) {
    const std::string text = factorNotice(*session.calibration->info().origin,
                                          session.calibration->info().path.string(), *plan);
    if (!text.empty()) notice(text);
  }
  m_settings["chunk"] = m_engine->chunkTokens(plannedTokens);
  m_settings["calibration"] = calibrationJson(loaded->get(), session.pscStrength, session.lora);
  return session;
}

void Run::describePlan(const rope::MethodChoice& choice, const rope::RotaryPlan& plan) {
  const rope::RopeContext& context = plan.context;
  m_settings["context"] = context.plannedLength;
  m_settings["trained_length"] = context.originalLength;
  std::string origin = m_options.rope ? "--rope" : "model config";
  if (usedFactor()) origin += ", --factor";
  if (!m_options.ropeParameters.empty()) origin += ", --rope-param";
  m_settings["rope"] = {{"method", plan.method},
                        {"factor", context.factor},
                        {"base", context.base},
                        {"head_dim", context.headDim},
                        {"parameters", parametersJson(m_engine->completed(choice))},
                        {"attention_factor", plan.attentionFactor},
                        {"unscaled_tokens", plan.unscaledTokens},
                        {"from", origin},
                        {"note", plan.note}};
  if (context.plannedLength <= context.originalLength) {
    // Also below the trained length something was decided, between two lists of factors, say.
    const auto method = rope::findMethod(plan.method);
    if (method && method->info().dependsOnLength && !plan.note.empty()) {
      notice(plan.method + ": " + plan.note);
    }
    return;
  }
  std::string text = "planned " + tokensText(context.plannedLength) + ", trained " +
                     countText(context.originalLength) + ": " + planText(plan);
  if (plan.method == "none") text += "; without it a model soon loses the thread, try --rope yarn";
  if (!plan.note.empty()) text += " (" + plan.note + ")";
  notice(text);
}

}  // namespace ropescope::cli
