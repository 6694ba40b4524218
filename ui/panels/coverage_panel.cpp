#include "ui/panels/coverage_panel.h"

#include <QSignalBlocker>
#include <algorithm>
#include <limits>

#include "ui/plots/coverage_plot.h"
#include "ui/viewmodels/plan_comparison.h"

namespace ropescope::ui {
namespace {

constexpr int kAskMs = 150;  // changes within it cost one request
constexpr int kIgnored = 4;  // first tokens, as in the attention map

QString viewKey() {
  return QStringLiteral("coverage");
}

}  // namespace

CoveragePanel::CoveragePanel(const CoverageSources& sources, QWidget* parent)
    : PlotPanel(QStringLiteral("coverage"), parent),
      m_app(sources.app),
      m_runner(sources.runner),
      m_headChoice(sources.heads),
      m_rows(sources.app, sources.chat),
      m_method(new QComboBox(this)),
      m_scale(new QComboBox(this)),
      m_heads(new QComboBox(this)),
      m_ignored(new QSpinBox(this)),
      m_distance(new QSpinBox(this)),
      m_slider(new QSlider(Qt::Horizontal, this)),
      m_text(new QLabel(this)) {
  buildControls();
  auto* plot = new CoveragePlot(m_model, this);
  setPlot(plot);
  connect(plot, &CoveragePlot::distancePicked, &m_model, &CoverageViewModel::setDistance);
  m_ask.setSingleShot(true);
  m_ask.setInterval(kAskMs);
  connect(&m_ask, &QTimer::timeout, this, &CoveragePanel::ask);
  connectSources();
  takePlan();
}

void CoveragePanel::buildControls() {
  m_method->setToolTip(tr("The method whose angles are compared with those of training"));
  m_method->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  m_scale->addItems({tr("log"), tr("linear")});
  m_scale->setToolTip(tr("Scale of the distance"));
  m_scale->setAccessibleName(tr("Scale of the distance"));
  firstRow()->addWidget(labelFor(tr("&Under"), m_method));
  firstRow()->addWidget(m_method);
  firstRow()->addWidget(m_scale);
  m_heads->setToolTip(
      tr("Whose attention is added up: all heads, the one chosen in Attention, or the retrieval "
         "heads once Heads has found them"));
  m_heads->setObjectName(QStringLiteral("heads"));
  m_heads->setMinimumContentsLength(12);
  m_heads->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  m_ignored->setRange(0, 1024);
  m_ignored->setValue(kIgnored);
  m_ignored->setToolTip(
      tr("Attention to the first tokens (the attention sink) is left out and named below"));
  QHBoxLayout* attention = addRow();
  attention->addWidget(labelFor(tr("&Heads"), m_heads));
  attention->addWidget(m_heads, 1);
  attention->addWidget(labelFor(tr("&Ignore first"), m_ignored));
  attention->addWidget(m_ignored);
  m_distance->setGroupSeparatorShown(true);
  m_distance->setToolTip(
      tr("The distance that the sentence is about; a click into the plot sets it, too"));
  m_slider->setToolTip(m_distance->toolTip());
  m_slider->setAccessibleName(tr("Distance"));
  m_slider->setMinimumWidth(60);
  QHBoxLayout* distance = addRow();
  distance->addWidget(labelFor(tr("&Distance"), m_distance));
  distance->addWidget(m_distance);
  distance->addWidget(m_slider, 1);
  m_text->setWordWrap(true);
  m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
  addRow()->addWidget(m_text, 1);
}

void CoveragePanel::connectSources() {
  connect(m_method, &QComboBox::activated, &m_model, &CoverageViewModel::show);
  connect(m_scale, &QComboBox::activated, &m_model, [this](int index) {
    m_model.setScale(index == 0 ? DistanceScale::Logarithmic : DistanceScale::Linear);
  });
  connect(m_slider, &QSlider::valueChanged, &m_model, &CoverageViewModel::setDistance);
  connect(m_distance, QOverload<int>::of(&QSpinBox::valueChanged), &m_model,
          &CoverageViewModel::setDistance);
  connect(m_heads, &QComboBox::activated, this, &CoveragePanel::askSoon);
  connect(m_ignored, QOverload<int>::of(&QSpinBox::valueChanged), this, &CoveragePanel::askSoon);
  connect(&m_model, &CoverageViewModel::changed, this, &CoveragePanel::showPlans);
  connect(&m_model, &CoverageViewModel::distanceChanged, this, &CoveragePanel::showDistance);
  connect(&m_app, &AppModel::planChanged, this, &CoveragePanel::takePlan);
  connect(&m_app, &AppModel::modelChanged, this, &CoveragePanel::takePlan);
  connect(&m_rows, &AnswerRows::changed, this, &CoveragePanel::askSoon);
  const auto renewHeads = [this] {
    showPlans();
    askSoon();
  };
  connect(&m_headChoice, &HeadChoice::headChanged, this, renewHeads);
  connect(&m_headChoice, &HeadChoice::rankingChanged, this, renewHeads);
}

void CoveragePanel::takePlan() {
  m_runner.dropViews(viewKey());
  m_waiting = false;
  std::vector<rope::RotaryPlan> others;
  if (m_app.engine() && m_app.plan()) {
    others = comparePlans(*m_app.engine(), *m_app.plan(), m_app.slotChoices()).plans;
  }
  m_model.setMass(nullptr, {}, tr("Ask a question: where its answer looks is drawn here."));
  m_model.setPlans(m_app.plan(), others);
  askSoon();
}

HeadSetKind CoveragePanel::chosenKind() const {
  return static_cast<HeadSetKind>(m_heads->currentData().toInt());
}

HeadSet CoveragePanel::wantedHeads() const {
  if (!m_app.engine()) return {};
  const HeadSet chosen = m_headChoice.set(chosenKind());
  return chosen.isEmpty() ? m_headChoice.set(HeadSetKind::Mean) : chosen;
}

void CoveragePanel::askSoon() {
  if (isVisible() && !m_ask.isActive()) m_ask.start();
}

void CoveragePanel::showEvent(QShowEvent* event) {
  PlotPanel::showEvent(event);
  showPlans();
  askSoon();
}

void CoveragePanel::ask() {
  const AnswerRows::Rows rows = m_rows.rows();
  const HeadSet wanted = wantedHeads();
  const HeadSet heads = wanted.within(m_app.captureLayers());
  const auto missing = wanted.heads().size() - heads.heads().size();
  if (rows.queries.size() <= 0 || heads.isEmpty()) return;
  m_waiting = true;
  const DistanceMassRequest request{
      .queries = rows.queries, .heads = heads, .ignoredTokens = m_ignored->value(), .plan = {}};
  m_runner.requestView<DistanceMass>(
      viewKey(), this,
      [request, serial = m_app.sessionSerial()](EngineRoom& room,
                                                const JobControl& job) -> Result<DistanceMass> {
        const auto session = existingSession(room, serial);
        // Both happen for a moment after a session is dropped or rewound; it is asked again then.
        if (!session) return Error{ErrorCode::Cancelled, session.error().message};
        if (request.queries.end > (*session)->position()) {
          return Error{ErrorCode::Cancelled, "the session no longer holds these tokens"};
        }
        return distanceMass(**session, request, job);
      },
      [this, rows, heads, missing](const Result<DistanceMass>& mass) {
        AnswerRows::Rows measured = rows;
        measured.what += QStringLiteral(", ") + headsText(heads);
        if (missing > 0) measured.what += tr(" (%1 more were not captured)").arg(missing);
        accept(measured, mass);
      });
}

QString CoveragePanel::headsText(const HeadSet& heads) const {
  if (heads.kind() != HeadSetKind::Mean) return m_headChoice.text(heads.kind());
  return tr("mean of %1 heads").arg(heads.heads().size());  // of those that were captured
}

void CoveragePanel::accept(const AnswerRows::Rows& rows, const Result<DistanceMass>& mass) {
  m_waiting = false;
  if (!mass) {
    if (mass.error().code == ErrorCode::Cancelled) return;
    m_model.setMass(nullptr, {}, QString::fromStdString(mass.error().message));
    return;
  }
  QString made = tr("Attention of %1").arg(rows.what);
  if (m_ignored->value() > 0) {
    made += tr("; the first %1 tokens, left out, take %2 %")
                .arg(m_ignored->value())
                .arg(QLocale().toString(100.0 * mass->ignored, 'f', 0));
  }
  m_model.setMass(std::make_shared<const DistanceMass>(*mass), rows.whose, made + u'.');
}

void CoveragePanel::showPlans() {
  {
    const QSignalBlocker blocker(m_method);
    m_method->clear();
    for (const CoveragePlan& plan : m_model.plans()) m_method->addItem(plan.title);
    m_method->setCurrentIndex(m_model.hasPlan() ? m_model.shownIndex() : -1);
  }
  const QVariant chosen = m_heads->currentData();
  m_heads->clear();
  m_heads->addItem(tr("mean of all heads"), static_cast<int>(HeadSetKind::Mean));
  for (const HeadSetKind kind : {HeadSetKind::One, HeadSetKind::Retrieval}) {
    if (m_headChoice.set(kind).isEmpty()) continue;
    m_heads->addItem(m_headChoice.text(kind), static_cast<int>(kind));
  }
  m_heads->setCurrentIndex(std::max(0, m_heads->findData(chosen)));
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  const int longest = static_cast<int>(std::min(kMost, m_model.longest()));
  {
    const QSignalBlocker slider(m_slider);
    const QSignalBlocker box(m_distance);
    m_slider->setRange(0, longest);
    m_slider->setPageStep(std::max(1, longest / 16));
    m_distance->setRange(0, longest);
  }
  showDistance();
  refreshTable();
}

void CoveragePanel::showDistance() {
  const QSignalBlocker slider(m_slider);
  const QSignalBlocker box(m_distance);
  m_slider->setValue(static_cast<int>(m_model.distance()));
  m_distance->setValue(static_cast<int>(m_model.distance()));
  showText();
}

void CoveragePanel::showText() {
  QString text = m_model.sentence();
  if (m_model.hasMass()) text += u' ' + m_model.massText();
  m_text->setText(text);
}

void CoveragePanel::showExample() {
  constexpr int kPlain = 1;
  m_model.show(kPlain);
  askSoon();
}

}  // namespace ropescope::ui
