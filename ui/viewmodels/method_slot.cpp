#include "ui/viewmodels/method_slot.h"

#include <QCoreApplication>

#include "ui/viewmodels/angle_view_model.h"

namespace ropescope::ui {
namespace {

QString tr(const char* text) {
  return QCoreApplication::translate("MethodSlot", text);
}

QString calibrationTitle(const PlannedSession& session) {
  if (session.settings.calibrationFile.empty()) return {};
  const bool phase = !session.calibration || session.calibration->info().hasPhase;
  if (phase && session.settings.pscStrength > 0.0) return QStringLiteral("PSC");
  return session.settings.lora ? QStringLiteral("LoRA") : QString();
}

}  // namespace

bool operator==(const MethodSettings& a, const MethodSettings& b) {
  return a.rope.id == b.rope.id && a.rope.values == b.rope.values &&
         a.rope.factor == b.rope.factor && a.contextTokens == b.contextTokens &&
         a.calibrationFile == b.calibrationFile && a.pscStrength == b.pscStrength &&
         a.lora == b.lora;
}

QString settingsTitle(const PlannedSession& session) {
  const auto method = rope::findMethod(session.settings.rope.id);
  QString title = QString::fromStdString(method ? method->info().title : session.settings.rope.id);
  if (session.plan) title = planTitle(*session.plan);
  const QString calibration = calibrationTitle(session);
  return calibration.isEmpty() ? title : QStringLiteral("%1 + %2").arg(title, calibration);
}

std::vector<MethodSlot> defaultSlots(const std::filesystem::path& calibrations) {
  const auto bundled = [&calibrations](const char* name) {
    std::error_code error;
    const auto file = calibrations / name;
    return !calibrations.empty() && std::filesystem::is_regular_file(file, error)
               ? file
               : std::filesystem::path();
  };
  std::vector<MethodSlot> all(4);
  all[0].session.settings.rope.id = "pi";
  all[1].session.settings.rope.id = "yarn";
  // Without a file the method takes the lists of the model's config, or says what is missing.
  all[2].session.settings.rope.id = "longrope";
  if (const auto file = bundled("longrope-4x.json"); !file.empty()) {
    all[2].session.settings.rope.values["factors"] = file.string();
  }
  all[3].session.settings.rope.id = "yarn";
  all[3].session.settings.calibrationFile = bundled("yarn-4x-psc-seed0.safetensors");
  if (all[3].session.settings.calibrationFile.empty()) {
    all[3].lack =
        tr("No PSC calibration is bundled for this model. Choose a file of your own for "
           "this slot, or train one with “ropescope-cli psc train”.");
  }
  return all;
}

}  // namespace ropescope::ui
