// The PSC inspector: learned gates at a token and over the document, and a strength slider.
#pragma once

#include <QComboBox>
#include <QLabel>
#include <QPushButton>
#include <QSlider>
#include <vector>

#include "core/model/calibration_files.h"
#include "ui/panels/plot_panel.h"
#include "ui/panels/token_controls.h"
#include "ui/viewmodels/psc_view_model.h"

namespace ropescope::ui {

class PscPanel : public PlotPanel {
  Q_OBJECT

 public:
  explicit PscPanel(LensParts parts, QWidget* parent = nullptr);

  PscViewModel& model() { return m_model; }
  PlotTable table() const override { return m_model.table(); }
  const std::vector<CalibrationFile>& offered() const { return m_offered; }
  void use(const CalibrationFile& file);  // its method with it
  void showExample() override;
  bool isSettled() const override;

 protected:
  void showEvent(QShowEvent* event) override;
  void hideEvent(QHideEvent* event) override;

 private:
  void addOffer();
  void addSlider();
  void showSession();
  void showNumbers();

  PscViewModel m_model;
  std::vector<CalibrationFile> m_offered;
  TokenControls* m_controls;
  QComboBox* m_side;
  QWidget* m_offer;
  QComboBox* m_files;
  QWidget* m_strengthRow;
  QSlider* m_slider;
  QLabel* m_percent;
  QPushButton* m_apply;
  QLabel* m_text;
  // The example reads the document once the calibration is there, then chooses two tokens.
  bool m_wantsReading = false;
  bool m_wantsTokens = false;
};

}  // namespace ropescope::ui
