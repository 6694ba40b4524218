// Where the selected part of an answer was read from, or what reads the selected part of the
// document: weight over the position, and the strongest sentences.
#pragma once

#include <QComboBox>

#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/reading_view_model.h"

namespace ropescope::ui {

class PassageList;
class PositionPlot;

class ReadingPanel : public PlotPanel {
  Q_OBJECT

 public:
  ReadingPanel(ReadingViewModel& model, ChatModel& chat, const DocumentViewModel& document,
               TextShading& shading, QWidget* parent = nullptr);

  PlotTable table() const override { return m_model.table(); }
  void showExample() override;  // the newest answer, whole
  bool isSettled() const override { return !m_model.isLoading(); }
  PassageList& list() { return *m_list; }
  PositionPlot& positions() { return *m_positions; }

 private:
  void buildControls();
  void connectPointing();
  void showReading();

  ReadingViewModel& m_model;
  ChatModel& m_chat;
  const DocumentViewModel& m_document;
  TextShading& m_shading;
  QComboBox* m_heads;
  QLabel* m_title;
  QLabel* m_detail;
  PositionPlot* m_positions;
  PassageList* m_list;
};

}  // namespace ropescope::ui
