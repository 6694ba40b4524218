// The same head under two of the four settings, and the difference.
#pragma once

#include <QComboBox>
#include <QPushButton>
#include <QSpinBox>
#include <array>

#include "ui/panels/color_controls.h"
#include "ui/panels/plot_panel.h"
#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/attention_compare_model.h"
#include "ui/viewmodels/head_choice.h"
#include "ui/worker/engine_runner.h"

namespace ropescope::ui {

class AttentionComparePanel : public PlotPanel {
  Q_OBJECT

 public:
  AttentionComparePanel(AppModel& app, EngineRunner& runner, HeadChoice& heads,
                        QWidget* parent = nullptr);

  AttentionCompareModel& model() { return m_model; }
  void chooseSlots(int left, int right);
  PlotTable table() const override { return m_model.table(); }
  void showExample() override;
  bool isSettled() const override;

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void buildControls();
  void connectControls();
  void connectApp();
  void follow();  // sessions, how far they have read, titles
  void showControls();
  void readMissing();
  int missing() const;  // the first of the two that has not read the document; -1: none
  std::int64_t commonTokens() const;
  void request(const MapRequest& request, const AttentionCompareModel::Deliver& deliver);
  const PlannedSession& sessionOf(const QComboBox* chooser) const;

  AppModel& m_app;
  EngineRunner& m_runner;
  HeadChoice& m_heads;
  AttentionCompareModel m_model;
  QComboBox* m_left;
  QComboBox* m_right;
  QSpinBox* m_layer;
  QSpinBox* m_head;
  QComboBox* m_reducer;
  ColorControls* m_colors;
  QComboBox* m_differenceScale;
  QPushButton* m_read;
  std::array<std::uint64_t, 2> m_serials{};  // of the pictures that are there
  std::shared_ptr<const OpenDocument> m_document;
  bool m_following = false;
  bool m_readsAll = false;  // for the example: the second after the first
};

}  // namespace ropescope::ui
