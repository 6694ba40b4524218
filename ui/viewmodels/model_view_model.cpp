#include "ui/viewmodels/model_view_model.h"

#include "ui/text/number_text.h"

namespace ropescope::ui {

ModelViewModel::ModelViewModel(AppModel& app, QObject* parent) : QObject(parent), m_app(app) {
  connect(&m_app, &AppModel::modelChanged, this, &ModelViewModel::changed);
  connect(&m_app, &AppModel::planChanged, this, &ModelViewModel::changed);
}

QString ModelViewModel::name() const {
  if (!isLoaded()) return tr("no model");
  return QString::fromStdString(m_app.engine()->folder().filename().string());
}

QString ModelViewModel::description() const {
  if (!isLoaded()) return {};
  const ModelConfig& config = m_app.engine()->config();
  return tr("%1\n%2, %3 layers, %4 heads (%5 key/value), head size %6, vocabulary %7\n"
            "trained at %8 tokens, RoPE base %9\nhash %10")
      .arg(QString::fromStdString(m_app.engine()->folder().string()),
           QString::fromStdString(config.architecture))
      .arg(config.layers)
      .arg(config.heads)
      .arg(config.kvHeads)
      .arg(config.headDim)
      .arg(tokensText(config.vocabularySize), tokensText(config.trainedLength))
      .arg(config.ropeBase)
      .arg(QString::fromStdString(m_app.engine()->modelHash()));
}

QString ModelViewModel::placement() const {
  if (!isLoaded()) return {};
  return tr("%1 on %2, %n thread(s)", nullptr, m_app.engine()->threads())
      .arg(QString::fromStdString(m_app.engine()->dtype()),
           QString::fromStdString(m_app.engine()->device()));
}

QString ModelViewModel::memory() const {
  if (!isLoaded()) return {};
  const auto estimate = m_app.engine()->memoryFor(m_app.plannedContext());
  const auto captured = static_cast<std::int64_t>(m_app.captureLayers().size());
  return tr("needs %1 for %2 tokens, %3 of it to draw maps")
      .arg(memoryText(estimate.total() + captured * estimate.capturePerLayer),
           tokensText(m_app.plannedContext()), memoryText(captured * estimate.capturePerLayer));
}

QString ModelViewModel::memoryDetail() const {
  if (!isLoaded()) return {};
  const auto estimate = m_app.engine()->memoryFor(m_app.plannedContext());
  const auto captured = static_cast<std::int64_t>(m_app.captureLayers().size());
  return tr("weights %1 + cache %2 (%3 a token) + workspace %4 + kept for maps %5 (%6 layers)")
      .arg(memoryText(estimate.weights), memoryText(estimate.kvCache),
           memoryText(m_app.engine()->kvBytesPerToken()), memoryText(estimate.workspace),
           memoryText(captured * estimate.capturePerLayer))
      .arg(captured);
}

void ModelViewModel::reload(const QString& device, const QString& dtype) {
  if (isLoaded()) m_app.loadModel(m_app.engine()->folder(), device, dtype);
}

}  // namespace ropescope::ui
