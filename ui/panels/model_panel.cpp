#include "ui/panels/model_panel.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

#include "ui/panels/panel_text.h"
#include "ui/viewmodels/model_view_model.h"

namespace ropescope::ui {

ModelPanel::ModelPanel(ModelViewModel& model, QWidget* parent)
    : QWidget(parent),
      m_model(model),
      m_name(new QLabel(this)),
      m_placement(new QLabel(this)),
      m_memory(new QLabel(this)),
      m_device(new QComboBox(this)),
      m_dtype(new QComboBox(this)),
      m_open(new QPushButton(tr("Open &model …"), this)) {
  setBold(m_name);
  setMuted(m_placement);
  m_device->addItems({"auto", "cpu", "cuda"});
  m_dtype->addItems({"auto", "float32", "bfloat16", "float16", "float64"});
  m_device->setAccessibleName(tr("Device"));
  m_dtype->setAccessibleName(tr("Number type"));
  m_device->setToolTip(tr("Where the model runs; changing it loads the model again."));
  m_dtype->setToolTip(tr("Number type of weights and cache; changing it loads the model again. "
                         "auto: bfloat16 on a GPU, float32 on a CPU."));
  auto* deviceLabel = new QLabel(tr("&Device"), this);
  deviceLabel->setBuddy(m_device);
  auto* dtypeLabel = new QLabel(tr("N&umbers"), this);
  dtypeLabel->setBuddy(m_dtype);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(6, 3, 6, 3);
  row->setSpacing(10);
  row->addWidget(new QLabel(tr("Model:"), this));
  row->addWidget(m_name);
  row->addWidget(m_placement);
  row->addStretch(1);
  row->addWidget(m_memory);
  row->addSpacing(12);
  for (QWidget* widget : {static_cast<QWidget*>(deviceLabel), static_cast<QWidget*>(m_device),
                          static_cast<QWidget*>(dtypeLabel), static_cast<QWidget*>(m_dtype),
                          static_cast<QWidget*>(m_open)}) {
    row->addWidget(widget);
  }
  connect(&m_model, &ModelViewModel::changed, this, &ModelPanel::showState);
  connect(m_device, &QComboBox::textActivated, this, &ModelPanel::reload);
  connect(m_dtype, &QComboBox::textActivated, this, &ModelPanel::reload);
  connect(m_open, &QPushButton::clicked, this, &ModelPanel::openRequested);
  showState();
}

void ModelPanel::showState() {
  m_name->setText(m_model.name());
  m_name->setToolTip(m_model.description());
  m_placement->setText(m_model.placement());
  m_placement->setToolTip(m_model.description());
  m_memory->setText(m_model.memory());
  m_memory->setToolTip(m_model.memoryDetail());
  m_device->setEnabled(m_model.isLoaded());
  m_dtype->setEnabled(m_model.isLoaded());
}

void ModelPanel::reload() { m_model.reload(m_device->currentText(), m_dtype->currentText()); }

}  // namespace ropescope::ui
