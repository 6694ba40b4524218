// The loaded model in words, and what another device or number type would mean.
#pragma once

#include <QObject>
#include <QString>

#include "ui/viewmodels/app_model.h"

namespace ropescope::ui {

class ModelViewModel : public QObject {
  Q_OBJECT

 public:
  explicit ModelViewModel(AppModel& app, QObject* parent = nullptr);

  bool isLoaded() const { return m_app.engine() != nullptr; }
  QString name() const;
  QString description() const;   // shapes, hash, trained length; for a tool tip
  QString placement() const;     // "float32 on cpu, 2 threads"
  QString memory() const;        // "needs 112 MiB for 4,096 tokens"
  QString memoryDetail() const;  // weights + cache + workspace
  // Loads the same model again elsewhere. "auto" is allowed.
  void reload(const QString& device, const QString& dtype);

 signals:
  void changed();

 private:
  AppModel& m_app;
};

}  // namespace ropescope::ui
