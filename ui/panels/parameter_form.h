// A form built from a method's own parameter descriptions.
#pragma once

#include <QWidget>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/rope/rope_method.h"

class QFormLayout;

namespace ropescope::ui {

class ParameterForm : public QWidget {
  Q_OBJECT

 public:
  // A value that equals the parameter's default, or an empty field, is passed on as none.
  using Edited =
      std::function<void(const std::string&, const std::optional<rope::ParameterValue>&)>;

  explicit ParameterForm(Edited edited, QWidget* parent = nullptr);
  const std::vector<QWidget*>& fields() const { return m_fields; }
  void rebuild(const std::vector<rope::ParameterSpec>& specs, const rope::ParameterValues& values);

 private:
  QWidget* makeField(const rope::ParameterSpec& spec,
                     const std::optional<rope::ParameterValue>& value);
  QWidget* makeSpinBox(const rope::ParameterSpec& spec, double value);
  QWidget* makeCheckBox(const rope::ParameterSpec& spec, bool value);
  QWidget* makeComboBox(const rope::ParameterSpec& spec, const std::string& value);
  QWidget* makeFileField(const rope::ParameterSpec& spec, const QString& value);
  QWidget* makeLineEdit(const rope::ParameterSpec& spec, const QString& value);
  void report(const rope::ParameterSpec& spec, const rope::ParameterValue& value) const;

  Edited m_edited;
  QFormLayout* m_layout;
  std::vector<QWidget*> m_fields;
};

}  // namespace ropescope::ui
