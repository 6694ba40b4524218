// Choose a RoPE method, its parameters and a calibration; apply them as a new session.
#pragma once

#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSlider;
class QFrame;
class QVBoxLayout;
class QFormLayout;

namespace ropescope::ui {

class MethodViewModel;
class ParameterForm;

class MethodPanel : public QWidget {
  Q_OBJECT

 public:
  explicit MethodPanel(MethodViewModel& model, QWidget* parent = nullptr);

 private:
  void addBanner(QVBoxLayout* layout);
  void addMethodRows(QFormLayout* form);
  void addCalibrationRows(QFormLayout* form);
  void connectFields();
  void showMethod();   // another form
  void showDraft();
  void browseCalibration();
  void loadFactorFile();
  void editFactor();
  void editContext();

  MethodViewModel& m_model;
  QFrame* m_banner;
  QLabel* m_bannerText;
  QPushButton* m_bannerAction;
  QComboBox* m_method;
  QPushButton* m_fileCure;
  QLabel* m_summary;
  QLineEdit* m_factor;
  QLineEdit* m_context;
  ParameterForm* m_parameters;
  QLineEdit* m_calibration;
  QSlider* m_strength;
  QLabel* m_strengthText;
  QCheckBox* m_lora;
  QLabel* m_calibrationText;
  QLabel* m_sentence;
  QPushButton* m_apply;
  QPushButton* m_revert;
};

}  // namespace ropescope::ui
