#include "ui/panels/parameter_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>

#include "ui/text/error_text.h"

namespace ropescope::ui {
namespace {

constexpr int kDecimals = 3;

// "32 turns" instead of "32.000 turns".
class NumberBox : public QDoubleSpinBox {
 public:
  using QDoubleSpinBox::QDoubleSpinBox;
  QString textFromValue(double value) const override {
    QLocale plain = locale();
    plain.setNumberOptions(plain.numberOptions() | QLocale::OmitGroupSeparator);
    return plain.toString(value, 'f', QLocale::FloatingPointShortest);
  }
};

std::optional<rope::ParameterValue> valueOf(const rope::ParameterSpec& spec,
                                            const rope::ParameterValues& values) {
  const auto given = values.find(spec.name);
  if (given != values.end()) return given->second;
  return spec.defaultValue;
}

}  // namespace

ParameterForm::ParameterForm(Edited edited, QWidget* parent)
    : QWidget(parent),
      m_edited(std::move(edited)),
      m_layout(new QFormLayout(this)) {
  m_layout->setContentsMargins(0, 0, 0, 0);
  m_layout->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
}

void ParameterForm::rebuild(const std::vector<rope::ParameterSpec>& specs,
                            const rope::ParameterValues& values) {
  while (m_layout->rowCount() > 0) m_layout->removeRow(0);
  m_fields.clear();
  for (const auto& spec : specs) {
    QWidget* field = makeField(spec, valueOf(spec, values));
    const QString help = QString::fromStdString(spec.help);
    const QString title = QString::fromStdString(spec.title);
    field->setObjectName(QString::fromStdString(spec.name));
    field->setToolTip(help);
    field->setAccessibleName(title);
    field->setAccessibleDescription(help);
    auto* label = new QLabel(title, this);
    label->setToolTip(help);
    label->setBuddy(field);
    m_layout->addRow(label, field);
    m_fields.push_back(field);
  }
}

QWidget* ParameterForm::makeField(const rope::ParameterSpec& spec,
                                  const std::optional<rope::ParameterValue>& value) {
  const QString text = value ? QString::fromStdString(rope::valueText(*value)) : QString();
  switch (spec.kind) {
    case rope::ParameterKind::Flag:
      return makeCheckBox(spec, value && std::get<bool>(*value));
    case rope::ParameterKind::Choice:
      return makeComboBox(spec, value ? std::get<std::string>(*value) : std::string());
    case rope::ParameterKind::File:
      return makeFileField(spec, text);
    case rope::ParameterKind::Number:
      // Without a default the method works it out: an empty field, which a spin box cannot be.
      if (spec.defaultValue) return makeSpinBox(spec, std::get<double>(*value));
      return makeLineEdit(spec, text);
    case rope::ParameterKind::Numbers:
      return makeLineEdit(spec, text);
  }
  return new QWidget(this);
}

QWidget* ParameterForm::makeSpinBox(const rope::ParameterSpec& spec, double value) {
  auto* box = new NumberBox(this);
  box->setRange(spec.minimum, spec.maximum);
  box->setDecimals(kDecimals);
  box->setStepType(QAbstractSpinBox::AdaptiveDecimalStepType);
  box->setValue(value);
  box->setKeyboardTracking(false);
  if (!spec.unit.empty()) box->setSuffix(QStringLiteral(" ") + QString::fromStdString(spec.unit));
  connect(box, &QDoubleSpinBox::valueChanged, this,
          [this, spec](double number) { report(spec, number); });
  return box;
}

QWidget* ParameterForm::makeCheckBox(const rope::ParameterSpec& spec, bool value) {
  auto* box = new QCheckBox(this);
  box->setChecked(value);
  connect(box, &QCheckBox::toggled, this, [this, spec](bool on) { report(spec, on); });
  return box;
}

QWidget* ParameterForm::makeComboBox(const rope::ParameterSpec& spec, const std::string& value) {
  auto* box = new QComboBox(this);
  for (const auto& choice : spec.choices) box->addItem(QString::fromStdString(choice));
  box->setCurrentText(QString::fromStdString(value));
  connect(box, &QComboBox::textActivated, this,
          [this, spec](const QString& choice) { report(spec, choice.toStdString()); });
  return box;
}

QWidget* ParameterForm::makeFileField(const rope::ParameterSpec& spec, const QString& value) {
  auto* field = new QWidget(this);
  auto* path = new QLineEdit(value, field);
  path->setPlaceholderText(tr("none"));
  path->setAccessibleName(QString::fromStdString(spec.title));
  auto* browse = new QToolButton(field);
  browse->setText(tr("…"));
  browse->setAccessibleName(tr("Choose a file"));
  auto* layout = new QHBoxLayout(field);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(path, 1);
  layout->addWidget(browse);
  field->setFocusProxy(path);
  connect(path, &QLineEdit::editingFinished, this,
          [this, spec, path] { report(spec, path->text().trimmed().toStdString()); });
  connect(browse, &QToolButton::clicked, this, [this, spec, path] {
    const QString chosen = QFileDialog::getOpenFileName(this, QString::fromStdString(spec.title));
    if (chosen.isEmpty()) return;
    path->setText(chosen);
    report(spec, chosen.toStdString());
  });
  return field;
}

// Free text for numbers: an empty field means that the method works the value out.
QWidget* ParameterForm::makeLineEdit(const rope::ParameterSpec& spec, const QString& value) {
  auto* edit = new QLineEdit(value, this);
  edit->setPlaceholderText(spec.kind == rope::ParameterKind::Numbers
                               ? tr("from the model, or 1, 1.5, …")
                               : tr("automatic"));
  connect(edit, &QLineEdit::editingFinished, this, [this, spec, edit] {
    QString text = edit->text();
    text.remove(QLatin1Char(' '));
    if (text.isEmpty()) return m_edited(spec.name, std::nullopt);
    const auto parsed = rope::parseValue(spec, text.toStdString());
    edit->setToolTip(parsed ? QString::fromStdString(spec.help) : errorSentence(parsed.error()));
    // A wrong value goes on as it is: the method's own check then says what is wrong with it.
    m_edited(spec.name, parsed ? *parsed : rope::ParameterValue(text.toStdString()));
  });
  return edit;
}

void ParameterForm::report(const rope::ParameterSpec& spec,
                           const rope::ParameterValue& value) const {
  const bool isDefault = spec.defaultValue && *spec.defaultValue == value;
  const auto* text = std::get_if<std::string>(&value);
  const bool isEmpty = text != nullptr && text->empty();
  m_edited(spec.name, isDefault || isEmpty ? std::nullopt : std::optional(value));
}

}  // namespace ropescope::ui
