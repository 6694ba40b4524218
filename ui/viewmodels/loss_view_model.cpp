#include "ui/viewmodels/loss_view_model.h"

#include <QLocale>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/tokenizer/tokenizer.h"
#include "ui/text/error_text.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/chat_model.h"
#include "ui/viewmodels/document_view_model.h"

namespace ropescope::ui {
namespace {

constexpr std::size_t kRows = 50;
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

LossViewModel::LossViewModel(AppModel& app, EngineRunner& runner, QObject* parent)
    : QObject(parent),
      m_app(app),
      m_runner(runner) {
  connect(&m_app, &AppModel::documentChanged, this, &LossViewModel::prepare);
  connect(&m_app, &AppModel::modelChanged, this, &LossViewModel::clear);
  connect(&m_app, &AppModel::busyChanged, this, &LossViewModel::changed);
}

void LossViewModel::clear() {
  stop();
  ++m_run;
  m_running = false;
  m_ids.clear();
  m_offsets.clear();
  m_sentences.clear();
  m_losses.clear();
  m_scored = 0;
  m_method.clear();
  m_problem.clear();
  refresh();
}

void LossViewModel::prepare() {
  clear();
  const auto document = m_app.document();
  if (!document || !m_app.engine() || document->plainIds.empty()) return;
  const auto tokenizer = m_app.engine()->tokenizer();
  if (!tokenizer) return;
  m_ids = document->plainIds;
  std::vector<ByteSpan> spans = document->plainSpans;
  if ((*tokenizer)->addsBos()) {
    m_ids.insert(m_ids.begin(), (*tokenizer)->bos());
    spans.insert(spans.begin(), ByteSpan{0, 0});
  }
  const std::string& text = document->document.text;
  m_offsets = tokenOffsets(text, spans, 0, static_cast<std::int64_t>(text.size()));
  m_sentences = sentencePassages(text, spans);
  m_fullColour = std::log(static_cast<double>(m_app.engine()->config().vocabularySize));
  refresh();
}

bool LossViewModel::canStart() const {
  return !m_running && m_ids.size() >= 2;
}

void LossViewModel::start() {
  if (!canStart()) return;
  m_losses.clear();
  m_scored = 0;
  m_problem.clear();
  const auto tokens = static_cast<std::int64_t>(m_ids.size());
  if (tokens > m_app.plannedContext()) {
    m_problem = tr("The document has %1 tokens, %2 are planned. Plan at least %1 tokens in the "
                   "method panel.")
                    .arg(tokensText(tokens), tokensText(m_app.plannedContext()));
    return refresh();
  }
  m_method = methodText(*m_app.plan(), m_app.method());
  m_losses.assign(m_ids.size(), kNone);
  m_running = true;
  const std::uint64_t run = ++m_run;
  const auto sink = m_runner.stream<std::vector<Block>>(
      this, [this, run](const std::vector<Block>& blocks) { take(run, blocks); },
      [](std::vector<Block>& waiting, std::vector<Block>&& next) {
        for (Block& block : next) waiting.push_back(std::move(block));
      });
  SessionOptions options = m_app.recipe().options;
  options.captureLayers.clear();  // nothing is drawn from this session
  m_runner.startLong<Done>(
      this, Lane::Losses, SameLane::Replace,
      [options, ids = m_ids, sink](EngineRoom& room, const JobControl& job) -> Status {
        if (!room.engine) {
          return Error{ErrorCode::InvalidArgument, "no model is loaded; open a model folder first"};
        }
        auto session = room.engine->newSession(options);
        if (!session) return session.error();
        const auto collect = [&](std::int64_t first, std::span<const double> nll) {
          sink({Block{first + 1, {nll.begin(), nll.end()}}});
        };
        const auto score = (*session)->score(ids, collect, job);
        if (!score) return score.error();
        return Done{};
      },
      [this, run](const Status& status) { finish(run, status); });
  refresh();
}

void LossViewModel::stop() {
  if (m_running) m_runner.stop(Lane::Losses);
}

void LossViewModel::take(std::uint64_t run, const std::vector<Block>& blocks) {
  if (run != m_run) return;
  for (const Block& block : blocks) {
    std::copy(block.nll.begin(), block.nll.end(), m_losses.begin() + block.first);
    m_scored += static_cast<std::int64_t>(block.nll.size());
  }
  refresh();
}

void LossViewModel::finish(std::uint64_t run, const Status& status) {
  if (run != m_run) return;
  m_running = false;
  if (!status && status.error().code == ErrorCode::Cancelled) {
    m_problem = tr("Stopped after %1 tokens; these stay.").arg(tokensText(m_scored));
  } else if (!status) {
    m_problem = errorSentence(status.error());
  }
  refresh();
}

void LossViewModel::refresh() {
  std::vector<PassageRow> rows;
  m_shades.reset();
  if (m_scored > 0) {
    const auto means = passageMeans(m_sentences, m_losses, kLeastTokens);
    const std::string& text = m_app.document()->document.text;
    for (const std::size_t i : largest(means, kRows)) {
      const TokenPassage& each = m_sentences[i];
      const TokenRange tokens{each.firstToken, each.endToken};
      const auto length = static_cast<std::size_t>(each.bytes.end - each.bytes.begin);
      rows.push_back({means[i], tokens, charactersOf(m_offsets, tokens),
                      oneLine(text.substr(static_cast<std::size_t>(each.bytes.begin), length))});
    }
    auto shades = std::make_shared<TextShades>();
    shades->offsets = m_offsets;
    for (const double loss : m_losses) {
      shades->levels.push_back(static_cast<float>(std::min(1.0, loss / m_fullColour)));
    }
    m_shades = std::move(shades);
  }
  m_worst.setRows(PassageValue::Nats, tr("nats / token"), std::move(rows));
  Q_EMIT changed();
}

double LossViewModel::meanLoss() const {
  if (m_scored == 0) return kNone;
  double sum = 0.0;
  for (const double loss : m_losses) sum += std::isnan(loss) ? 0.0 : loss;
  return sum / static_cast<double>(m_scored);
}

QString LossViewModel::statusText() const {
  if (m_running && m_scored == 0) return tr("Waiting for the engine …");
  if (m_running) {
    return tr("%1 of %2 tokens scored")
        .arg(tokensText(m_scored), tokensText(static_cast<std::int64_t>(m_ids.size()) - 1));
  }
  if (!m_problem.isEmpty()) return m_problem;
  if (m_ids.empty()) return tr("Open a document first: its tokens are what is measured.");
  if (m_scored == 0)
    return tr("Measure reads the document once and keeps the loss of every token.");
  return {};
}

QString LossViewModel::caption() const {
  if (m_scored == 0) return {};
  const double mean = meanLoss();
  return tr("%1 · one pass, %2 tokens scored · mean %3 nats per token, perplexity %4")
      .arg(m_method, tokensText(m_scored), QLocale().toString(mean, 'f', 3),
           QLocale().toString(std::exp(mean), 'f', 2));
}

QString LossViewModel::tokenText(std::int64_t position) const {
  const auto at = static_cast<std::size_t>(position);
  if (position < 0 || at >= m_ids.size() || !m_app.engine()) return {};
  const auto tokenizer = m_app.engine()->tokenizer();
  return tokenizer ? QString::fromStdString((*tokenizer)->piece(m_ids[at])) : QString();
}

PlotTable LossViewModel::table() const {
  TableColumn position{.title = tr("position [token]")};
  TableColumn piece{.title = tr("token")};
  TableColumn loss{.title = tr("loss [nats]")};
  for (std::size_t i = 0; i < m_losses.size(); ++i) {
    position.numbers.push_back(static_cast<double>(i));
    piece.texts << tokenText(static_cast<std::int64_t>(i));
    loss.numbers.push_back(m_losses[i]);
  }
  return {.columns = {std::move(position), std::move(piece), std::move(loss)}};
}

}  // namespace ropescope::ui
