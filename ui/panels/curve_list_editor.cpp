#include "ui/panels/curve_list_editor.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSlider>
#include <QVBoxLayout>
#include <cmath>

#include "ui/panels/panel_text.h"
#include "ui/panels/parameter_form.h"
#include "ui/viewmodels/curve_list_model.h"

namespace ropescope::ui {
namespace {

constexpr int kStrengthSteps = 100;  // slider positions of P = 1
constexpr double kLargestFactor = 1024.0;
const QString kOtherFile = QStringLiteral("…");  // the combo box's entry that asks for a file

// Lists of factors cannot be written in a curve's text; files of them can.
std::vector<rope::ParameterSpec> writableParameters(const rope::RopeMethod& method) {
  std::vector<rope::ParameterSpec> specs = method.parameters();
  std::erase_if(specs, [](const auto& spec) { return spec.kind == rope::ParameterKind::Numbers; });
  return specs;
}

}  // namespace

CurveListEditor::CurveListEditor(CurveListModel& curves, QWidget* parent)
    : QWidget(parent),
      m_curves(curves),
      m_list(new QListView(this)),
      m_add(new QPushButton(tr("&Add"), this)),
      m_remove(new QPushButton(tr("&Remove"), this)),
      m_addMenu(new QMenu(this)),
      m_method(new QComboBox(this)),
      m_factorMode(new QComboBox(this)),
      m_factor(new QDoubleSpinBox(this)),
      m_calibration(new QComboBox(this)),
      m_strength(new QSlider(Qt::Horizontal, this)),
      m_strengthText(new QLabel(this)),
      m_lora(new QCheckBox(tr("LoRA pairs of the file"), this)),
      m_parameters(nullptr),
      m_problem(wrappedLabel(this)),
      m_text(new QLineEdit(this)) {
  m_form = makeForm();
  auto* columns = new QHBoxLayout;
  columns->addWidget(makeList(), 0);
  columns->addWidget(m_form, 1);
  auto* asText = new QFormLayout;
  m_text->setObjectName(QStringLiteral("curvesText"));
  m_text->setToolTip(
      tr("All curves as on the command line, separated by semicolons: "
         "none;pi:factor=4;yarn:factor=4,beta_fast=16"));
  asText->addRow(tr("As &text"), m_text);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(columns, 1);
  layout->addWidget(m_problem);
  layout->addLayout(asText);
  connectFields();
  choose(0);
  showText();
}

QWidget* CurveListEditor::makeList() {
  auto* side = new QWidget(this);
  m_list->setModel(&m_curves);
  m_list->setObjectName(QStringLiteral("curves"));
  m_list->setAccessibleName(tr("Curves"));
  m_list->setFixedWidth(230);
  m_add->setMenu(m_addMenu);
  m_add->setToolTip(tr("A method, alone or with every calibration that was trained for it"));
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(m_add);
  buttons->addWidget(m_remove);
  auto* layout = new QVBoxLayout(side);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_list, 1);
  layout->addLayout(buttons);
  return side;
}

QWidget* CurveListEditor::makeForm() {
  auto* content = new QWidget(this);
  auto* column = new QVBoxLayout(content);
  auto* form = new QFormLayout;
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  addMethodRows(form);
  addCalibrationRows(form);
  column->addLayout(form);
  m_parameters = new ParameterForm(
      [this](const std::string& name, const std::optional<rope::ParameterValue>& value) {
        auto curve = m_curves.curve(chosen());
        if (!curve) return;
        if (value) {
          curve->rope.values[name] = *value;
        } else {
          curve->rope.values.erase(name);
        }
        apply(*curve);
      },
      content);
  column->addWidget(m_parameters);
  column->addStretch(1);
  auto* scroll = new QScrollArea(this);
  scroll->setWidget(content);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  return scroll;
}

void CurveListEditor::addMethodRows(QFormLayout* form) {
  for (const auto& method : rope::allMethods()) {
    const rope::MethodInfo info = method->info();
    m_method->addItem(QString::fromStdString(info.title), QString::fromStdString(info.id));
    m_method->setItemData(m_method->count() - 1, QString::fromStdString(info.summary),
                          Qt::ToolTipRole);
  }
  m_method->setObjectName(QStringLiteral("curveMethod"));
  m_factorMode->setObjectName(QStringLiteral("curveFactorMode"));
  m_factorMode->addItem(tr("longest length / trained length"));
  m_factorMode->addItem(tr("each length / trained length"));
  m_factorMode->addItem(tr("fixed"));
  m_factorMode->setToolTip(
      tr("Where the factor comes from. A factor for each length takes a pass "
         "for each length."));
  m_factor->setObjectName(QStringLiteral("curveFactor"));
  m_factor->setAccessibleName(tr("Fixed factor"));
  m_factor->setRange(1.0, kLargestFactor);
  m_factor->setDecimals(2);
  m_factor->setKeyboardTracking(false);
  form->addRow(tr("&Method"), m_method);
  form->addRow(tr("&Factor"), m_factorMode);
  form->addRow(QString(), m_factor);
}

void CurveListEditor::addCalibrationRows(QFormLayout* form) {
  m_calibration->setObjectName(QStringLiteral("curveCalibration"));
  m_calibration->setToolTip(
      tr("Learned for one method and factor: files that come with the program "
         "are listed where they fit."));
  m_calibration->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_calibration->setMinimumContentsLength(16);
  m_strength->setRange(0, kStrengthSteps);
  m_strength->setObjectName(QStringLiteral("curveStrength"));
  m_strength->setAccessibleName(tr("Strength of the phase modules"));
  m_strength->setToolTip(tr("0 %: phase modules change nothing; 100 %: as trained"));
  m_strengthText->setMinimumWidth(
      m_strengthText->fontMetrics().horizontalAdvance(QStringLiteral("100 %")));
  auto* strength = new QWidget(this);
  auto* row = new QHBoxLayout(strength);
  row->setContentsMargins(0, 0, 0, 0);
  row->addWidget(m_strength, 1);
  row->addWidget(m_strengthText);
  strength->setFocusProxy(m_strength);
  m_lora->setObjectName(QStringLiteral("curveLora"));
  form->addRow(tr("&Calibration"), m_calibration);
  form->addRow(tr("PSC &strength"), strength);
  form->addRow(QString(), m_lora);
}

void CurveListEditor::connectFields() {
  connect(m_addMenu, &QMenu::aboutToShow, this, &CurveListEditor::fillAddMenu);
  connect(m_remove, &QPushButton::clicked, this, [this] {
    m_shownRow = -1;  // another curve moves to its place
    m_curves.remove(chosen());
  });
  connect(m_list->selectionModel(), &QItemSelectionModel::currentChanged, this,
          &CurveListEditor::showCurve);
  connect(m_method, &QComboBox::activated, this, &CurveListEditor::editMethod);
  connect(m_factorMode, &QComboBox::activated, this, &CurveListEditor::editFactor);
  connect(m_factor, &QDoubleSpinBox::valueChanged, this, &CurveListEditor::editFactor);
  connect(m_calibration, &QComboBox::activated, this, [this] {
    const QString file = m_calibration->currentData().toString();
    if (file == kOtherFile) return browseCalibration();
    auto curve = m_curves.curve(chosen());
    if (!curve) return;
    curve->calibrationFile = file.toStdString();
    apply(*curve);
  });
  connect(m_strength, &QSlider::valueChanged, this, [this](int steps) {
    auto curve = m_curves.curve(chosen());
    if (!curve) return;
    curve->pscStrength = static_cast<double>(steps) / kStrengthSteps;
    apply(*curve);
  });
  connect(m_lora, &QCheckBox::clicked, this, [this](bool on) {
    auto curve = m_curves.curve(chosen());
    if (!curve) return;
    curve->lora = on;
    apply(*curve);
  });
  connect(m_text, &QLineEdit::editingFinished, this, [this] {
    if (m_text->text() == m_curves.text()) return;
    m_curves.editText(m_text->text());
  });
  connect(&m_curves, &QAbstractItemModel::modelReset, this, [this] {
    m_shownRow = -1;
    choose(0);
    showText();
  });
  connect(&m_curves, &CurveListModel::edited, this, [this] {
    showText();
    showCurve();
  });
}

int CurveListEditor::chosen() const {
  return m_list->currentIndex().row();
}

void CurveListEditor::choose(int row) {
  m_list->setCurrentIndex(m_curves.index(std::min(row, m_curves.rowCount() - 1)));
  showCurve();
}

void CurveListEditor::fillAddMenu() {
  m_addMenu->clear();
  std::vector<std::vector<CurveDescription>> families;
  for (const auto& method : rope::allMethods()) {
    auto variants = m_curves.variants(method->info().id);
    const CurveDescription plain = variants.front();
    m_addMenu->addAction(curveTitle(plain, {}), this, [this, plain] { addCurves({plain}); });
    if (variants.size() > 1) families.push_back(std::move(variants));
  }
  if (families.empty()) return;
  m_addMenu->addSeparator();
  for (const auto& variants : families) {
    m_addMenu->addAction(tr("%1 with its calibrations").arg(curveTitle(variants.front(), {})), this,
                         [this, variants] { addCurves(variants); });
  }
}

void CurveListEditor::addCurves(const std::vector<CurveDescription>& curves) {
  for (const CurveDescription& curve : curves) {
    const QString problem = m_curves.append(curve);
    if (!problem.isEmpty()) return m_problem->setText(problem);
  }
  choose(m_curves.rowCount() - 1);
}

void CurveListEditor::editMethod() {
  const auto before = m_curves.curve(chosen());
  CurveDescription curve = m_curves.variants(m_method->currentData().toString().toStdString())[0];
  if (before && curve.rope.factor) {  // the factor stays, the rest belonged to the other method
    curve.rope.factor = before->rope.factor.value_or(*curve.rope.factor);
    curve.factorFollowsLength = before->factorFollowsLength;
    if (curve.factorFollowsLength) curve.rope.factor.reset();
  }
  apply(curve);
}

void CurveListEditor::editFactor() {
  auto curve = m_curves.curve(chosen());
  if (!curve) return;
  const int mode = m_factorMode->currentIndex();
  curve->factorFollowsLength = mode == OfEachLength;
  curve->rope.factor = mode == Fixed ? std::optional(m_factor->value()) : std::nullopt;
  apply(*curve);
}

void CurveListEditor::browseCalibration() {
  const QString file = QFileDialog::getOpenFileName(
      this, tr("Choose a calibration"), {}, tr("Safetensors (*.safetensors);;All files (*)"));
  auto curve = m_curves.curve(chosen());
  if (file.isEmpty() || !curve) return showCurve();  // the entry before
  curve->calibrationFile = file.toStdString();
  apply(*curve);
}

void CurveListEditor::apply(const CurveDescription& curve) {
  if (chosen() < 0) return addCurves({curve});
  const QString problem = m_curves.replace(chosen(), curve);
  if (problem.isEmpty()) return;
  showCurve();
  m_problem->setText(problem);
  m_problem->setVisible(true);
}

void CurveListEditor::showCurve() {
  const int row = chosen();
  const auto curve = m_curves.curve(row);
  m_remove->setEnabled(row >= 0);
  m_form->setEnabled(row < 0 || curve.has_value());
  const QString problem = row < 0 ? QString() : m_curves.problem(row);
  m_problem->setText(problem);
  setWarning(m_problem, !problem.isEmpty());
  m_problem->setVisible(!problem.isEmpty());
  if (!curve) return;
  const auto method = rope::findMethod(curve->rope.id);
  m_method->setCurrentIndex(m_method->findData(QString::fromStdString(curve->rope.id)));
  const bool takesFactor = method && method->info().takesFactor;
  m_factorMode->setEnabled(takesFactor);
  m_factorMode->setCurrentIndex(curve->factorFollowsLength ? OfEachLength
                                : curve->rope.factor       ? Fixed
                                                           : OfLongestLength);
  const QSignalBlocker quietFactor(m_factor);
  m_factor->setEnabled(takesFactor && curve->rope.factor.has_value());
  m_factor->setValue(curve->rope.factor.value_or(m_curves.factor()));
  showCalibration(*curve);
  // Not after every edit: the field that was edited must stay.
  if (!method || (m_shownRow == row && m_shownMethod == curve->rope.id)) return;
  m_shownRow = row;
  m_shownMethod = curve->rope.id;
  m_parameters->rebuild(writableParameters(*method), curve->rope.values);
}

void CurveListEditor::showCalibration(const CurveDescription& curve) {
  const QSignalBlocker quiet(m_strength);
  m_calibration->clear();
  m_calibration->addItem(tr("none"), QString());
  for (const CalibrationFile& file : m_curves.calibrationsFor(curve)) {
    m_calibration->addItem(calibrationName(file), QString::fromStdString(file.path.string()));
  }
  const QString path = QString::fromStdString(curve.calibrationFile);
  if (m_calibration->findData(path) < 0) {
    const auto file = m_curves.calibration(curve.calibrationFile);
    m_calibration->addItem(file ? calibrationName(*file) : path, path);
  }
  m_calibration->addItem(tr("another file …"), kOtherFile);
  m_calibration->setCurrentIndex(m_calibration->findData(path));
  const auto file = path.isEmpty() ? std::nullopt : m_curves.calibration(curve.calibrationFile);
  m_strength->setEnabled(file && file->hasPhase);
  m_strength->setValue(static_cast<int>(std::lround(curve.pscStrength * kStrengthSteps)));
  m_strengthText->setText(tr("%1 %").arg(std::lround(100.0 * curve.pscStrength)));
  m_lora->setEnabled(file && file->hasLora);
  m_lora->setChecked(curve.lora);
}

void CurveListEditor::showText() {
  m_text->setText(m_curves.text());
  m_text->setCursorPosition(0);
}

}  // namespace ropescope::ui
