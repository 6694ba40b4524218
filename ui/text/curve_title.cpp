#include "ui/text/curve_title.h"

#include <QLocale>
#include <QObject>
#include <cmath>
#include <filesystem>

namespace ropescope::ui {
namespace {

QString factorTitle(const CurveDescription& curve) {
  if (curve.factorFollowsLength) return QObject::tr(" × length");
  const auto method = rope::findMethod(curve.rope.id);
  const bool shown = method && method->info().takesFactor && curve.rope.factor;
  if (!shown || *curve.rope.factor == 1.0) return {};
  return QStringLiteral(" × %1").arg(QLocale().toString(*curve.rope.factor, 'g', 4));
}

QString valuesTitle(const rope::ParameterValues& values) {
  QString title;
  for (const auto& [name, value] : values) {
    if (std::holds_alternative<std::vector<double>>(value)) continue;  // a list is too long
    QString text = QString::fromStdString(rope::valueText(value));
    if (text.contains(u'/')) {  // of a file its name
      text = QString::fromStdString(std::filesystem::path(text.toStdString()).filename().string());
    }
    title += QStringLiteral(", %1=%2").arg(QString::fromStdString(name), text);
  }
  return title;
}

// A calibration counts as far as it changes anything: strength 0 is the identity.
QString calibrationTitle(const CurveDescription& curve, const CalibrationParts& parts) {
  QString title;
  const bool phase = parts.phase && curve.pscStrength > 0.0;
  if (parts.lora && curve.lora) {
    // Beside phase modules the rank says nothing; alone it is the size of what was trained.
    title += phase ? QObject::tr(" + LoRA") : QObject::tr(" + LoRA (rank %1)").arg(parts.loraRank);
  }
  if (phase) title += QObject::tr(" + PSC");
  if (phase && curve.pscStrength != 1.0) {
    title += QObject::tr(" %1 %").arg(std::lround(100.0 * curve.pscStrength));
  }
  return title;
}

}  // namespace

QString curveTitle(const CurveDescription& curve, const CalibrationParts& parts) {
  const auto method = rope::findMethod(curve.rope.id);
  return QString::fromStdString(method ? method->info().title : curve.rope.id) +
         factorTitle(curve) + valuesTitle(curve.rope.values) + calibrationTitle(curve, parts);
}

QString settingTitle(const std::string& setting) {
  const auto curve = readCurve(setting);
  if (!curve) return QString::fromStdString(setting);
  QString title = curveTitle(*curve, {});
  if (curve->calibrationFile.empty()) return title;
  const std::filesystem::path file = curve->calibrationFile;
  title += QStringLiteral(" + %1").arg(QString::fromStdString(file.stem().string()));
  if (curve->pscStrength != 1.0) {
    title += QObject::tr(" %1 %").arg(std::lround(100.0 * curve->pscStrength));
  }
  return curve->lora ? title : title + QObject::tr(" without LoRA");
}

QString curveTitle(const CurveSettings& settings, double factor) {
  CurveDescription curve{.rope = settings.rope,
                         .factorFollowsLength = settings.factorFollowsLength,
                         .pscStrength = settings.pscStrength,
                         .lora = settings.lora};
  curve.rope.factor = factor;
  CalibrationParts parts;
  if (settings.calibration) {
    const CalibrationInfo& info = settings.calibration->info();
    parts = {.phase = info.hasPhase, .lora = info.hasLora, .loraRank = info.loraRank};
  }
  return curveTitle(curve, parts);
}

QString curveTitle(const PerplexityCurve& curve) {
  return curveTitle(curve.settings, curve.factor);
}

}  // namespace ropescope::ui
