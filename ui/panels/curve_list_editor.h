// Edits a CurveListModel: the list, and the chosen curve's method, factor, calibration and
// settings.
#pragma once

#include <QWidget>
#include <string>
#include <vector>

#include "core/eval/curve_text.h"

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QListView;
class QMenu;
class QPushButton;
class QSlider;

namespace ropescope::ui {

class CurveListModel;
class ParameterForm;

class CurveListEditor : public QWidget {
  Q_OBJECT

 public:
  explicit CurveListEditor(CurveListModel& curves, QWidget* parent = nullptr);

  void choose(int row);
  int chosen() const;

 private:
  enum FactorMode { OfLongestLength, OfEachLength, Fixed };

  QWidget* makeList();
  QWidget* makeForm();
  void addMethodRows(QFormLayout* form);
  void addCalibrationRows(QFormLayout* form);
  void fillAddMenu();
  void connectFields();
  void addCurves(const std::vector<CurveDescription>& curves);
  void editMethod();
  void editFactor();
  void browseCalibration();
  // Shows the problem when the edited curve cannot be written.
  void apply(const CurveDescription& curve);
  void showCurve();
  void showCalibration(const CurveDescription& curve);
  void showText();

  CurveListModel& m_curves;
  QListView* m_list;
  QPushButton* m_add;
  QPushButton* m_remove;
  QMenu* m_addMenu;
  QWidget* m_form = nullptr;
  QComboBox* m_method;
  QComboBox* m_factorMode;
  QDoubleSpinBox* m_factor;
  QComboBox* m_calibration;
  QSlider* m_strength;
  QLabel* m_strengthText;
  QCheckBox* m_lora;
  ParameterForm* m_parameters;
  QLabel* m_problem;
  QLineEdit* m_text;
  int m_shownRow = -1;  // whose settings the parameter form shows, under which method
  std::string m_shownMethod;
};

}  // namespace ropescope::ui
