#include "ui/viewmodels/calibration_shelf.h"

#include <QObject>

namespace ropescope::ui {

CalibrationShelf::CalibrationShelf(std::filesystem::path folder) : m_folder(std::move(folder)) {}

void CalibrationShelf::list() {
  if (std::exchange(m_listed, true) || m_folder.empty()) return;
  m_bundled = listCalibrations(m_folder).files;
  for (const CalibrationFile& each : m_bundled) m_known[each.path] = each;
}

std::vector<CalibrationFile> CalibrationShelf::fitting(const std::string& modelHash,
                                                       const std::string& method, double factor) {
  list();
  std::vector<CalibrationFile> files;
  for (const CalibrationFile& each : m_bundled) {
    if (wasTrainedFor(each, modelHash, method, factor)) files.push_back(each);
  }
  return files;
}

std::optional<CalibrationFile> CalibrationShelf::file(const std::filesystem::path& path) {
  list();
  const auto known = m_known.find(path);
  if (known != m_known.end()) return known->second;
  auto described = describeCalibrationFile(path);
  return m_known[path] = described ? std::optional(*std::move(described)) : std::nullopt;
}

CalibrationParts CalibrationShelf::parts(const std::string& path) {
  if (path.empty()) return {};
  const auto described = file(path);
  if (!described) return {};
  return {
      .phase = described->hasPhase, .lora = described->hasLora, .loraRank = described->loraRank};
}

QString calibrationName(const CalibrationFile& file) {
  QStringList parts;
  if (file.hasLora) {
    parts << (file.hasPhase ? QObject::tr("LoRA") : QObject::tr("LoRA rank %1").arg(file.loraRank));
  }
  if (file.hasPhase) parts << QObject::tr("PSC");
  const QString stem = QString::fromStdString(file.path.stem().string());
  return parts.isEmpty() ? stem
                         : QObject::tr("%1 (%2)").arg(parts.join(QStringLiteral(" + ")), stem);
}

}  // namespace ropescope::ui
