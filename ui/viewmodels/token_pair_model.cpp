#include "ui/viewmodels/token_pair_model.h"

#include <algorithm>

#include "core/tokenizer/tokenizer.h"
#include "ui/text/error_text.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/angle_view_model.h"
#include "ui/viewmodels/token_piece.h"

namespace ropescope::ui {
namespace {

constexpr int kAskMs = 20;                   // changes within it cost one request
constexpr std::int64_t kFirstTokens = 4;     // draw most attention of many heads
constexpr std::int64_t kRowCells = 1 << 20;  // a cell a token

QString sessionTitle(const AppModel& app, const rope::RotaryPlan& plan) {
  QString title = planTitle(plan);
  if (!app.calibration()) return title;
  const CalibrationInfo& info = app.calibration()->info();
  if (info.hasLora && app.method().lora) title += QStringLiteral(" + LoRA");
  if (!info.hasPhase || app.method().pscStrength == 0.0) return title;
  title += QStringLiteral(" + PSC");
  if (app.method().pscStrength == 1.0) return title;
  return title + QStringLiteral(" %1 %").arg(app.method().pscStrength * 100, 0, 'f', 0);
}

// The largest weight of one row; the request's keys.begin is the first column.
std::int64_t strongest(const AttentionMap& row) {
  const auto best = std::max_element(row.values.begin(), row.values.end());
  return row.request.keys.begin + (best - row.values.begin());
}

}  // namespace

TokenPairModel::TokenPairModel(LensParts parts, const QString& key, QObject* parent)
    : QObject(parent),
      m_parts(parts),
      m_key(key) {
  m_askTimer.setSingleShot(true);
  m_askTimer.setInterval(kAskMs);
  connect(&m_askTimer, &QTimer::timeout, this, &TokenPairModel::ask);
  connect(&m_parts.app, &AppModel::planChanged, this, &TokenPairModel::startSession);
  const auto forget = [this] {
    m_reading.reset();
    m_before.reset();
    startSession();
  };
  connect(&m_parts.app, &AppModel::modelChanged, this, forget);
  connect(&m_parts.app, &AppModel::documentChanged, this, forget);
  connect(&m_parts.app, &AppModel::sessionAdvanced, this, [this](qint64 position) {
    if (position == 0) return startSession();
    if (const PairRequest& request = shown(); m_reading && request.query >= position) {
      m_parts.runner.dropViews(m_key);  // another text stands there now
      m_waiting = false;
      m_reading.reset();
      m_changedRow.reset();
      Q_EMIT changed();
      askSoon();
    }
    if (!m_reading && !m_waiting) askSoon();
  });
  connect(&m_parts.tokens, &TokenChoice::changed, this, &TokenPairModel::askSoon);
  connect(&m_parts.heads, &HeadChoice::headChanged, this, &TokenPairModel::askSoon);
}

void TokenPairModel::setActive(bool active) {
  if (active == m_active) return;
  m_active = active;
  if (active && m_stale) askSoon();
}

void TokenPairModel::setChange(std::optional<RowChange> change) {
  m_change = std::move(change);
  m_changedRow.reset();
  askSoon();
}

// What was read stays as the picture of the session before.
void TokenPairModel::startSession() {
  m_parts.runner.dropViews(m_key);
  m_waiting = false;
  if (m_reading) m_before = std::move(m_reading);
  m_reading.reset();
  m_changedRow.reset();
  m_error.clear();
  Q_EMIT sessionChanged();
  askSoon();
}

std::shared_ptr<const PairReading> TokenPairModel::before() const {
  const bool same = m_before && m_parts.tokens.isSet() && m_before->pair.request == wanted();
  return same ? m_before : nullptr;
}

PairRequest TokenPairModel::wanted() const {
  const HeadRef head = m_parts.heads.head();
  return {.layer = head.layer,
          .head = head.head,
          .query = m_parts.tokens.query(),
          .key = m_parts.tokens.key()};
}

bool TokenPairModel::canAsk() const {
  const auto& kept = m_parts.app.captureLayers();
  return m_parts.app.engine() && m_parts.tokens.isSet() &&
         m_parts.tokens.query() < m_parts.app.position() &&
         std::find(kept.begin(), kept.end(), m_parts.heads.head().layer) != kept.end();
}

void TokenPairModel::askSoon() {
  m_stale = true;
  if (m_active && !m_askTimer.isActive()) m_askTimer.start();
}

void TokenPairModel::ask() {
  if (!m_active || !m_stale) return;
  if (!canAsk()) {
    m_parts.runner.dropViews(m_key);
    m_waiting = false;
    m_reading.reset();
    m_changedRow.reset();
    Q_EMIT changed();
    return;
  }
  m_stale = false;
  m_waiting = true;
  m_parts.runner.requestView<Answer>(
      m_key, this,
      [request = wanted(), change = m_change, serial = m_parts.app.sessionSerial()](
          EngineRoom& room, const JobControl& job) -> Result<Answer> {
        const auto session = existingSession(room, serial);
        // Happens for a moment after a session is dropped; the next position asks again.
        if (!session) return Error{ErrorCode::Cancelled, session.error().message};
        auto pair = tokenPair(**session, request, job);
        if (!pair) return pair.error();
        Answer answer{*std::move(pair), std::nullopt};
        if (change) {
          auto row = rowUnder(**session, request, *change, job);
          if (!row) return row.error();
          answer.changedRow = *row;
        }
        return answer;
      },
      [this](const Result<Answer>& answer) { accept(answer); });
  Q_EMIT changed();
}

void TokenPairModel::accept(const Result<Answer>& answer) {
  m_waiting = false;
  m_reading.reset();
  m_changedRow.reset();
  m_error.clear();
  if (answer && m_parts.app.plan()) {
    const rope::RotaryPlan& plan = *m_parts.app.plan();
    m_reading = std::make_shared<const PairReading>(
        PairReading{answer->pair, plan, sessionTitle(m_parts.app, plan)});
    m_changedRow = answer->changedRow;
  } else if (!answer && answer.error().code == ErrorCode::Cancelled) {
    m_stale = true;
  } else if (!answer) {
    m_error = errorSentence(answer.error());
  }
  Q_EMIT changed();
}

std::int64_t TokenPairModel::tokens() const {
  const std::int64_t known = m_parts.app.document() ? m_parts.app.document()->tokens() : 0;
  return std::max(known, m_parts.app.position());
}

PairRequest TokenPairModel::shown() const {
  return m_reading ? m_reading->pair.request : wanted();
}

bool TokenPairModel::isExact() const {
  return shown().layer == 0;
}

QString TokenPairModel::tokenName(std::int64_t position) const {
  const QString piece = tokenPiece(m_parts.app, position);
  return piece.isEmpty() ? tokensText(position)
                         : QStringLiteral("%1 “%2”").arg(tokensText(position), piece);
}

QString TokenPairModel::pairText() const {
  if (!m_parts.tokens.isSet()) return {};
  const PairRequest r = shown();
  const std::int64_t distance = r.query - r.key;
  return tr("Query %1 reads key %2, %3 before.")
      .arg(tokenName(r.query), tokenName(r.key),
           distance == 1 ? tr("1 token") : tr("%1 tokens").arg(tokensText(distance)));
}

QString TokenPairModel::message() const {
  const AppModel& app = m_parts.app;
  if (!app.engine()) return tr("No model is loaded.");
  if (!m_error.isEmpty()) return m_error;
  if (m_reading) return {};
  if (app.position() == 0) return tr("Read a document (Ctrl+R):\nits tokens are looked at here.");
  if (!m_parts.tokens.isSet()) {
    return tr(
        "Choose two tokens: a click on the attention map,\n"
        "two clicks in the document, or their positions above.");
  }
  if (m_parts.tokens.query() >= app.position()) {
    return tr("The query has not been read yet:\n%1 of %2 tokens are.")
        .arg(tokensText(app.position()), tokensText(tokens()));
  }
  if (!canAsk()) {
    return tr("Layer %1 is not kept for this session;\nthe attention map offers to keep it.")
        .arg(m_parts.heads.head().layer);
  }
  return tr("Computing …");
}

void TokenPairModel::chooseStrongestKey() {
  const std::int64_t query = m_parts.tokens.query();
  if (!canAsk()) return;
  const TokenRange behind{kFirstTokens, query};
  const TokenRange keys = behind.size() > 0 ? behind : TokenRange{0, query + 1};
  const MapRequest request{.layer = m_parts.heads.head().layer,
                           .head = m_parts.heads.head().head,
                           .queries = {query, query + 1},
                           .keys = keys,
                           .width = static_cast<int>(std::min(kRowCells, keys.size())),
                           .height = 1};
  m_parts.runner.requestView<AttentionMap>(
      m_key + QStringLiteral(".strongest"), this,
      [request, serial = m_parts.app.sessionSerial()](
          EngineRoom& room, const JobControl& job) -> Result<AttentionMap> {
        const auto session = existingSession(room, serial);
        if (!session) return Error{ErrorCode::Cancelled, session.error().message};
        return (*session)->attentionMap(request, job);
      },
      [this, query](const Result<AttentionMap>& row) {
        if (row && query == m_parts.tokens.query()) m_parts.tokens.choose(query, strongest(*row));
      });
}

void TokenPairModel::chooseExample() {
  const AppModel& app = m_parts.app;
  if (app.position() == 0) return;
  const std::int64_t document = app.document() ? app.document()->tokens() : app.position();
  const std::int64_t query = std::min(document, app.position()) - 1;
  if (!m_parts.tokens.isSet()) m_parts.tokens.choose(query, query / 2);
  chooseStrongestKey();
}

}  // namespace ropescope::ui
