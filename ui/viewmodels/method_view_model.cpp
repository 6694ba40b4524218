#include "ui/viewmodels/method_view_model.h"

#include <algorithm>
#include <cmath>

#include "ui/text/error_text.h"
#include "ui/text/number_text.h"
#include "ui/text/plan_text.h"

namespace ropescope::ui {
namespace {

constexpr const char* kAdvisedMethod = "yarn";

QString titleOf(const std::string& id) {
  const auto method = rope::findMethod(id);
  return QString::fromStdString(method ? method->info().title : id);
}

}  // namespace

MethodViewModel::MethodViewModel(AppModel& app, QObject* parent)
    : QObject(parent),
      m_app(app),
      m_methods(this) {
  connect(&m_app, &AppModel::planChanged, this, &MethodViewModel::adoptApplied);
  connect(&m_app, &AppModel::documentChanged, this, &MethodViewModel::update);
  connect(&m_app, &AppModel::ledgerChanged, this, &MethodViewModel::update);
}

void MethodViewModel::adoptApplied() {
  m_draft = m_app.method();
  emit methodChanged();
  update();
}

void MethodViewModel::revert() {
  adoptApplied();
}

// Recomputes sentence, problem and which methods work. Cheap: plans are a few dozen numbers.
void MethodViewModel::update() {
  m_sentence.clear();
  m_problem.clear();
  if (m_app.engine()) {
    const std::int64_t context =
        m_draft.contextTokens > 0 ? m_draft.contextTokens : m_app.automaticContext();
    m_methods.refresh(*m_app.engine(), context, m_draft.rope);
    const auto plan = m_app.engine()->plan(m_draft.rope, context);
    if (plan) {
      m_sentence = planSentence(*plan, titleOf(m_draft.rope.id));
    } else {
      m_problem = errorSentence(plan.error());
    }
  }
  emit draftChanged();
}

std::vector<rope::ParameterSpec> MethodViewModel::parameters() const {
  const auto method = rope::findMethod(m_draft.rope.id);
  return method ? method->parameters() : std::vector<rope::ParameterSpec>{};
}

bool MethodViewModel::takesFactor() const {
  const auto method = rope::findMethod(m_draft.rope.id);
  return method && method->info().takesFactor;
}

QString MethodViewModel::automaticFactor() const {
  if (!m_app.engine()) return tr("automatic");
  const double planned = static_cast<double>(m_draft.contextTokens > 0 ? m_draft.contextTokens
                                                                       : m_app.automaticContext());
  const double trained = static_cast<double>(m_app.engine()->config().trainedLength);
  return tr("automatic (%1)").arg(ratioText(std::max(1.0, planned / trained)));
}

QString MethodViewModel::automaticContext() const {
  if (!m_app.engine()) return tr("automatic");
  return tr("automatic (%1)").arg(tokensText(m_app.automaticContext()));
}

QString MethodViewModel::sentence() const {
  return m_problem.isEmpty() ? m_sentence : m_problem;
}

QString MethodViewModel::summary() const {
  const auto method = rope::findMethod(m_draft.rope.id);
  if (!method) return {};
  const auto info = method->info();
  QString text = QString::fromStdString(info.summary);
  if (!info.reference.empty())
    text += QStringLiteral(" (%1)").arg(QString::fromStdString(info.reference));
  return text;
}

bool MethodViewModel::isChanged() const {
  return !(m_draft == m_app.method());
}

QString MethodViewModel::calibrationText() const {
  if (!m_app.calibration() || m_draft.calibrationFile != m_app.method().calibrationFile) return {};
  const CalibrationInfo& info = m_app.calibration()->info();
  QStringList parts;
  if (info.hasPhase) parts << tr("phase modules");
  if (info.hasLora) parts << tr("LoRA pairs of rank %1").arg(info.loraRank);
  QString text =
      tr("In use: %1, %2 parameters").arg(parts.join(tr(" and ")), tokensText(info.parameters));
  if (!info.missing.empty()) text += tr("; %1 tensors missing").arg(info.missing.size());
  if (!info.surplus.empty()) text += tr("; %1 tensors not used").arg(info.surplus.size());
  for (const auto& warning : info.warnings)
    text += QStringLiteral("; ") + QString::fromStdString(warning);
  return text;
}

std::optional<Advice> MethodViewModel::advice() const {
  if (!m_app.engine() || !m_app.document() || !m_app.plan()) return std::nullopt;
  const std::int64_t trained = m_app.engine()->config().trainedLength;
  if (m_app.neededContext(0) <= trained || !isPlain(*m_app.plan())) return std::nullopt;
  MethodSettings settings = m_app.method();
  settings.rope = {.id = kAdvisedMethod};
  if (settings.contextTokens > 0) {
    settings.contextTokens =
        std::max(settings.contextTokens, m_app.neededContext(AppModel::kQuestionAllowance));
  }
  const auto plan =
      m_app.engine()->plan(settings.rope, settings.contextTokens > 0 ? settings.contextTokens
                                                                     : m_app.automaticContext());
  if (!plan) return std::nullopt;
  const double ratio =
      static_cast<double>(m_app.document()->tokens()) / static_cast<double>(trained);
  return Advice{
      .text = tr("The document is %1 times as long as what the model was trained for: plain RoPE "
                 "breaks there.")
                  .arg(ratioText(ratio)),
      .action =
          tr("Use %1, factor %2").arg(titleOf(kAdvisedMethod), ratioText(plan->context.factor)),
      .settings = settings};
}

std::optional<MethodViewModel::FileCure> MethodViewModel::fileCure() const {
  for (const auto& method : rope::allMethods()) {
    const auto info = method->info();
    if (m_methods.unavailableReason(info.id).isEmpty()) continue;
    for (const auto& spec : method->parameters()) {
      if (spec.kind == rope::ParameterKind::File) return FileCure{info.id, info.title, spec.name};
    }
  }
  return std::nullopt;
}

void MethodViewModel::setMethod(const std::string& id) {
  if (id == m_draft.rope.id) return;
  // What the model's config says about a method goes with that method.
  const bool fromConfig = m_app.engine() && m_app.engine()->config().rope.id == id;
  m_draft.rope = fromConfig ? m_app.engine()->config().rope
                            : rope::MethodChoice{.id = id, .factor = m_draft.rope.factor};
  emit methodChanged();
  update();
}

void MethodViewModel::setValue(const std::string& name,
                               const std::optional<rope::ParameterValue>& value) {
  if (value) {
    m_draft.rope.values[name] = *value;
  } else {
    m_draft.rope.values.erase(name);
  }
  update();
}

void MethodViewModel::setFactor(std::optional<double> factor) {
  m_draft.rope.factor = factor;
  update();
}

void MethodViewModel::setContext(std::int64_t tokens) {
  m_draft.contextTokens = tokens;
  update();
}

void MethodViewModel::setCalibration(const std::filesystem::path& file) {
  m_draft.calibrationFile = file;
  update();
}

void MethodViewModel::setStrength(double strength) {
  m_draft.pscStrength = strength;
  update();
}

void MethodViewModel::setLora(bool on) {
  m_draft.lora = on;
  update();
}

void MethodViewModel::useFile(const FileCure& cure, const std::string& path) {
  m_draft.rope = {
      .id = cure.method, .values = {{cure.parameter, path}}, .factor = m_draft.rope.factor};
  emit methodChanged();
  update();
}

void MethodViewModel::apply() {
  m_app.applyMethod(m_draft);
}

void MethodViewModel::apply(const MethodSettings& settings) {
  m_app.applyMethod(settings);
}

}  // namespace ropescope::ui
