#include "ui/viewmodels/factor_editor_model.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

#include "core/rope/rope_math.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/angle_view_model.h"

namespace ropescope::ui {
namespace {

constexpr int kHandles = 6;  // of the spline, evenly spread

QString number(double value) {
  return QLocale().toString(value, 'g', 4);
}

QString percent(double share) {
  return QLocale().toString(100.0 * share, 'f', share < 0.1 ? 1 : 0) + QStringLiteral(" %");
}

FactorDraft draftOf(const rope::RotaryPlan& plan) {
  return {rope::factorsOf(plan), plan.attentionFactor, plan.unscaledTokens};
}

// The same rotation, but for the rounding of a division there and back.
bool isNear(const FactorDraft& a, const FactorDraft& b) {
  constexpr double kRounding = 1e-12;
  return a.attentionFactor == b.attentionFactor && a.unscaledTokens == b.unscaledTokens &&
         std::equal(a.factors.begin(), a.factors.end(), b.factors.begin(), b.factors.end(),
                    [](double x, double y) { return std::abs(x / y - 1.0) < kRounding; });
}

}  // namespace

// One step of undo. Steps of the same drag become one.
class FactorCommand : public QUndoCommand {
 public:
  FactorCommand(FactorEditorModel& model, FactorDraft next, int drag, const QString& text)
      : QUndoCommand(text),
        m_model(model),
        m_before(model.draft()),
        m_after(std::move(next)),
        m_drag(drag) {}

  void undo() override { m_model.adopt(m_before); }
  void redo() override { m_model.adopt(m_after); }
  int id() const override { return m_drag == 0 ? -1 : 1; }
  bool mergeWith(const QUndoCommand* other) override {
    const auto* next = static_cast<const FactorCommand*>(other);
    if (next->m_drag != m_drag) return false;
    m_after = next->m_after;
    setObsolete(m_after == m_before);
    return true;
  }

 private:
  FactorEditorModel& m_model;
  FactorDraft m_before;
  FactorDraft m_after;
  int m_drag;
};

double ScorePatch::moved() const {
  double sum = std::abs(before.ignored - after.ignored);
  for (std::size_t key = 0; key < before.byKey.size(); ++key) {
    sum += std::abs(before.byKey[key] - after.byKey[key]);
  }
  return sum / 2;
}

FactorEditorModel::FactorEditorModel(QObject* parent) : QObject(parent) {}

void FactorEditorModel::setPlan(std::shared_ptr<const rope::RotaryPlan> plan,
                                const std::vector<rope::RotaryPlan>& others) {
  m_plan = std::move(plan);
  m_presets.clear();
  if (m_plan) {
    const rope::RotaryPlan plain = rope::plainPlan(m_plan->context, "none");
    m_presets.push_back({tr("in use: %1").arg(planTitle(*m_plan)), draftOf(*m_plan)});
    m_presets.push_back({tr("plain RoPE"), draftOf(plain)});
    for (const rope::RotaryPlan& other : others) {
      if (other.invFreq != plain.invFreq) m_presets.push_back({planTitle(other), draftOf(other)});
    }
  }
  const FactorDraft inUse = m_plan ? m_presets.front().draft : FactorDraft();
  const bool keeps = isEdited() && m_draft.factors.size() == inUse.factors.size();
  if (isNear(m_draft, inUse)) {
    m_inUse = m_draft;  // it was applied; not the plan's, which divides twice
  } else {
    m_inUse = inUse;
    if (!keeps) {
      m_draft = inUse;
      m_undo.clear();
    }
  }
  m_rerun.reset();
  m_rerunStatus.clear();
  adopt(FactorDraft(m_draft));
  Q_EMIT presetsChanged();
  Q_EMIT rerunChanged();
}

void FactorEditorModel::adopt(const FactorDraft& draft) {
  m_draft = draft;
  if (m_drag == 0) m_handles.clear();
  m_unseen.clear();
  if (const auto edited = plan()) m_unseen = unseenFrom(*edited);
  m_patch.reset();
  m_patchBins.clear();
  m_patchWhy = tr("computing …");
  Q_EMIT draftChanged();
  Q_EMIT patchChanged();
  if (m_rerun) Q_EMIT rerunChanged();
}

void FactorEditorModel::change(const FactorDraft& next, const QString& what) {
  if (next == m_draft) return;
  m_undo.push(new FactorCommand(*this, next, m_drag, what));
}

void FactorEditorModel::usePreset(int index) {
  if (index < 0 || index >= static_cast<int>(m_presets.size())) return;
  const FactorPreset& preset = m_presets[static_cast<std::size_t>(index)];
  change(preset.draft, tr("Use %1").arg(preset.title));
}

void FactorEditorModel::reset() {
  change(m_inUse, tr("Reset factors"));
}

void FactorEditorModel::setAttentionFactor(double factor) {
  FactorDraft next = m_draft;
  next.attentionFactor = factor;
  change(next, tr("Attention factor"));
}

void FactorEditorModel::setTool(FactorTool tool) {
  if (tool == m_tool) return;
  m_tool = tool;
  m_handles.clear();
  Q_EMIT toolChanged();
}

std::vector<rope::FactorHandle> FactorEditorModel::handles() const {
  if (m_tool == FactorTool::Bars || m_draft.factors.empty()) return {};
  if (!m_handles.empty()) return m_handles;
  std::vector<rope::FactorHandle> handles;
  const auto last = static_cast<int>(m_draft.factors.size()) - 1;
  const int count = std::min(kHandles, last + 1);
  for (int i = 0; i < count; ++i) {
    const int pair = count == 1 ? 0 : last * i / (count - 1);
    handles.push_back({pair, m_draft.factors[static_cast<std::size_t>(pair)]});
  }
  return handles;
}

void FactorEditorModel::beginDrag() {
  m_handles = handles();
  m_drag = ++m_lastDrag;
}

void FactorEditorModel::endDrag() {
  m_drag = 0;
}

void FactorEditorModel::drag(int pair, double factor) {
  const auto pairs = static_cast<int>(m_draft.factors.size());
  if (pair < 0 || pair >= pairs || !std::isfinite(factor)) return;
  factor = std::clamp(factor, kLeast, kMost);
  FactorDraft next = m_draft;
  if (m_tool == FactorTool::Bars) {
    next.factors[static_cast<std::size_t>(pair)] = factor;
    return change(next, tr("Factor of pair %1").arg(pair));
  }
  const bool alone = m_drag == 0;
  if (alone) beginDrag();
  for (rope::FactorHandle& handle : m_handles) {
    if (handle.pair == pair) handle.factor = factor;
  }
  next.factors = rope::splineFactors(m_handles, pairs);
  change(next, tr("Factor curve"));
  if (alone) endDrag();
}

rope::MethodChoice FactorEditorModel::choiceOf(const FactorDraft& draft) const {
  return rope::choiceOf({draft.factors, draft.factors, draft.unscaledTokens, draft.attentionFactor},
                        m_plan ? m_plan->context.factor : 1.0);
}

Result<rope::RotaryPlan> FactorEditorModel::plan() const {
  if (!m_plan) return Error{ErrorCode::InvalidArgument, "no model is loaded; open one first"};
  return rope::makePlan(choice(), m_plan->context);
}

bool FactorEditorModel::leavesTraining(int pair) const {
  const auto i = static_cast<std::size_t>(pair);
  return m_plan && pair >= 0 && i < m_unseen.size() && m_unseen[i] &&
         *m_unseen[i] < m_plan->context.plannedLength;
}

QString FactorEditorModel::formulaText() const {
  if (!m_plan) return tr("No model is loaded.");
  if (const auto made = plan(); !made) return QString::fromStdString(made.error().message);
  const std::int64_t longest = m_plan->context.plannedLength - 1;
  return tr("Formula, exact: %1 of %2 pairs meet unseen angles within %3 tokens (in use: %4).")
      .arg(unseenPairs(m_unseen, longest))
      .arg(m_unseen.size())
      .arg(tokensText(longest + 1))
      .arg(unseenPairs(unseenFrom(*m_plan), longest));
}

QString FactorEditorModel::describe(int pair) const {
  if (!m_plan || pair < 0 || pair >= static_cast<int>(m_draft.factors.size())) return {};
  const auto i = static_cast<std::size_t>(pair);
  const double plain = rope::plainInvFreq(m_plan->context)[i];
  const double factor = m_draft.factors[i];
  QString text =
      tr("pair %1\nfactor %2 (in use %3)\nwavelength %4 tokens (plain %5)")
          .arg(pair)
          .arg(number(factor), number(m_inUse.factors[i]), number(rope::wavelength(plain / factor)),
               number(rope::wavelength(plain)));
  if (i < m_unseen.size() && m_unseen[i]) {
    text += tr("\nunseen angles from distance %1").arg(tokensText(*m_unseen[i]));
  }
  return text;
}

void FactorEditorModel::setPatch(std::shared_ptr<const ScorePatch> patch, const QString& why) {
  m_patch = std::move(patch);
  m_patchWhy = why;
  m_patchBins.clear();
  if (m_patch) {
    const std::int64_t longest = m_patch->before.queries.end - 1;
    const auto borders = distanceBins(DistanceScale::Logarithmic, longest);
    for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
      m_patchBins.push_back({borders[i], borders[i + 1],
                             sumOf(m_patch->before.byDistance, borders[i], borders[i + 1]),
                             sumOf(m_patch->after.byDistance, borders[i], borders[i + 1])});
    }
  }
  Q_EMIT patchChanged();
}

QString FactorEditorModel::patchText() const {
  if (!m_patch) return tr("Score patch: %1.").arg(m_patchWhy);
  const std::int64_t trained = m_plan ? m_plan->context.originalLength : 0;
  return tr("Score patch on captured q and k (exact in the first layer; deeper hidden states are "
            "of "
            "the rotation in use): %1 of %2 attention moves, %3 → %4 goes beyond %5.")
      .arg(percent(m_patch->moved()), m_patch->whose, percent(m_patch->before.atLeast(trained)),
           percent(m_patch->after.atLeast(trained)), tokensText(trained));
}

QString FactorEditorModel::patchNote() const {
  return m_patch ? tr("patch: %1").arg(m_patch->what) : QString();
}

void FactorEditorModel::setRerun(const SliceRerun& rerun, const FactorDraft& of,
                                 bool uncalibrated) {
  m_rerun = rerun;
  m_rerunDraft = of;
  m_rerunUncalibrated = uncalibrated;
  m_rerunStatus.clear();
  Q_EMIT rerunChanged();
}

void FactorEditorModel::setRerunStatus(const QString& text) {
  m_rerunStatus = text;
  Q_EMIT rerunChanged();
}

QString FactorEditorModel::rerunText() const {
  if (!m_rerunStatus.isEmpty()) return tr("Real re-run: %1.").arg(m_rerunStatus);
  if (!m_rerun) return tr("Real re-run: Re-run reads a slice twice and compares its perplexity.");
  const QString which = m_rerunUncalibrated ? tr(", both without the calibration") : QString();
  const QString text =
      tr("Real re-run, first %1 tokens%2: perplexity %3 in use, %4 edited")
          .arg(tokensText(m_rerun->tokens), which, QLocale().toString(m_rerun->before, 'f', 2),
               QLocale().toString(m_rerun->after, 'f', 2));
  return m_rerunDraft == m_draft ? text + u'.' : text + tr(" (an earlier edit).");
}

QString FactorEditorModel::block() const {
  if (!m_plan) return {};
  return QString::fromStdString(rope::factorBlock(
      {m_draft.factors, m_draft.factors, m_draft.unscaledTokens, m_draft.attentionFactor},
      m_plan->context));
}

QString FactorEditorModel::column() const {
  return QString::fromStdString(rope::factorColumn(m_draft.factors));
}

PlotTable FactorEditorModel::table() const {
  PlotTable table;
  if (!m_plan) return table;
  const std::vector<double> plain = rope::plainInvFreq(m_plan->context);
  const auto add = [&](const QString& title, auto value) {
    TableColumn column{.title = title};
    for (std::size_t pair = 0; pair < plain.size(); ++pair) column.numbers.push_back(value(pair));
    table.columns.push_back(std::move(column));
  };
  add(tr("pair"), [](std::size_t pair) { return static_cast<double>(pair); });
  add(tr("factor"), [&](std::size_t pair) { return m_draft.factors[pair]; });
  add(tr("factor in use"), [&](std::size_t pair) { return m_inUse.factors[pair]; });
  add(tr("frequency [rad/token]"),
      [&](std::size_t pair) { return plain[pair] / m_draft.factors[pair]; });
  add(tr("wavelength [tokens]"),
      [&](std::size_t pair) { return rope::wavelength(plain[pair] / m_draft.factors[pair]); });
  add(tr("unseen from distance [tokens]"), [&](std::size_t pair) {
    const bool leaves = pair < m_unseen.size() && m_unseen[pair];
    return leaves ? static_cast<double>(*m_unseen[pair]) : std::nan("");
  });
  return table;
}

}  // namespace ropescope::ui
