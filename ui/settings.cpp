#include "ui/settings.h"

#include <QFileInfo>
#include <QSettings>
#include <memory>

namespace ropescope::ui {
namespace {

constexpr int kRecentLimit = 10;

std::unique_ptr<QSettings> opened(const QString& file) {
  if (file.isEmpty()) {
    return std::make_unique<QSettings>(QSettings::IniFormat, QSettings::UserScope,
                                       QStringLiteral("RopeScope"), QStringLiteral("RopeScope"));
  }
  return std::make_unique<QSettings>(file, QSettings::IniFormat);
}

void prune(QStringList& paths) {
  paths.removeIf([](const QString& path) { return !QFileInfo::exists(path); });
  while (paths.size() > kRecentLimit) paths.removeLast();
}

}  // namespace

void remember(QStringList& recent, const QString& path) {
  const QString whole = QFileInfo(path).absoluteFilePath();
  recent.removeAll(whole);
  recent.prepend(whole);
  prune(recent);
}

SettingsStore::SettingsStore(const QString& file) : m_file(file) {}

Settings SettingsStore::load() const {
  const auto store = opened(m_file);
  Settings settings;
  parseTheme(store->value("theme").toString(), &settings.theme);
  settings.recentDocuments = store->value("recent/documents").toStringList();
  settings.recentModels = store->value("recent/models").toStringList();
  prune(settings.recentDocuments);
  prune(settings.recentModels);
  settings.windowGeometry = store->value("window/geometry").toByteArray();
  settings.windowState = store->value("window/state").toByteArray();
  return settings;
}

void SettingsStore::save(const Settings& settings) const {
  const auto store = opened(m_file);
  store->setValue("theme", themeName(settings.theme));
  store->setValue("recent/documents", settings.recentDocuments);
  store->setValue("recent/models", settings.recentModels);
  store->setValue("window/geometry", settings.windowGeometry);
  store->setValue("window/state", settings.windowState);
}

QString themeName(ThemeChoice choice) {
  switch (choice) {
    case ThemeChoice::System: return QStringLiteral("system");
    case ThemeChoice::Light: return QStringLiteral("light");
    case ThemeChoice::Dark: return QStringLiteral("dark");
  }
  return QStringLiteral("system");
}

bool parseTheme(const QString& name, ThemeChoice* choice) {
  for (const auto candidate : {ThemeChoice::System, ThemeChoice::Light, ThemeChoice::Dark}) {
    if (name != themeName(candidate)) continue;
    *choice = candidate;
    return true;
  }
  return false;
}

}  // namespace ropescope::ui
