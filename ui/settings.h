// What the program remembers between starts. The only user of QSettings.
#pragma once

#include <QByteArray>
#include <QString>
#include <QStringList>

namespace ropescope::ui {

enum class ThemeChoice { System, Light, Dark };

struct Settings {
  ThemeChoice theme = ThemeChoice::System;
  QStringList recentDocuments;  // newest first
  QStringList recentModels;
  QByteArray windowGeometry;
  QByteArray windowState;
};

// Puts `path` first; keeps ten, drops those that are gone.
void remember(QStringList& recent, const QString& path);

class SettingsStore {
 public:
  // An empty file name: the user's settings.
  explicit SettingsStore(const QString& file = {});
  Settings load() const;
  void save(const Settings& settings) const;

 private:
  QString m_file;
};

QString themeName(ThemeChoice choice);  // "system", "light", "dark"
bool parseTheme(const QString& name, ThemeChoice* choice);

}  // namespace ropescope::ui
