#include "ui/viewmodels/plan_comparison.h"

#include <QObject>
#include <QStringList>
#include <algorithm>

namespace ropescope::ui {

PlanComparison comparePlans(const Engine& engine, const rope::RotaryPlan& current,
                            std::span<const rope::MethodChoice> known) {
  PlanComparison all;
  QStringList missing;
  QStringList refusals;
  for (const auto& method : rope::allMethods()) {
    const rope::MethodInfo info = method->info();
    if (info.id == current.method) continue;
    rope::MethodChoice choice{.id = info.id};
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&info](const auto& one) { return one.id == info.id; });
    if (found != known.end()) choice.values = found->values;
    if (info.takesFactor) choice.factor = current.context.factor;
    auto plan = engine.plan(choice, current.context.plannedLength);
    if (plan) {
      all.plans.push_back(*std::move(plan));
    } else {
      const QString title = QString::fromStdString(info.title);
      missing << title;
      refusals << title + QStringLiteral(": ") + QString::fromStdString(plan.error().message);
    }
  }
  if (missing.isEmpty()) return all;
  all.leftOut = QObject::tr("not drawn: %1").arg(missing.join(QStringLiteral(", ")));
  all.reasons = refusals.join(u'\n');
  return all;
}

}  // namespace ropescope::ui
