#include "ui/viewmodels/angle_view_model.h"

#include <QLocale>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "core/rope/rope_math.h"

namespace ropescope::ui {
namespace {

constexpr int kFrameMs = 16;
constexpr std::int64_t kFrames = 1200;  // of a whole walk: 20 seconds
constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

AngleCurve curveOf(const rope::RotaryPlan& plan, std::int64_t position) {
  AngleCurve curve{.title = planTitle(plan), .rows = angleTable(plan, position)};
  for (const AngleRow& row : curve.rows) {
    curve.factors << row.scale.value_or(kNone);
    // A pair that stands still has no place on a logarithmic axis.
    const bool turns = row.invFreq > 0.0;
    curve.frequencies << (turns ? row.invFreq : kNone);
    curve.wavelengths << (turns ? row.wavelength : kNone);
    curve.turns << (turns ? row.turnsInTrainedLength : kNone);
    curve.wrapped << wrapAngle(row.angle);
  }
  return curve;
}

template <class Row, class Value>
void addColumn(PlotTable& table, const QString& title, const std::vector<Row>& rows, Value value) {
  TableColumn column{.title = title};
  for (const Row& row : rows) column.numbers.push_back(value(row));
  table.columns.push_back(std::move(column));
}

QString number(double value) {
  return QLocale().toString(value, 'g', 4);
}
QString tokens(double value) {
  return QLocale().toString(static_cast<qlonglong>(value));
}

}  // namespace

QString planTitle(const rope::RotaryPlan& plan) {
  const auto method = rope::findMethod(plan.method);
  const QString title = QString::fromStdString(method ? method->info().title : plan.method);
  if (!method || !method->info().takesFactor || plan.context.factor == 1.0) return title;
  return QStringLiteral("%1 × %2").arg(title, number(plan.context.factor));
}

AngleViewModel::AngleViewModel(QObject* parent) : QObject(parent) {
  m_play.setInterval(kFrameMs);
  m_play.setTimerType(Qt::PreciseTimer);  // a coarse one may be 5 % late, which is seen
  connect(&m_play, &QTimer::timeout, this, &AngleViewModel::playStep);
}

void AngleViewModel::setPlan(std::shared_ptr<const rope::RotaryPlan> plan) {
  m_ghost.reset();
  if (std::exchange(m_flipping, false) && m_plan) m_ghost = m_current;
  m_plan = std::move(plan);
  if (!m_plan) setPlaying(false);
  if (m_plan) m_plainPlan = rope::plainPlan(m_plan->context, "none");
  // At position 0 every angle is 0: begin where training ended.
  const std::int64_t wanted =
      m_positionChosen || !m_plan ? m_position : m_plan->context.originalLength;
  m_position = std::min(wanted, lastPosition());
  rebuild();
}

void AngleViewModel::setComparison(std::vector<rope::RotaryPlan> plans, const QString& leftOut) {
  m_comparison = std::move(plans);
  m_leftOut = leftOut;
  if (m_comparing) rebuild();
}

void AngleViewModel::setQuantity(PairQuantity quantity) {
  if (quantity == m_quantity) return;
  m_quantity = quantity;
  Q_EMIT curvesChanged();
}

void AngleViewModel::setComparing(bool comparing) {
  if (comparing == m_comparing) return;
  m_comparing = comparing;
  rebuild();
}

void AngleViewModel::setPosition(std::int64_t position) {
  m_positionChosen = true;
  position = std::clamp<std::int64_t>(position, 0, lastPosition());
  if (position == m_position) return;
  m_position = position;
  rebuildAngles();
  Q_EMIT positionChanged();
}

std::int64_t AngleViewModel::lastPosition() const {
  return m_plan ? std::max<std::int64_t>(0, m_plan->context.plannedLength - 1) : 0;
}

void AngleViewModel::setPlaying(bool playing) {
  if (playing == isPlaying()) return;
  if (!playing) {
    m_play.stop();
  } else if (m_plan) {
    if (m_position == lastPosition()) setPosition(0);
    m_play.start();
  }
  Q_EMIT playingChanged();
}

std::int64_t AngleViewModel::stepTokens() const {
  return std::max<std::int64_t>(1, lastPosition() / kFrames);
}

void AngleViewModel::playStep() {
  setPosition(m_position + stepTokens());
  if (m_position == lastPosition()) setPlaying(false);
}

void AngleViewModel::rebuild() {
  rebuildAngles();
  m_pairs.clear();
  for (const AngleRow& row : m_plain.rows) m_pairs << row.index;
  const auto turnedOnce = [](const AngleRow& row) { return row.turnsInTrainedLength >= 1.0; };
  const auto first = std::find_if_not(m_plain.rows.begin(), m_plain.rows.end(), turnedOnce);
  m_firstUnturned = static_cast<int>(first - m_plain.rows.begin());
  Q_EMIT curvesChanged();
}

void AngleViewModel::rebuildAngles() {
  m_others.clear();
  m_plain = {};
  m_current = {};
  m_hands.clear();
  m_plainHands.clear();
  if (!m_plan) return;
  m_hands = clockHands(*m_plan, m_position);
  m_plainHands = clockHands(m_plainPlan, m_position);
  m_plain = curveOf(m_plainPlan, m_position);
  m_plain.title = tr("plain RoPE");
  m_current = curveOf(*m_plan, m_position);
  if (!m_comparing) return;
  for (const rope::RotaryPlan& plan : m_comparison) {
    // One that changes nothing is drawn already: as plain RoPE.
    if (plan.method == m_plan->method || plan.invFreq == m_plainPlan.invFreq) continue;
    m_others.push_back(curveOf(plan, m_position));
  }
}

double AngleViewModel::trainedLength() const {
  return m_plan ? static_cast<double>(m_plan->context.originalLength) : 0.0;
}

double AngleViewModel::plannedLength() const {
  return m_plan ? static_cast<double>(m_plan->context.plannedLength) : 0.0;
}

QString AngleViewModel::planText() const {
  if (!m_plan) return tr("No model is loaded.");
  return tr("%1 · factor %2 · attention factor %3 · planned %4, trained %5 tokens")
      .arg(QString::fromStdString(rope::findMethod(m_plan->method)
                                      ? rope::findMethod(m_plan->method)->info().title
                                      : m_plan->method),
           number(m_plan->context.factor), number(m_plan->attentionFactorAt(m_position)),
           tokens(plannedLength()), tokens(trainedLength()));
}

QString AngleViewModel::coverageText() const {
  if (!m_plan) return {};
  const auto unturned = static_cast<int>(m_pairs.size()) - m_firstUnturned;
  return tr("%1 of %2 pairs never turned once in training").arg(unturned).arg(m_pairs.size());
}

QString AngleViewModel::positionText() const {
  return m_plan ? tr("position %1").arg(tokens(static_cast<double>(m_position))) : QString();
}

QString AngleViewModel::clockText() const {
  if (!m_plan) return tr("No model is loaded.");
  const auto unseenIn = [](const std::vector<ClockHand>& hands) {
    return std::count_if(hands.begin(), hands.end(), [](const ClockHand& h) { return h.unseen; });
  };
  return tr("%1 of %2 pairs stand at an angle that training never showed (plain RoPE: %3)")
      .arg(unseenIn(m_hands))
      .arg(m_hands.size())
      .arg(unseenIn(m_plainHands));
}

QString AngleViewModel::sameAsPlain() const {
  QStringList names;
  for (const rope::RotaryPlan& plan : m_comparison) {
    if (plan.method != m_plan->method && plan.invFreq == m_plainPlan.invFreq) {
      names << planTitle(plan);
    }
  }
  return names.isEmpty() ? QString()
                         : tr("same as plain RoPE: %1").arg(names.join(QStringLiteral(", ")));
}

QString AngleViewModel::noteText() const {
  if (!m_plan) return {};
  QStringList notes = {QString::fromStdString(m_plan->note)};
  if (m_comparing) notes << sameAsPlain() << m_leftOut;
  notes.removeAll(QString());
  return notes.join(QStringLiteral(" · "));
}

QString AngleViewModel::describe(int pair) const {
  if (pair < 0 || pair >= static_cast<int>(m_current.rows.size())) return {};
  const AngleRow& row = m_current.rows[static_cast<std::size_t>(pair)];
  const AngleRow& plain = m_plain.rows[static_cast<std::size_t>(pair)];
  return tr("pair %1\nfactor %2\nwavelength %3 tokens (plain %4)\n"
            "angle %5 rad (plain %6), mod 2π %7\n%8 turns in the trained length (plain %9)")
      .arg(pair)
      .arg(row.scale ? number(*row.scale) : tr("none: it does not turn"), number(row.wavelength),
           number(plain.wavelength), number(row.angle), number(plain.angle),
           number(wrapAngle(row.angle)), number(row.turnsInTrainedLength),
           number(plain.turnsInTrainedLength));
}

QString AngleViewModel::describeClock(int pair) const {
  if (pair < 0 || pair >= static_cast<int>(m_hands.size())) return {};
  const auto index = static_cast<std::size_t>(pair);
  const ClockHand& hand = m_hands[index];
  QString text = tr("pair %1, wavelength %2 tokens\nangle %3 rad = %4 turns (plain %5 rad)")
                     .arg(pair)
                     .arg(number(m_current.rows[index].wavelength), number(hand.angle),
                          number(hand.angle / kTurn), number(m_plainHands[index].angle));
  text += hand.trainedSweep >= kTurn
              ? tr("\nwent round in training: every direction is known")
              : tr("\ntraining showed 0 to %1 rad").arg(number(hand.trainedSweep));
  return hand.unseen ? text + tr("\nthis angle was never seen") : text;
}

PlotTable AngleViewModel::clockTable() const {
  PlotTable table;
  addColumn(table, tr("pair"), m_plain.rows,
            [](const AngleRow& row) { return static_cast<double>(row.index); });
  const auto angle = [](const ClockHand& hand) { return hand.angle; };
  addColumn(table, tr("angle at %1 [rad]").arg(m_position), m_hands, angle);
  addColumn(table, tr("angle mod 2π [rad]"), m_hands,
            [](const ClockHand& hand) { return hand.direction; });
  addColumn(table, tr("known from training up to [rad]"), m_hands,
            [](const ClockHand& hand) { return hand.trainedSweep; });
  addColumn(table, tr("unseen [1: yes]"), m_hands,
            [](const ClockHand& hand) { return hand.unseen ? 1.0 : 0.0; });
  addColumn(table, tr("plain angle at %1 [rad]").arg(m_position), m_plainHands, angle);
  addColumn(table, tr("plain unseen [1: yes]"), m_plainHands,
            [](const ClockHand& hand) { return hand.unseen ? 1.0 : 0.0; });
  return table;
}

PlotTable AngleViewModel::table() const {
  PlotTable table;
  const auto add = [&table](const QString& title, const std::vector<AngleRow>& rows, auto value) {
    addColumn(table, title, rows, value);
  };
  const auto frequency = [](const AngleRow& row) { return row.invFreq; };
  const auto wavelength = [](const AngleRow& row) { return row.wavelength; };
  const auto turns = [](const AngleRow& row) { return row.turnsInTrainedLength; };
  const auto scale = [](const AngleRow& row) { return row.scale.value_or(kNone); };
  const auto angle = [](const AngleRow& row) { return row.angle; };
  const auto wrapped = [](const AngleRow& row) { return wrapAngle(row.angle); };
  const auto& plain = m_plain.rows;
  const auto& rows = m_current.rows;
  add(tr("pair"), plain, [](const AngleRow& row) { return static_cast<double>(row.index); });
  add(tr("plain frequency [rad/token]"), plain, frequency);
  add(tr("frequency [rad/token]"), rows, frequency);
  add(tr("plain wavelength [tokens]"), plain, wavelength);
  add(tr("wavelength [tokens]"), rows, wavelength);
  add(tr("turns in trained length"), rows, turns);
  add(tr("factor"), rows, scale);
  add(tr("plain angle at %1 [rad]").arg(m_position), plain, angle);
  add(tr("angle at %1 [rad]").arg(m_position), rows, angle);
  add(tr("plain angle mod 2π [rad]"), plain, wrapped);
  add(tr("angle mod 2π [rad]"), rows, wrapped);
  for (const AngleCurve& other : m_others) {
    add(tr("factor, %1").arg(other.title), other.rows, scale);
    add(tr("frequency, %1 [rad/token]").arg(other.title), other.rows, frequency);
    add(tr("wavelength, %1 [tokens]").arg(other.title), other.rows, wavelength);
    add(tr("turns in trained length, %1").arg(other.title), other.rows, turns);
    add(tr("angle, %1 [rad]").arg(other.title), other.rows, angle);
  }
  return table;
}

}  // namespace ropescope::ui
