#include "ui/text/plan_text.h"

#include <QCoreApplication>
#include <QLocale>
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/rope/rope_math.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

constexpr double kSameScale = 1e-6;  // relative; plans are computed in double

QString tr(const char* text) { return QCoreApplication::translate("PlanText", text); }

// plain / this frequency, per pair
std::vector<double> scales(const rope::RotaryPlan& plan) {
  std::vector<double> scale = rope::plainInvFreq(plan.context);
  for (std::size_t pair = 0; pair < scale.size(); ++pair) {
    scale[pair] = plan.invFreq[pair] > 0.0 ? scale[pair] / plan.invFreq[pair] : INFINITY;
  }
  return scale;
}

bool same(double a, double b) { return std::abs(a - b) <= kSameScale * std::abs(b); }

QString pairRange(std::size_t first, std::size_t last) {
  return first == last ? tr("pair %1").arg(first) : tr("pairs %1–%2").arg(first).arg(last);
}

}  // namespace

int pairsNeverTurned(const rope::RotaryPlan& plan) {
  const auto plain = rope::plainInvFreq(plan.context);
  return static_cast<int>(std::count_if(plain.begin(), plain.end(), [&](double frequency) {
    return rope::turns(frequency, plan.context.originalLength) < 1.0;
  }));
}

bool isPlain(const rope::RotaryPlan& plan) {
  const auto scale = scales(plan);
  return same(plan.attentionFactor, 1.0) &&
         std::all_of(scale.begin(), scale.end(), [](double s) { return same(s, 1.0); });
}

QString slowingText(const rope::RotaryPlan& plan) {
  const auto scale = scales(plan);
  const auto [least, most] = std::minmax_element(scale.begin(), scale.end());
  if (same(*least, 1.0) && same(*most, 1.0)) return tr("every pair turns as it was trained");
  if (same(*least, *most)) return tr("every angle is divided by %1").arg(ratioText(*most));
  std::size_t kept = 0;
  while (kept < scale.size() && same(scale[kept], 1.0)) ++kept;
  std::size_t full = scale.size();
  while (full > 0 && same(scale[full - 1], *most)) --full;
  QStringList parts;
  if (kept > 0) parts << tr("%1 turn as trained").arg(pairRange(0, kept - 1));
  if (full > kept) {
    const auto [low, high] =
        std::minmax_element(scale.begin() + static_cast<std::ptrdiff_t>(kept),
                            scale.begin() + static_cast<std::ptrdiff_t>(full));
    parts << tr("%1 are slowed %2 to %3 times")
                 .arg(pairRange(kept, full - 1), QLocale().toString(*low, 'f', 2),
                      QLocale().toString(*high, 'f', 2));
  }
  if (full < scale.size()) {
    parts << tr("%1 are slowed %2 times")
                 .arg(pairRange(full, scale.size() - 1), ratioText(*most));
  }
  return parts.join(QStringLiteral(", "));
}

QString planSentence(const rope::RotaryPlan& plan, const QString& methodTitle) {
  const auto& context = plan.context;
  QStringList parts;
  parts << tr("Trained %1 tokens").arg(tokensText(context.originalLength));
  parts << tr("you plan %1").arg(tokensText(context.plannedLength));
  parts << tr("with %1 %2").arg(methodTitle, slowingText(plan));
  if (!same(plan.attentionFactor, 1.0)) {
    parts << tr("attention logits are multiplied by %1")
                 .arg(QLocale().toString(plan.attentionFactor * plan.attentionFactor, 'f', 3));
  }
  if (plan.unscaledTokens > 0) {
    parts << tr("the first %1 tokens keep plain RoPE").arg(tokensText(plan.unscaledTokens));
  }
  if (context.plannedLength > context.originalLength && isPlain(plan)) {
    parts << tr("beyond %1 tokens slow pairs reach angles that training never showed")
                 .arg(tokensText(context.originalLength));
  }
  parts << tr("%1 of %2 pairs never made a full turn in training")
               .arg(pairsNeverTurned(plan))
               .arg(plan.invFreq.size());
  QString sentence = parts.join(QStringLiteral("; ")) + QLatin1Char('.');
  if (!plan.note.empty()) {
    QString note = QString::fromStdString(plan.note);
    note[0] = note[0].toUpper();
    sentence += QLatin1Char(' ') + note + QLatin1Char('.');
  }
  return sentence;
}

}  // namespace ropescope::ui
