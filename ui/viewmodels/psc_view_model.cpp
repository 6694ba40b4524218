#include "ui/viewmodels/psc_view_model.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

#include "ui/text/error_text.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

constexpr int kAskMs = 20;                    // slider steps within it cost one request
constexpr std::int64_t kSampleTokens = 1024;  // of the document

QString viewKey() {
  return QStringLiteral("psc");
}

QuantileBand bandOf(const std::vector<Quantiles>& quantiles) {
  QuantileBand band;
  for (const Quantiles& q : quantiles) {
    band.x << static_cast<double>(band.x.size());
    band.low << q.low;
    band.quarter << q.quarter;
    band.median << q.median;
    band.threeQuarters << q.threeQuarters;
    band.high << q.high;
  }
  return band;
}

QString percent(double share) {
  return PscViewModel::tr("%1 %").arg(share * 100.0, 0, 'f', 0);
}

QString rowText(const RowScore& row) {
  return PscViewModel::tr("score %1, weight %2")
      .arg(QLocale().toString(row.score, 'f', 3), QLocale().toString(row.weight(), 'g', 3));
}

TableColumn column(const QString& title, const QVector<double>& values) {
  return {.title = title, .numbers = {values.begin(), values.end()}};
}

}  // namespace

PscViewModel::PscViewModel(LensParts parts, QObject* parent)
    : QObject(parent),
      m_pair(parts, QStringLiteral("psc.pair")) {
  m_askTimer.setSingleShot(true);
  m_askTimer.setInterval(kAskMs);
  connect(&m_askTimer, &QTimer::timeout, this, &PscViewModel::ask);
  connect(&m_pair, &TokenPairModel::sessionChanged, this, &PscViewModel::startSession);
  connect(&m_pair, &TokenPairModel::changed, this, &PscViewModel::changed);
  connect(&parts.tokens, &TokenChoice::changed, this, &PscViewModel::askSoon);
  connect(&parts.heads, &HeadChoice::headChanged, this, &PscViewModel::askSoon);
  connect(&parts.app, &AppModel::busyChanged, this, &PscViewModel::askSoon);  // all is read
}

void PscViewModel::setActive(bool active) {
  m_active = active;
  m_pair.setActive(active);
  if (active) askSoon();
}

bool PscViewModel::hasGates() const {
  const auto& calibration = m_pair.parts().app.calibration();
  return calibration && calibration->info().hasPhase;
}

void PscViewModel::setSide(GateSide side) {
  if (side == m_side) return;
  m_side = side;
  askSoon();
}

void PscViewModel::setStrength(double strength) {
  strength = std::clamp(strength, 0.0, 1.0);
  if (strength == m_strength) return;
  m_strength = strength;
  const auto& plan = m_pair.parts().app.plan();
  if (plan && hasGates()) m_pair.setChange(RowChange{*plan, m_strength});
  askSoon();
  Q_EMIT changed();
}

void PscViewModel::applyStrength() {
  MethodSettings settings = m_pair.parts().app.method();
  if (settings.pscStrength == m_strength) return;
  settings.pscStrength = m_strength;
  m_pair.parts().app.applyMethod(settings);
}

void PscViewModel::startSession() {
  m_pair.parts().runner.dropViews(viewKey());
  m_waiting = false;
  m_token.reset();
  m_spread.reset();
  m_error.clear();
  m_strength = std::clamp(strengthInUse(), 0.0, 1.0);
  const auto& plan = m_pair.parts().app.plan();
  std::optional<RowChange> change;
  if (plan && hasGates()) change = RowChange{*plan, m_strength};
  m_pair.setChange(std::move(change));
  Q_EMIT sessionChanged();
  Q_EMIT changed();
  askSoon();
}

int PscViewModel::sideHead() const {
  const int head = m_pair.parts().heads.head().head;
  const auto& engine = m_pair.parts().app.engine();
  if (m_side == GateSide::Query || !engine) return head;
  return head / (engine->config().heads / engine->config().kvHeads);
}

std::int64_t PscViewModel::token() const {
  const TokenChoice& tokens = m_pair.parts().tokens;
  const std::int64_t position = m_side == GateSide::Query ? tokens.query() : tokens.key();
  return position < m_pair.parts().app.position() ? position : -1;
}

void PscViewModel::askSoon() {
  if (m_active && !m_askTimer.isActive()) m_askTimer.start();
}

void PscViewModel::ask() {
  const AppModel& app = m_pair.parts().app;
  const int layer = m_pair.parts().heads.head().layer;
  const auto& kept = app.captureLayers();
  const bool isKept = std::find(kept.begin(), kept.end(), layer) != kept.end();
  if (!m_active || !hasGates() || app.position() == 0 || !isKept) {
    m_token.reset();
    m_spread.reset();
    Q_EMIT changed();
    return;
  }
  m_waiting = true;
  const SpreadRequest spread{.layer = layer,
                             .side = m_side,
                             .head = sideHead(),
                             .strength = m_strength,
                             .mostTokens = kSampleTokens};
  const GateRequest gates{.layer = layer, .position = token(), .strength = m_strength};
  m_pair.parts().runner.requestView<Answer>(
      viewKey(), this,
      [spread, gates, serial = app.sessionSerial()](EngineRoom& room,
                                                    const JobControl& job) -> Result<Answer> {
        const auto session = existingSession(room, serial);
        if (!session) return Error{ErrorCode::Cancelled, session.error().message};
        auto sampled = gateSpread(**session, spread, job);
        if (!sampled) return sampled.error();
        Answer answer{std::nullopt, *std::move(sampled)};
        if (gates.position < 0) return answer;
        auto token = ropescope::tokenGates(**session, gates, job);
        if (!token) return token.error();
        answer.token = *std::move(token);
        return answer;
      },
      [this](const Result<Answer>& answer) {
        m_waiting = false;
        m_token.reset();
        if (answer) {
          m_error.clear();
          m_spread = std::make_shared<const GateSpread>(answer->spread);
          if (answer->token) m_token = std::make_shared<const TokenGates>(*answer->token);
        } else {
          m_spread.reset();
          const bool stopped = answer.error().code == ErrorCode::Cancelled;
          m_error = stopped ? QString() : errorSentence(answer.error());
        }
        Q_EMIT changed();
      });
}

const SideGates* PscViewModel::tokenSide() const {
  if (!m_token || !m_spread || m_token->request.layer != m_spread->request.layer) return nullptr;
  return m_spread->request.side == GateSide::Query ? &m_token->query : &m_token->key;
}

QVector<double> PscViewModel::tokenGates() const {
  const SideGates* side = tokenSide();
  if (side == nullptr) return {};
  const auto gates = side->gatesOf(m_spread->request.head);
  return {gates.begin(), gates.end()};
}

QVector<double> PscViewModel::tokenTurns() const {
  const SideGates* side = tokenSide();
  QVector<double> turns;
  if (side == nullptr) return turns;
  const int head = m_spread->request.head;
  for (const PairTurn& turn : pairTurns(side->contentsOf(head), side->gatesOf(head))) {
    turns << turn.degrees;
  }
  return turns;
}

QuantileBand PscViewModel::gateBand() const {
  return m_spread ? bandOf(m_spread->gates) : QuantileBand();
}

QuantileBand PscViewModel::turnBand() const {
  return m_spread ? bandOf(m_spread->turns) : QuantileBand();
}

QString PscViewModel::tokenTitle() const {
  if (!m_token) return {};
  return tr("token %1").arg(m_pair.tokenName(m_token->request.position));
}

QString PscViewModel::message() const {
  const AppModel& app = m_pair.parts().app;
  if (!app.engine()) return tr("No model is loaded.");
  if (!hasGates()) {
    return app.calibration() ? tr("The calibration in use holds no PSC phase modules.")
                             : tr("No calibration is in use: there is no gate to show.\n"
                                  "Choose a bundled one above, or one in the method panel.");
  }
  if (!m_error.isEmpty()) return m_error;
  if (m_spread) return {};
  if (app.position() == 0) return tr("Read a document (Ctrl+R): the gate depends on its tokens.");
  const auto& kept = app.captureLayers();
  const int layer = m_pair.parts().heads.head().layer;
  if (std::find(kept.begin(), kept.end(), layer) == kept.end()) {
    return tr("Layer %1 is not kept for this session;\nthe attention map offers to keep it.")
        .arg(layer);
  }
  return tr("Computing …");
}

QString PscViewModel::sentence() const {
  if (!m_spread) return {};
  const SpreadRequest& r = m_spread->request;
  double widest = 0.0;
  for (const double turn : tokenTurns()) widest = std::max(widest, std::abs(turn));
  const QString sample =
      m_spread->stride == 1
          ? tr("all %1 tokens read").arg(tokensText(m_spread->tokens))
          : tr("%1 tokens (every %2th)").arg(tokensText(m_spread->tokens)).arg(m_spread->stride);
  QString text = tr("%1 head %2 of layer %3 at %4; bands over %5.")
                     .arg(r.side == GateSide::Query ? tr("Query") : tr("Key"))
                     .arg(r.head)
                     .arg(r.layer)
                     .arg(percent(r.strength), sample);
  if (m_token) {
    text += u' ' + tr("Largest turn of this token %1°.").arg(QLocale().toString(widest, 'f', 1));
  }
  return text;
}

QString PscViewModel::effectText() const {
  const auto reading = m_pair.reading();
  if (!hasGates() || !reading) return {};
  const auto& row = m_pair.changedRow();
  return tr("The two tokens at %1: %2 (in use, %3: %4). Only this layer is recomputed.")
      .arg(percent(m_strength), row ? rowText(*row) : tr("computing …"), percent(strengthInUse()),
           rowText(reading->pair.used));
}

QString PscViewModel::describeComponent(int component) const {
  const QVector<double> gates = tokenGates();
  if (!m_spread || component < 0 || component >= static_cast<int>(m_spread->gates.size())) {
    return {};
  }
  const Quantiles& q = m_spread->gates[static_cast<std::size_t>(component)];
  const auto number = [](double value) { return QLocale().toString(value, 'f', 3); };
  QString text = tr("component %1\n5 % %2, median %3, 95 % %4")
                     .arg(component)
                     .arg(number(q.low), number(q.median), number(q.high));
  if (component < gates.size()) text += tr("\nthis token %1").arg(number(gates[component]));
  return text;
}

// Components and their pairs: component c belongs to pair c mod P.
PlotTable PscViewModel::table() const {
  PlotTable table;
  if (!m_spread) return table;
  const QuantileBand gates = gateBand();
  const QuantileBand turns = turnBand();
  const auto byComponent = [&](const QVector<double>& byPair) { return byPair + byPair; };
  table.columns = {column(tr("component"), gates.x), column(tr("pair"), byComponent(turns.x))};
  const QVector<double> token = tokenGates();
  if (!token.isEmpty()) table.columns.push_back(column(tr("gate, %1").arg(tokenTitle()), token));
  table.columns.push_back(column(tr("gate, 5 %"), gates.low));
  table.columns.push_back(column(tr("gate, 25 %"), gates.quarter));
  table.columns.push_back(column(tr("gate, median"), gates.median));
  table.columns.push_back(column(tr("gate, 75 %"), gates.threeQuarters));
  table.columns.push_back(column(tr("gate, 95 %"), gates.high));
  if (!token.isEmpty()) {
    table.columns.push_back(
        column(tr("turn [degrees], %1").arg(tokenTitle()), byComponent(tokenTurns())));
  }
  table.columns.push_back(column(tr("turn, 5 % [degrees]"), byComponent(turns.low)));
  table.columns.push_back(column(tr("turn, median [degrees]"), byComponent(turns.median)));
  table.columns.push_back(column(tr("turn, 95 % [degrees]"), byComponent(turns.high)));
  return table;
}

}  // namespace ropescope::ui
