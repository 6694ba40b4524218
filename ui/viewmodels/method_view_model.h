// The method being edited: a draft of MethodSettings until apply().
#pragma once

#include <QObject>
#include <QString>
#include <optional>
#include <string>
#include <vector>

#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/method_list_model.h"

namespace ropescope::ui {

// A cure for a document beyond the trained length, one click away.
struct Advice {
  QString text;
  QString action;
  MethodSettings settings;
};

class MethodViewModel : public QObject {
  Q_OBJECT

 public:
  explicit MethodViewModel(AppModel& app, QObject* parent = nullptr);

  MethodListModel& methods() { return m_methods; }
  const MethodSettings& draft() const { return m_draft; }
  std::vector<rope::ParameterSpec> parameters() const;  // of the draft's method
  bool takesFactor() const;
  QString automaticFactor() const;    // "automatic (4)"
  QString automaticContext() const;   // "automatic (4,096)"
  QString sentence() const;           // what the draft would do, or why it cannot
  QString summary() const;            // of the method, with its reference
  bool isValid() const { return m_problem.isEmpty(); }
  bool isChanged() const;             // differs from what is in use
  QString calibrationText() const;    // what the file in use holds
  std::optional<Advice> advice() const;
  // The method that is off for this model but would work with a file; its id and parameter.
  struct FileCure {
    std::string method;
    std::string title;
    std::string parameter;
  };
  std::optional<FileCure> fileCure() const;

  void setMethod(const std::string& id);
  void setValue(const std::string& name, const std::optional<rope::ParameterValue>& value);
  void setFactor(std::optional<double> factor);
  void setContext(std::int64_t tokens);  // 0: automatic
  void setCalibration(const std::filesystem::path& file);
  void setStrength(double strength);
  void setLora(bool on);
  void useFile(const FileCure& cure, const std::string& path);
  void apply();
  void apply(const MethodSettings& settings);
  void revert();

 signals:
  void methodChanged();  // another form is needed
  void draftChanged();

 private:
  void adoptApplied();
  void update();

  AppModel& m_app;
  MethodListModel m_methods;
  MethodSettings m_draft;
  QString m_sentence;
  QString m_problem;
};

}  // namespace ropescope::ui
