#include "ui/viewmodels/reading_view_model.h"

#include <QLocale>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/tokenizer/tokenizer.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

constexpr std::size_t kRows = 30;
constexpr float kNoLevel = std::numeric_limits<float>::quiet_NaN();
constexpr QLatin1String kViewKey("reading");
constexpr int kLongestQuote = 48;  // characters

double sumOf(const std::vector<double>& weights, const TokenRange& range) {
  const auto size = static_cast<std::int64_t>(weights.size());
  return std::accumulate(weights.begin() + std::min(range.begin, size),
                         weights.begin() + std::min(range.end, size), 0.0);
}

QString percent(double share) {
  return QLocale().toString(100.0 * share, 'f', 1) + QStringLiteral(" %");
}

// What the session must still hold behind the document: the question and what was written. The last
// token may have been written only.
bool holds(const Session& session, const ChatTurn& turn) {
  std::vector<std::int32_t> wanted = turn.questionIds;
  wanted.insert(wanted.end(), turn.result.ids.begin(), turn.result.ids.end());
  if (!turn.result.ids.empty()) wanted.pop_back();
  const auto tokens = session.tokens();
  const auto begin = static_cast<std::size_t>(turn.partTokens);
  return tokens.size() >= begin + wanted.size() &&
         std::equal(wanted.begin(), wanted.end(),
                    tokens.begin() + static_cast<std::ptrdiff_t>(begin));
}

std::int64_t promptTokens(const ChatTurn& turn) {
  return turn.partTokens + static_cast<std::int64_t>(turn.questionIds.size());
}

// Document tokens that stand in the prompt where they stand in the open document.
std::int64_t sharedTokens(const ChatTurn& turn) {
  return turn.cutTokens > 0 ? std::min(turn.cutTokens, turn.partTokens) : turn.partTokens;
}

}  // namespace

std::vector<int> answerOffsets(const ChatTurn& turn) {
  std::vector<ByteSpan> spans;
  std::int64_t begin = 0;
  for (const std::int64_t end : turn.result.ends) {
    spans.push_back({begin, end});
    begin = end;
  }
  const std::string& text = turn.result.text;
  std::vector<int> offsets = tokenOffsets(text, spans, 0, static_cast<std::int64_t>(text.size()));
  const QString whole = QString::fromStdString(text);
  const QString shown = whole.trimmed();
  const auto cut = static_cast<int>(shown.isEmpty() ? whole.size() : whole.indexOf(shown));
  for (int& offset : offsets) offset = std::clamp(offset - cut, 0, static_cast<int>(shown.size()));
  return offsets;
}

ReadingViewModel::ReadingViewModel(const Parts& parts, QObject* parent)
    : QObject(parent),
      m_parts(parts) {
  connect(&m_parts.app, &AppModel::planChanged, this, &ReadingViewModel::refresh);
  connect(&m_parts.chat, &ChatModel::modelReset, this, &ReadingViewModel::clear);
  // After the document's own view model, which works out where tokens lie.
  connect(&m_parts.document, &DocumentViewModel::documentChanged, this, [this] {
    const OpenDocument& open = *m_parts.app.document();
    m_sentences = sentencePassages(open.document.text, open.part.spans, open.part.contentBegin);
    clear();
  });
  const auto headsChanged = [this](HeadSetKind kind) {
    if (m_headsKind == kind) ask();
  };
  connect(&m_parts.heads, &HeadChoice::rankingChanged, this,
          [headsChanged] { headsChanged(HeadSetKind::Retrieval); });
  connect(&m_parts.heads, &HeadChoice::headChanged, this,
          [headsChanged] { headsChanged(HeadSetKind::One); });
}

void ReadingViewModel::selectAnswer(quint64 turn, const CharacterRange& characters) {
  ReadingSelection selection{.kind = ReadingSelection::Kind::Answer, .turn = turn, .tokens = {}};
  const ChatTurn* found = turnOf(selection);
  if (found == nullptr || found->state != ChatTurn::State::Finished) return;
  const auto written = static_cast<std::int64_t>(found->result.ids.size());
  if (written == 0) return;
  selection.tokens = characters.isEmpty() ? TokenRange{0, written}
                                          : piecesWithin(answerOffsets(*found), characters);
  if (selection.tokens.size() < 1) return;
  m_selection = selection;
  m_isNew = true;
  ask();
}

void ReadingViewModel::selectDocument(const CharacterRange& characters) {
  const TokenRange tokens = piecesWithin(m_parts.document.offsets(), characters);
  if (tokens.size() < 1) return;
  m_selection = {.kind = ReadingSelection::Kind::Document, .turn = 0, .tokens = tokens};
  ask();
}

void ReadingViewModel::clear() {
  m_selection = {};
  show({});
}

void ReadingViewModel::refresh() {
  const bool answer = m_selection.kind == ReadingSelection::Kind::Answer;
  const ChatTurn* turn = answer ? turnOf(m_selection) : nullptr;
  if (answer && turn != nullptr && turn->session == m_parts.app.sessionSerial()) return ask();
  clear();
}

void ReadingViewModel::setHeadsKind(HeadSetKind kind) {
  if (kind == m_headsKind) return;
  m_headsKind = kind;
  ask();
  Q_EMIT changed();
}

const ChatTurn* ReadingViewModel::turnOf(const ReadingSelection& selection) const {
  const auto& turns = m_parts.chat.turns();
  if (selection.kind == ReadingSelection::Kind::Answer) {
    const auto turn = std::find_if(turns.begin(), turns.end(),
                                   [&](const ChatTurn& each) { return each.id == selection.turn; });
    return turn == turns.end() ? nullptr : &*turn;
  }
  // The newest answer of this session is the one that may still be in its cache.
  const auto newest = std::find_if(turns.rbegin(), turns.rend(), [this](const ChatTurn& each) {
    return each.state == ChatTurn::State::Finished && each.session == m_parts.app.sessionSerial();
  });
  return newest == turns.rend() ? nullptr : &*newest;
}

HeadSet ReadingViewModel::chosenHeads(QString& text) const {
  const HeadChoice& choice = m_parts.heads;
  const HeadSet chosen = choice.set(m_headsKind);
  if (!chosen.isEmpty()) {
    text = choice.text(m_headsKind);
    return chosen;
  }
  text = choice.text(HeadSetKind::Mean) + tr(" (retrieval heads are not known yet)");
  return choice.set(HeadSetKind::Mean);
}

void ReadingViewModel::show(const QString& error) {
  m_parts.runner.dropViews(kViewKey);
  m_loading = false;
  m_reading.reset();
  m_shades.reset();
  m_answerShades.reset();
  m_shadedTurn = 0;
  m_error = error;
  m_passages.setRows(PassageValue::Share, tr("share"), {});
  Q_EMIT changed();
}

void ReadingViewModel::ask() {
  if (m_selection.kind == ReadingSelection::Kind::Nothing || !m_parts.app.engine()) return;
  const ChatTurn* turn = turnOf(m_selection);
  const bool answer = m_selection.kind == ReadingSelection::Kind::Answer;
  if (answer && (turn == nullptr || turn->session != m_parts.app.sessionSerial())) {
    return show(
        tr("This answer was written in another session, whose cache is gone. Ask the "
           "question again."));
  }
  QString headsText;
  const HeadSet heads = chosenHeads(headsText);
  TokenRange span = m_selection.tokens;
  if (answer) {
    const std::int64_t shift = promptTokens(*turn) - 1;  // token i is written at the one before
    span = {span.begin + shift, span.end + shift};
  }
  m_loading = true;
  m_parts.runner.requestView<Found>(
      kViewKey, this,
      [request = SpanRequest{span, heads}, answer, turn = turn == nullptr ? ChatTurn{} : *turn,
       serial = m_parts.app.sessionSerial()](EngineRoom& room,
                                             const JobControl& job) -> Result<Found> {
        const auto session = existingSession(room, serial);
        if (!session) return session.error();
        const bool held = !turn.questionIds.empty() && holds(**session, turn);
        if (answer && !held) {
          return Error{ErrorCode::NotFound,
                       "this answer is no longer in the cache; ask the question again"};
        }
        auto attention =
            answer ? attentionFrom(**session, request, job) : attentionTo(**session, request, job);
        if (!attention) return attention.error();
        return Found{*std::move(attention), held};
      },
      [this, selection = m_selection, headsText](const Result<Found>& found) {
        accept(selection, headsText, found);
      });
  Q_EMIT changed();
}

void ReadingViewModel::accept(const ReadingSelection& selection, const QString& heads,
                              const Result<Found>& found) {
  if (!(selection == m_selection)) return;
  if (!found) {
    if (found.error().code == ErrorCode::Cancelled) {
      m_loading = false;
      Q_EMIT changed();
      return;
    }
    return show(QString::fromStdString(found.error().message));
  }
  const ChatTurn* turn = turnOf(selection);
  auto reading = std::make_shared<Reading>();
  reading->selection = selection;
  reading->attention = found->attention;
  reading->heads = heads;
  if (found->holdsAnswer && turn != nullptr) {
    const std::int64_t prompt = promptTokens(*turn);
    reading->document = {0, sharedTokens(*turn)};
    reading->question = {sharedTokens(*turn), prompt};
    reading->answer = {prompt, prompt + static_cast<std::int64_t>(turn->result.ids.size())};
    reading->selection.turn = turn->id;
  } else {
    const std::int64_t read = static_cast<std::int64_t>(found->attention.weights.size());
    reading->document = {0, std::min(read, m_parts.app.document()->tokens())};
    reading->question = {reading->document.end, reading->document.end};
    reading->answer = reading->question;
  }
  m_loading = false;
  m_error.clear();
  m_reading = std::move(reading);
  fillShades();
  fillPassages();
  Q_EMIT changed();
  const bool first = std::exchange(m_isNew, false);
  if (first && selection.kind == ReadingSelection::Kind::Answer && m_passages.rowCount() > 0) {
    Q_EMIT strongestFound(m_passages.rows().front().characters);
  }
}

std::vector<double> ReadingViewModel::documentValues() const {
  if (!m_reading) return {};
  const auto& weights = m_reading->attention.weights;
  const auto end = std::min(static_cast<std::size_t>(m_reading->document.end), weights.size());
  std::vector<double> values(weights.begin(), weights.begin() + static_cast<std::ptrdiff_t>(end));
  const bool readBy = m_reading->selection.kind == ReadingSelection::Kind::Document;
  const auto first =
      static_cast<std::size_t>(readBy ? m_reading->selection.tokens.end : kFirstTokens);
  std::fill_n(values.begin(), std::min(first, values.size()),
              std::numeric_limits<double>::quiet_NaN());
  return values;
}

void ReadingViewModel::fillShades() {
  auto shades = std::make_shared<TextShades>();
  shades->offsets = m_parts.document.offsets();
  shades->levels = amountLevels(documentValues());
  m_shades = std::move(shades);
  m_answerShades.reset();
  m_shadedTurn = 0;
  const ChatTurn* turn = turnOf(m_reading->selection);
  if (m_reading->answer.size() < 1 || turn == nullptr) return;
  m_shadedTurn = turn->id;
  auto answer = std::make_shared<TextShades>();
  answer->offsets = answerOffsets(*turn);
  if (m_reading->selection.kind == ReadingSelection::Kind::Document) {
    const auto& weights = m_reading->attention.weights;
    const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(m_reading->answer.begin - 1);
    answer->levels =
        amountLevels({begin, begin + static_cast<std::ptrdiff_t>(turn->result.ids.size())});
  } else {
    answer->levels.assign(turn->result.ids.size(), kNoLevel);
    const TokenRange& tokens = m_reading->selection.tokens;
    std::fill_n(answer->levels.begin() + tokens.begin, tokens.size(), 1.0F);
  }
  m_answerShades = std::move(answer);
}

void ReadingViewModel::fillPassages() {
  const bool readBy = m_reading->selection.kind == ReadingSelection::Kind::Document;
  std::vector<double> values = documentValues();
  for (double& value : values) value = std::isnan(value) && !readBy ? 0.0 : value;
  const auto numbers =
      readBy ? passageMeans(m_sentences, values, 1) : passageSums(m_sentences, values);
  const double whole = readBy ? 1.0 : sumOf(values, {0, static_cast<std::int64_t>(values.size())});
  const std::string& text = m_parts.app.document()->document.text;
  std::vector<PassageRow> rows;
  for (const std::size_t i : largest(numbers, kRows)) {
    const TokenPassage& each = m_sentences[i];
    const TokenRange tokens{each.firstToken, each.endToken};
    rows.push_back(
        {numbers[i] / whole, tokens, charactersOf(m_parts.document.offsets(), tokens),
         oneLine(text.substr(static_cast<std::size_t>(each.bytes.begin),
                             static_cast<std::size_t>(each.bytes.end - each.bytes.begin)))});
  }
  m_passages.setRows(PassageValue::Share, readBy ? tr("weight") : tr("share"), std::move(rows));
}

QString ReadingViewModel::selectedText() const {
  QString text;
  if (m_selection.kind == ReadingSelection::Kind::Answer) {
    const ChatTurn* turn = turnOf(m_selection);
    if (turn == nullptr) return {};
    const CharacterRange range = charactersOf(answerOffsets(*turn), m_selection.tokens);
    text = turn->answer.trimmed().mid(range.begin, range.end - range.begin);
  } else {
    const CharacterRange range = charactersOf(m_parts.document.offsets(), m_selection.tokens);
    text = m_parts.document.text().mid(range.begin, range.end - range.begin);
  }
  text = text.simplified();
  if (text.size() > kLongestQuote) text = text.left(kLongestQuote) + QStringLiteral(" …");
  return text;
}

QString ReadingViewModel::title() const {
  switch (m_selection.kind) {
    case ReadingSelection::Kind::Answer:
      return tr("Read while “%1” was written").arg(selectedText());
    case ReadingSelection::Kind::Document:
      return tr("What reads “%1”").arg(selectedText());
    case ReadingSelection::Kind::Nothing:
      break;
  }
  return tr("Nothing is selected");
}

QString ReadingViewModel::detail() const {
  if (!m_reading) return {};
  QStringList parts{tr("Heads: %1").arg(m_reading->heads)};
  const SpanAttention& attention = m_reading->attention;
  if (attention.leftOutHeads > 0) {
    parts << tr("%n head(s) left out, their layers were not captured", nullptr,
                attention.leftOutHeads);
  }
  if (m_reading->selection.kind == ReadingSelection::Kind::Answer) {
    const TokenRange first{0, kFirstTokens};
    const TokenRange document{kFirstTokens, m_reading->document.end};
    const TokenRange answer{m_reading->answer.begin,
                            static_cast<std::int64_t>(attention.weights.size())};
    parts << tr("weight on the document %1, the question %2, the answer itself %3, the first %4 "
                "tokens %5")
                 .arg(percent(sumOf(attention.weights, document)),
                      percent(sumOf(attention.weights, m_reading->question)),
                      percent(sumOf(attention.weights, answer)))
                 .arg(kFirstTokens)
                 .arg(percent(sumOf(attention.weights, first)));
    parts << tr("shares are of the document's");
  } else {
    parts << tr(
        "weight that each later token gives to the selection, mean per token of a sentence");
  }
  return parts.join(QStringLiteral(" · "));
}

QString ReadingViewModel::message() const {
  if (!m_error.isEmpty()) return m_error;
  if (m_reading) return {};
  if (m_loading) return tr("Adding up …");
  return tr(
      "Click an answer, or select a part of it, to see where it was read from; select a part "
      "of the document to see what reads it.");
}

PlotTable ReadingViewModel::table() const {
  PlotTable table;
  if (!m_reading) return table;
  TableColumn position{.title = tr("position [token]")};
  TableColumn piece{.title = tr("token")};
  TableColumn weight{.title = tr("weight")};
  const auto tokenizer = m_parts.app.engine()->tokenizer();
  const auto& ids = m_parts.app.document()->part.ids;
  const auto& weights = m_reading->attention.weights;
  const auto end =
      std::min({static_cast<std::size_t>(m_reading->document.end), weights.size(), ids.size()});
  for (std::size_t i = 0; i < end; ++i) {
    position.numbers.push_back(static_cast<double>(i));
    piece.texts << (tokenizer ? QString::fromStdString((*tokenizer)->piece(ids[i])) : QString());
    weight.numbers.push_back(weights[i]);
  }
  table.columns = {std::move(position), std::move(piece), std::move(weight)};
  return table;
}

}  // namespace ropescope::ui
