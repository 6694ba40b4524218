#include "ui/viewmodels/perplexity_view_model.h"

#include <QLocale>
#include <QPointer>
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/eval/wide_csv.h"
#include "ui/text/curve_title.h"

namespace ropescope::ui {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

QString countText(std::int64_t count) {
  return QLocale().toString(static_cast<qlonglong>(count));
}

PerplexityLine lineOf(const PerplexityCurve& curve) {
  PerplexityLine line{.title = curveTitle(curve)};
  for (const PerplexityPoint& point : curve.points) {
    line.lengths << static_cast<double>(point.length);
    line.perplexities << point.perplexity;
    line.errors << point.standardError.value_or(0.0);
    line.hasErrors = line.hasErrors || point.standardError.has_value();
    line.details << QObject::tr("scored tokens: %1, documents: %2")
                        .arg(countText(point.scoredTokens), countText(point.documents));
  }
  return line;
}

PerplexityLine lineOf(const PublishedCurve& curve) {
  PerplexityLine line{.title = QString::fromStdString(curve.name)};
  const QString about =
      QObject::tr("Model: %1\nText: %2\nProtocol: %3\nSource: %4")
          .arg(QString::fromStdString(curve.model), QString::fromStdString(curve.dataset),
               QString::fromStdString(publishedProtocolText(curve)),
               QString::fromStdString(curve.source));
  for (const PublishedPoint& point : curve.points) {
    line.lengths << static_cast<double>(point.length);
    line.perplexities << point.perplexity;
    line.errors << 0.0;
    if (point.above) {
      line.aboveLengths << static_cast<double>(point.length);
      line.aboveValues << point.perplexity;
    }
    line.details << (point.above ? QObject::tr("The source only says: above this.\n") + about
                                 : about);
  }
  return line;
}

// The columns of the table, filled row by row.
struct CurveTable {
  TableColumn method{.title = QObject::tr("method")};
  TableColumn length{.title = QObject::tr("length [tokens]")};
  TableColumn perplexity{.title = QObject::tr("perplexity")};
  TableColumn error{.title = QObject::tr("standard error")};
  TableColumn meanTo{.title = QObject::tr("mean loss to length [nats]")};
  TableColumn bin{.title = QObject::tr("mean loss in bin [nats]")};
  TableColumn scored{.title = QObject::tr("scored tokens")};
  TableColumn documents{.title = QObject::tr("documents")};
  TableColumn protocol{.title = QObject::tr("protocol")};

  void add(const PerplexityCurve& curve, const QString& under) {
    for (const PerplexityPoint& point : curve.points) {
      method.texts << QString::fromStdString(curve.settings.label);
      length.numbers.push_back(static_cast<double>(point.length));
      perplexity.numbers.push_back(point.perplexity);
      error.numbers.push_back(point.standardError.value_or(kNone));
      meanTo.numbers.push_back(point.nllMeanTo);
      bin.numbers.push_back(point.nllBin.value_or(kNone));
      scored.numbers.push_back(static_cast<double>(point.scoredTokens));
      documents.numbers.push_back(point.documents);
      protocol.texts << under;
    }
  }

  void add(const PublishedCurve& curve) {
    for (const PublishedPoint& point : curve.points) {
      const QString name = QString::fromStdString(curve.name);
      method.texts << (point.above ? QObject::tr("published: %1 (above)").arg(name)
                                   : QObject::tr("published: %1").arg(name));
      length.numbers.push_back(static_cast<double>(point.length));
      perplexity.numbers.push_back(point.perplexity);
      for (TableColumn* column : {&error, &meanTo, &bin, &scored, &documents}) {
        column->numbers.push_back(kNone);
      }
      protocol.texts << QString::fromStdString(publishedProtocolText(curve));
    }
  }
};

}  // namespace

std::optional<CurveValue> valueAt(const PerplexityLine& line, double length) {
  const auto next = std::lower_bound(line.lengths.begin(), line.lengths.end(), length);
  if (next == line.lengths.end()) return std::nullopt;
  const auto i = next - line.lengths.begin();
  if (*next == length) return CurveValue{.perplexity = line.perplexities[i], .measured = true};
  if (i == 0) return std::nullopt;
  const double share =
      std::log(length / line.lengths[i - 1]) / std::log(line.lengths[i] / line.lengths[i - 1]);
  const double before = std::log(line.perplexities[i - 1]);  // mean losses
  const double after = std::log(line.perplexities[i]);
  return CurveValue{.perplexity = std::exp(before + share * (after - before))};
}

PerplexityViewModel::PerplexityViewModel(std::filesystem::path calibrations, QObject* parent)
    : QObject(parent),
      m_inputs(std::move(calibrations)) {
  connect(&m_inputs, &PerplexityInputs::changed, this, &PerplexityViewModel::inputsChanged);
}

void PerplexityViewModel::setStarter(Starter start, std::function<void()> stop) {
  m_start = std::move(start);
  m_stop = std::move(stop);
}

void PerplexityViewModel::setDocument(std::vector<std::int32_t> ids, const QString& name) {
  m_inputs.setDocument(std::move(ids), name);
  Q_EMIT stateChanged();
  if (m_curves.empty()) Q_EMIT curvesChanged();
}

void PerplexityViewModel::setModel(std::int64_t trainedLength, bool addsBos,
                                   const std::string& hash) {
  m_inputs.setModel(trainedLength, addsBos, hash);
  Q_EMIT curvesChanged();
}

void PerplexityViewModel::showPublished(std::vector<PublishedCurve> curves) {
  m_published = std::move(curves);
  Q_EMIT curvesChanged();
}

void PerplexityViewModel::clearCurves() {
  m_curves.clear();
  setStatus({}, false);
  Q_EMIT curvesChanged();
}

void PerplexityViewModel::start() {
  if (m_state != State::Idle || !m_start) return;
  const auto order = m_inputs.order();
  if (!order) return setStatus(QString::fromStdString(order.error().message), true);
  m_config = order->config;
  m_measuredName = m_inputs.documentsText();
  m_ordered = order->curves.size();
  m_curves.clear();
  m_state = State::Running;
  setStatus(tr("Waiting for the engine …"), false);
  Q_EMIT curvesChanged();
  const QPointer<PerplexityViewModel> alive(this);
  m_start(*order, {.onCurve =
                       [alive](std::size_t index, const PerplexityCurve& curve) {
                         if (alive) alive->acceptCurve(index, curve);
                       },
                   .onDone =
                       [alive](const Status& status) {
                         if (alive) alive->finish(status);
                       }});
}

void PerplexityViewModel::stop() {
  if (m_state != State::Running) return;
  m_state = State::Stopping;
  setStatus(tr("Stopping …"), false);
  if (m_stop) m_stop();
}

void PerplexityViewModel::setProgress(const Progress& progress) {
  if (m_state != State::Running || progress.total <= 0) return;
  const std::size_t at = std::max<std::size_t>(1, m_curves.size());
  const bool started = !m_curves.empty() && !m_curves.back().points.empty();
  const QString title = started ? curveTitle(m_curves.back()) : QString();
  setStatus(tr("Curve %1 of %2 %3: %4 of %5 tokens")
                .arg(at)
                .arg(m_ordered)
                .arg(title.isEmpty() ? title : tr("(%1)").arg(title), countText(progress.done),
                     countText(progress.total)),
            false);
}

void PerplexityViewModel::acceptCurve(std::size_t index, const PerplexityCurve& curve) {
  if (m_curves.size() <= index) m_curves.resize(index + 1);
  m_curves[index] = curve;
  Q_EMIT curvesChanged();
}

void PerplexityViewModel::finish(const Status& status) {
  m_state = State::Idle;
  if (status) {
    setStatus(tr("Done: %1 of %2 curves.").arg(m_curves.size()).arg(m_ordered), false);
  } else if (status.error().code == ErrorCode::Cancelled) {
    setStatus(tr("Stopped. The points so far stand."), false);
  } else {
    setStatus(QString::fromStdString(status.error().message), true);
  }
}

void PerplexityViewModel::showRecorded(std::vector<PerplexityCurve> curves,
                                       const QStringList& titles, std::vector<std::int64_t> lengths,
                                       const QString& protocol) {
  m_curves = std::move(curves);
  m_recordedTitles = titles;
  m_config.lengths = std::move(lengths);
  m_recordedProtocol = protocol;
  Q_EMIT curvesChanged();
}

void PerplexityViewModel::setStatus(const QString& text, bool failed) {
  m_status = text;
  m_failed = failed;
  Q_EMIT stateChanged();
}

QString PerplexityViewModel::protocolText() const {
  if (m_curves.empty()) return {};
  if (!m_recordedProtocol.isEmpty()) return m_recordedProtocol;
  const QString protocol =
      QString::fromStdString(ropescope::protocolText(m_config, m_inputs.addsBos()));
  return m_measuredName.isEmpty() ? protocol : tr("%1: %2").arg(m_measuredName, protocol);
}

QString PerplexityViewModel::publishedWarning() const {
  if (m_published.empty()) return {};
  QStringList others;  // under another protocol than what is shown
  QStringList protocols;
  const PerplexityConfig config = shownConfig();
  for (const PublishedCurve& curve : m_published) {
    const QString name = QString::fromStdString(curve.name);
    if (!protocolDifference(curve, config).empty()) others << name;
    protocols << QString::fromStdString(publishedProtocolText(curve));
  }
  protocols.removeDuplicates();
  const QString all = tr("⚠ Published (%1): other models, tokenizers and texts; read their shapes, "
                         "do not compare their values.")
                          .arg(protocols.join(QStringLiteral("; ")));
  if (others.isEmpty()) return all;
  constexpr int kMostNamed = 2;
  const QString named = others.mid(0, kMostNamed).join(QStringLiteral(", "));
  const auto more = static_cast<int>(others.size()) - kMostNamed;
  return all + u' ' +
         tr("Another protocol than measured here: %1.")
             .arg(more > 0 ? tr("%1 and %n more", nullptr, more).arg(named) : named);
}

PerplexityConfig PerplexityViewModel::shownConfig() const {
  return m_curves.empty() && m_state == State::Idle ? m_inputs.config() : m_config;
}

std::vector<std::int64_t> PerplexityViewModel::shownLengths() const {
  if (m_curves.empty() && m_state == State::Idle) return m_inputs.defaultLengthList();
  return m_config.lengths;
}

double PerplexityViewModel::shortestLength() const {
  const auto lengths = shownLengths();
  double shortest = lengths.empty() ? 0.0 : static_cast<double>(lengths.front());
  for (const PublishedCurve& curve : m_published) {
    const auto first = static_cast<double>(curve.points.front().length);
    shortest = shortest > 0.0 ? std::min(shortest, first) : first;
  }
  return shortest;
}

double PerplexityViewModel::longestLength() const {
  const auto lengths = shownLengths();
  double longest = lengths.empty() ? 0.0 : static_cast<double>(lengths.back());
  for (const PublishedCurve& curve : m_published) {
    longest = std::max(longest, static_cast<double>(curve.points.back().length));
  }
  return longest;
}

std::vector<PerplexityLine> PerplexityViewModel::lines() const {
  std::vector<PerplexityLine> lines;
  for (const PerplexityCurve& curve : m_curves) lines.push_back(lineOf(curve));
  for (qsizetype i = 0; i < m_recordedTitles.size(); ++i) {
    lines[static_cast<std::size_t>(i)].title = m_recordedTitles[i];
  }
  return lines;
}

std::vector<PerplexityLine> PerplexityViewModel::publishedLines() const {
  std::vector<PerplexityLine> lines;
  for (const PublishedCurve& curve : m_published) lines.push_back(lineOf(curve));
  return lines;
}

PlotTable PerplexityViewModel::table() const {
  CurveTable table;
  const QString protocol = QString::fromUtf8(protocolName(m_config.protocol).data());
  for (const PerplexityCurve& curve : m_curves) table.add(curve, protocol);
  for (const PublishedCurve& curve : m_published) table.add(curve);
  return {{table.method, table.length, table.perplexity, table.error, table.meanTo, table.bin,
           table.scored, table.documents, table.protocol}};
}

QString PerplexityViewModel::wideCsvText() const {
  std::vector<WideCurve> rows;
  for (const PerplexityCurve& curve : m_curves) {
    WideCurve row{.name = curve.settings.label, .points = {}};
    for (const PerplexityPoint& point : curve.points) {
      row.points.push_back({.length = point.length, .perplexity = point.perplexity});
    }
    rows.push_back(std::move(row));
  }
  return QString::fromStdString(wideCsv(rows));
}

}  // namespace ropescope::ui
