#include "ui/panels/recording_views.h"

#include <algorithm>
#include <cmath>

#include "ui/panels/attention_panel.h"
#include "ui/panels/panel_text.h"
#include "ui/plots/angle_plot.h"
#include "ui/plots/attention_map_plot.h"
#include "ui/plots/perplexity_plot.h"
#include "ui/text/curve_title.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {

using experiment::RecordedSetting;

namespace {

constexpr int kCaptionShare = 100;  // of the row; the stretch before the buttons has 1

}  // namespace

rope::RotaryPlan recordedPlan(const experiment::Plan& plan, const RecordedSetting& result) {
  const auto pairs = static_cast<double>(plan.plainInvFreq.size());
  rope::RotaryPlan rotation;
  rotation.method = result.method;
  rotation.invFreq = result.invFreq;
  rotation.attentionFactor = result.attentionFactor;
  rotation.note = result.note;
  rotation.context = {.headDim = static_cast<int>(2 * plan.plainInvFreq.size()),
                      .originalLength = plan.trainedLength,
                      .plannedLength = plan.contextTokens,
                      .factor = result.factor};
  // Plain frequencies are base^(-p / pairs) of pair p (arXiv:2104.09864).
  if (plan.plainInvFreq.size() > 1) rotation.context.base = std::pow(plan.plainInvFreq[1], -pairs);
  return rotation;
}

AttentionMap firstRows(const AttentionMap& map, int rows) {
  AttentionMap part;
  part.request = map.request;
  part.request.height = std::clamp(rows, 0, map.request.height);
  part.request.queries.end =
      cellBegin(map.request.queries, map.request.height, part.request.height);
  const auto cells = static_cast<std::ptrdiff_t>(part.request.height) *
                     static_cast<std::ptrdiff_t>(part.request.width);
  part.values.assign(map.values.begin(), map.values.begin() + cells);
  return part;
}

RecordedMapPanel::RecordedMapPanel(QWidget* parent)
    : PlotPanel(QStringLiteral("recorded-map"), parent),
      m_caption(new QLabel(this)) {
  m_caption->setWordWrap(true);
  setMuted(m_caption);
  firstRow()->addWidget(m_caption, kCaptionShare);
  m_model.setIgnoredTokens(0);  // the file's cells hold them too
  setPlot(new AttentionMapPlot(m_model, this));
  m_model.setSource([this](const MapRequest& wanted, const AttentionViewModel::Deliver& deliver) {
    if (m_map == nullptr) {
      deliver(Error{ErrorCode::NotFound, "no map was recorded"});
      return;
    }
    const MapRequest& whole = m_map->request;
    int rows = whole.height;  // the file has one resolution, whatever the zoom
    while (rows > 1 && cellBegin(whole.queries, whole.height, rows) > m_model.tokens()) --rows;
    static_cast<void>(wanted);
    deliver(firstRows(*m_map, rows));
  });
  connect(&m_model, &AttentionViewModel::tileChanged, this, &RecordedMapPanel::refreshTable);
}

void RecordedMapPanel::show(const RecordedExperiment& recorded, std::size_t setting,
                            std::size_t map, int rows) {
  const AttentionMap* wanted = &recorded->results[setting].maps[map];
  const MapRequest& request = wanted->request;
  if (wanted != m_map || recorded != m_recorded) {
    m_recorded = recorded;
    m_map = wanted;
    m_model.setModelShape(request.layer + 1, request.head + 1);
    m_model.selectHead(request.layer, request.head);
    m_model.startSession(request.queries.end);
    m_caption->setText(tr("Recorded: %1 · layer %2, head %3")
                           .arg(settingTitle(recorded->results[setting].setting))
                           .arg(request.layer)
                           .arg(request.head));
  }
  m_model.advanceTo(cellBegin(request.queries, request.height, std::max(1, rows)));
}

PlotTable RecordedMapPanel::table() const {
  return m_model.tile() ? attentionTable(*m_model.tile()) : PlotTable();
}

RecordedAnglesPanel::RecordedAnglesPanel(QWidget* parent)
    : PlotPanel(QStringLiteral("recorded-angles"), parent),
      m_caption(new QLabel(this)) {
  m_caption->setWordWrap(true);
  setMuted(m_caption);
  firstRow()->addWidget(m_caption, kCaptionShare);
  setPlot(new AnglePlot(m_model, this));
  connect(&m_model, &AngleViewModel::curvesChanged, this, &RecordedAnglesPanel::refreshTable);
}

void RecordedAnglesPanel::show(const RecordedExperiment& recorded) {
  std::vector<rope::RotaryPlan> plans;
  for (const RecordedSetting& result : recorded->results) {
    auto plan = recordedPlan(recorded->plan, result);
    if (plan.invFreq.size() == recorded->plan.plainInvFreq.size()) plans.push_back(std::move(plan));
  }
  if (plans.empty()) {
    m_model.setPlan(nullptr);
    m_caption->setText(tr("No rotation was recorded."));
    return;
  }
  // The first one stands out: it was in use. Plain RoPE is drawn in any case.
  m_model.setPlan(std::make_shared<const rope::RotaryPlan>(plans.front()));
  m_model.setComparison(std::move(plans));
  m_model.setComparing(true);
  m_model.setPosition(m_model.lastPosition());
  m_caption->setText(
      tr("Recorded: %1 settings at %2 planned tokens, trained at %3")
          .arg(recorded->results.size())
          .arg(tokensText(recorded->plan.contextTokens), tokensText(recorded->plan.trainedLength)));
}

RecordedCurvesPanel::RecordedCurvesPanel(QWidget* parent)
    : PlotPanel(QStringLiteral("recorded-curves"), parent) {
  auto* caption = new QLabel(tr("Recorded perplexity"), this);
  setMuted(caption);
  firstRow()->addWidget(caption, kCaptionShare);
  setPlot(new PerplexityPlot(m_model, this));
  connect(&m_model, &PerplexityViewModel::curvesChanged, this, &RecordedCurvesPanel::refreshTable);
}

void RecordedCurvesPanel::show(const RecordedExperiment& recorded, int points) {
  std::vector<PerplexityCurve> curves;
  QStringList titles;
  for (const RecordedSetting& result : recorded->results) {
    if (result.perplexity.empty()) continue;
    PerplexityCurve curve{.factor = result.factor, .points = result.perplexity};
    curve.settings.label = result.setting;
    curve.settings.rope.id = result.method;
    curve.settings.rope.factor = result.factor;
    const auto shown = static_cast<std::size_t>(std::max(0, points));
    if (curve.points.size() > shown) curve.points.resize(shown);
    curves.push_back(std::move(curve));
    titles << settingTitle(result.setting);
  }
  m_model.setModel(recorded->plan.trainedLength, true);
  m_model.showRecorded(std::move(curves), titles, recorded->plan.lengths,
                       tr("%1: recorded, %2")
                           .arg(QString::fromStdString(recorded->plan.documentName),
                                QString::fromStdString(recorded->plan.protocol)));
}

}  // namespace ropescope::ui
