#include "ui/panels/method_panel.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSlider>
#include <QToolButton>
#include <QVBoxLayout>
#include <cmath>

#include "ui/panels/panel_text.h"
#include "ui/panels/parameter_form.h"
#include "ui/viewmodels/method_view_model.h"

namespace ropescope::ui {
namespace {

constexpr int kStrengthSteps = 100;  // slider positions of P = 1

QWidget* withButton(QLineEdit* edit, QToolButton* button, QWidget* parent) {
  auto* field = new QWidget(parent);
  auto* layout = new QHBoxLayout(field);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(edit, 1);
  layout->addWidget(button);
  field->setFocusProxy(edit);
  return field;
}

}  // namespace

MethodPanel::MethodPanel(MethodViewModel& model, QWidget* parent)
    : QWidget(parent),
      m_model(model),
      m_banner(new QFrame(this)),
      m_bannerText(wrappedLabel(m_banner)),
      m_bannerAction(new QPushButton(m_banner)),
      m_method(new QComboBox(this)),
      m_fileCure(new QPushButton(this)),
      m_summary(wrappedLabel(this)),
      m_factor(new QLineEdit(this)),
      m_context(new QLineEdit(this)),
      m_parameters(new ParameterForm(
          [this](const auto& name, const auto& value) { m_model.setValue(name, value); }, this)),
      m_calibration(new QLineEdit(this)),
      m_strength(new QSlider(Qt::Horizontal, this)),
      m_strengthText(new QLabel(this)),
      m_lora(new QCheckBox(tr("LoRA pairs of the file"), this)),
      m_calibrationText(wrappedLabel(this)),
      m_sentence(wrappedLabel(this)),
      m_apply(new QPushButton(tr("&Apply"), this)),
      m_revert(new QPushButton(tr("Re&vert"), this)) {
  auto* content = new QWidget(this);
  auto* column = new QVBoxLayout(content);
  auto* form = new QFormLayout;
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  addMethodRows(form);
  addCalibrationRows(form);
  column->addLayout(form);
  column->addWidget(m_parameters);  // last: most methods need none of them touched
  column->addStretch(1);
  auto* scroll = new QScrollArea(this);
  scroll->setWidget(content);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);

  auto* buttons = new QHBoxLayout;
  buttons->addStretch(1);
  buttons->addWidget(m_revert);
  buttons->addWidget(m_apply);
  auto* layout = new QVBoxLayout(this);
  addBanner(layout);
  layout->addWidget(scroll, 1);
  layout->addWidget(m_sentence);
  layout->addLayout(buttons);
  connectFields();
  showMethod();
  showDraft();
}

void MethodPanel::addBanner(QVBoxLayout* layout) {
  m_banner->setFrameShape(QFrame::StyledPanel);
  m_banner->setBackgroundRole(QPalette::Base);
  m_banner->setAutoFillBackground(true);
  m_banner->setObjectName(QStringLiteral("adviceBanner"));
  m_bannerAction->setObjectName(QStringLiteral("adviceAction"));
  auto* row = new QHBoxLayout(m_banner);
  row->addWidget(m_bannerText, 1);
  row->addWidget(m_bannerAction);
  layout->addWidget(m_banner);
}

void MethodPanel::addMethodRows(QFormLayout* form) {
  m_method->setModel(&m_model.methods());
  m_method->setObjectName(QStringLiteral("method"));
  m_method->setAccessibleName(tr("RoPE method"));
  m_factor->setToolTip(tr("How much the angles are stretched; empty: planned / trained length. A "
                          "factor given is used at every length."));
  m_context->setToolTip(tr("Tokens the session has room for: document, question and answer. Empty: "
                           "the smallest multiple of the trained length that fits."));
  m_factor->setObjectName(QStringLiteral("factor"));
  m_context->setObjectName(QStringLiteral("context"));
  setMuted(m_summary);
  auto* method = new QWidget(this);
  auto* row = new QHBoxLayout(method);
  row->setContentsMargins(0, 0, 0, 0);
  row->addWidget(m_method, 1);
  row->addWidget(m_fileCure);
  method->setFocusProxy(m_method);
  form->addRow(tr("&Method"), method);
  form->addRow(m_summary);
  form->addRow(tr("&Planned tokens"), m_context);
  form->addRow(tr("&Factor"), m_factor);
  setTabOrder(m_method, m_fileCure);
  setTabOrder(m_fileCure, m_context);
  setTabOrder(m_context, m_factor);
}

void MethodPanel::addCalibrationRows(QFormLayout* form) {
  auto* browse = new QToolButton(this);
  browse->setText(tr("…"));
  browse->setAccessibleName(tr("Choose a calibration file"));
  connect(browse, &QToolButton::clicked, this, &MethodPanel::browseCalibration);
  m_calibration->setPlaceholderText(tr("none"));
  m_calibration->setClearButtonEnabled(true);
  m_calibration->setToolTip(tr("A PSC safetensors file: learned phase modules, applied before the "
                               "rotation of any method."));
  m_calibration->setObjectName(QStringLiteral("calibration"));
  m_strength->setRange(0, kStrengthSteps);
  m_strength->setToolTip(tr("P of the phase modules: 1 as trained, 0 identity."));
  m_strength->setAccessibleName(tr("Calibration strength"));
  auto* strength = new QWidget(this);
  auto* row = new QHBoxLayout(strength);
  row->setContentsMargins(0, 0, 0, 0);
  row->addWidget(m_strength, 1);
  row->addWidget(m_strengthText);
  strength->setFocusProxy(m_strength);
  setMuted(m_calibrationText);
  form->addRow(tr("&Calibration"), withButton(m_calibration, browse, this));
  form->addRow(tr("&Strength"), strength);
  form->addRow(QString(), m_lora);
  form->addRow(m_calibrationText);
  setTabOrder(m_factor, m_calibration);
  setTabOrder(m_calibration, browse);
  setTabOrder(browse, m_strength);
  setTabOrder(m_strength, m_lora);
}

void MethodPanel::connectFields() {
  connect(&m_model, &MethodViewModel::methodChanged, this, &MethodPanel::showMethod);
  connect(&m_model, &MethodViewModel::draftChanged, this, &MethodPanel::showDraft);
  connect(m_method, &QComboBox::activated, this, [this](int row) {
    m_model.setMethod(
        m_method->itemData(row, MethodListModel::IdRole).toString().toStdString());
  });
  connect(m_fileCure, &QPushButton::clicked, this, &MethodPanel::loadFactorFile);
  connect(m_factor, &QLineEdit::editingFinished, this, &MethodPanel::editFactor);
  connect(m_context, &QLineEdit::editingFinished, this, &MethodPanel::editContext);
  connect(m_calibration, &QLineEdit::editingFinished, this,
          [this] { m_model.setCalibration(m_calibration->text().trimmed().toStdString()); });
  connect(m_strength, &QSlider::valueChanged, this,
          [this](int value) { m_model.setStrength(static_cast<double>(value) / kStrengthSteps); });
  connect(m_lora, &QCheckBox::toggled, &m_model, &MethodViewModel::setLora);
  connect(m_apply, &QPushButton::clicked, this, [this] { m_model.apply(); });
  connect(m_revert, &QPushButton::clicked, &m_model, &MethodViewModel::revert);
  connect(m_bannerAction, &QPushButton::clicked, this, [this] {
    if (const auto advice = m_model.advice()) m_model.apply(advice->settings);
  });
}

void MethodPanel::showMethod() {
  m_parameters->rebuild(m_model.parameters(), m_model.draft().rope.values);
  m_parameters->setVisible(!m_model.parameters().empty());
  QWidget* before = m_lora;  // the Tab key follows the eye
  for (QWidget* field : m_parameters->fields()) {
    setTabOrder(before, field);
    before = field;
  }
}

void MethodPanel::showDraft() {
  const MethodSettings& draft = m_model.draft();
  const QSignalBlocker blockStrength(m_strength);
  const QSignalBlocker blockLora(m_lora);
  m_method->setCurrentIndex(m_model.methods().rowOf(draft.rope.id));
  m_summary->setText(m_model.summary());
  const auto cure = m_model.fileCure();
  m_fileCure->setVisible(cure.has_value());
  if (cure) {
    const QString title = QString::fromStdString(cure->title);
    m_fileCure->setText(tr("%1 from &file …").arg(title));
    m_fileCure->setToolTip(m_model.methods().unavailableReason(cure->method));
    m_fileCure->setAccessibleName(tr("Factors for %1 from a file").arg(title));
  }
  m_factor->setEnabled(m_model.takesFactor());
  m_factor->setPlaceholderText(m_model.takesFactor() ? m_model.automaticFactor() : tr("not used"));
  if (!m_factor->hasFocus()) {
    m_factor->setText(draft.rope.factor ? QString::number(*draft.rope.factor) : QString());
  }
  m_context->setPlaceholderText(m_model.automaticContext());
  if (!m_context->hasFocus()) {
    m_context->setText(draft.contextTokens > 0 ? QString::number(draft.contextTokens) : QString());
  }
  if (!m_calibration->hasFocus()) {
    m_calibration->setText(QString::fromStdString(draft.calibrationFile.string()));
  }
  const bool calibrated = !draft.calibrationFile.empty();
  m_strength->setEnabled(calibrated);
  m_strength->setValue(static_cast<int>(std::lround(draft.pscStrength * kStrengthSteps)));
  m_strengthText->setText(QLocale().toString(draft.pscStrength, 'f', 2));
  m_lora->setEnabled(calibrated);
  m_lora->setChecked(draft.lora);
  m_calibrationText->setText(m_model.calibrationText());
  m_calibrationText->setVisible(!m_model.calibrationText().isEmpty());
  m_sentence->setText(m_model.sentence());
  setWarning(m_sentence, !m_model.isValid());
  m_apply->setEnabled(m_model.isValid() && m_model.isChanged());
  m_revert->setEnabled(m_model.isChanged());
  const auto advice = m_model.advice();
  m_banner->setVisible(advice.has_value());
  if (advice) {
    m_bannerText->setText(advice->text);
    m_bannerAction->setText(advice->action);
  }
}

void MethodPanel::editFactor() {
  const QString text = m_factor->text().trimmed();
  bool isNumber = false;
  double factor = QLocale().toDouble(text, &isNumber);
  if (!isNumber) factor = text.toDouble(&isNumber);
  if (text.isEmpty()) return m_model.setFactor(std::nullopt);
  // Not a number: the core's own check names it and says what is wanted.
  m_model.setFactor(isNumber ? factor : std::nan(""));
}

void MethodPanel::editContext() {
  QString text = m_context->text();
  text.remove(QLatin1Char(' ')).remove(QLatin1Char(',')).remove(QLatin1Char('.'));
  bool isNumber = false;
  const qlonglong tokens = text.toLongLong(&isNumber);
  if (!text.isEmpty() && (!isNumber || tokens < 1)) {
    m_context->setText(m_model.draft().contextTokens > 0
                           ? QString::number(m_model.draft().contextTokens)
                           : QString());
    return;
  }
  m_model.setContext(text.isEmpty() ? 0 : tokens);
}

void MethodPanel::browseCalibration() {
  const QString file = QFileDialog::getOpenFileName(
      this, tr("Choose a calibration"), {}, tr("Safetensors (*.safetensors);;All files (*)"));
  if (!file.isEmpty()) m_model.setCalibration(file.toStdString());
}

void MethodPanel::loadFactorFile() {
  const auto cure = m_model.fileCure();
  if (!cure) return;
  const QString file = QFileDialog::getOpenFileName(
      this, tr("Factors for %1").arg(QString::fromStdString(cure->title)), {},
      tr("Factor files (*.csv *.json);;All files (*)"));
  if (!file.isEmpty()) m_model.useFile(*cure, file.toStdString());
}

}  // namespace ropescope::ui
