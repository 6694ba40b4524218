#include "ui/viewmodels/document_view_model.h"

#include <algorithm>

#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

bool startsCharacter(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}
bool needsSurrogates(char byte) {
  return static_cast<unsigned char>(byte) >= 0xF0U;
}

}  // namespace

std::vector<int> tokenOffsets(const std::string& text, const std::vector<ByteSpan>& spans,
                              std::int64_t begin, std::int64_t end) {
  std::vector<int> offsets;
  offsets.reserve(spans.size() + 1);
  std::int64_t byte = begin;
  int character = 0;
  const auto advanceTo = [&](std::int64_t target) {
    for (; byte < std::min(target, end); ++byte) {
      const char here = text[static_cast<std::size_t>(byte)];
      const bool crlf =
          here == '\r' && byte + 1 < end && text[static_cast<std::size_t>(byte) + 1] == '\n';
      if (startsCharacter(here) && !crlf) character += needsSurrogates(here) ? 2 : 1;
    }
    return character;
  };
  for (const ByteSpan& span : spans) offsets.push_back(advanceTo(span.begin));
  offsets.push_back(advanceTo(spans.empty() ? begin : spans.back().end));
  return offsets;
}

DocumentViewModel::DocumentViewModel(AppModel& app, QObject* parent) : QObject(parent), m_app(app) {
  connect(&m_app, &AppModel::documentChanged, this, &DocumentViewModel::adoptDocument);
  connect(&m_app, &AppModel::planChanged, this, &DocumentViewModel::ledgerChanged);
  connect(&m_app, &AppModel::ledgerChanged, this, &DocumentViewModel::ledgerChanged);
  connect(&m_app, &AppModel::sessionAdvanced, this, &DocumentViewModel::ledgerChanged);
  connect(&m_app, &AppModel::busyChanged, this, &DocumentViewModel::ledgerChanged);
}

void DocumentViewModel::adoptDocument() {
  const auto& open = *m_app.document();
  const auto begin = open.part.contentBegin;
  m_offsets = tokenOffsets(open.part.text, open.part.spans, begin,
                           begin + static_cast<std::int64_t>(open.document.text.size()));
  emit documentChanged();
  emit ledgerChanged();
}

QString DocumentViewModel::title() const {
  if (!m_app.document()) return tr("No document");
  return QString::fromStdString(m_app.document()->document.path.filename().string());
}

QString DocumentViewModel::text() const {
  return m_app.document() ? QString::fromStdString(m_app.document()->document.text) : QString();
}

int DocumentViewModel::tokenAt(int character) const {
  const auto after = std::upper_bound(m_offsets.begin(), m_offsets.end(), character);
  if (after == m_offsets.begin() || after == m_offsets.end()) return -1;
  return static_cast<int>(after - m_offsets.begin()) - 1;
}

Ledger DocumentViewModel::ledger() const {
  return {.document = m_app.document() ? m_app.document()->tokens() : 0,
          .question = m_questionTokens,
          .answer = m_app.answerTokens(),
          .planned = m_app.plannedContext(),
          .trained = m_app.engine() ? m_app.engine()->config().trainedLength : 0};
}

QString DocumentViewModel::ledgerText() const {
  const Ledger now = ledger();
  return tr("document %1 + question %2 + answer %3 = %4 of %5 planned tokens (trained %6)")
      .arg(tokensText(now.document), tokensText(now.question), tokensText(now.answer),
           tokensText(now.total()), tokensText(now.planned), tokensText(now.trained));
}

QString DocumentViewModel::fitText() const {
  const Ledger now = ledger();
  if (now.planned == 0) return tr("No model is loaded yet.");
  if (!now.fits()) {
    return tr("Too long by %1 tokens. Nothing is cut: plan at least %2 tokens in the method panel, "
              "or shorten the answer.")
        .arg(tokensText(now.total() - now.planned), tokensText(now.total()));
  }
  return tr("It fits; %1 tokens are left.").arg(tokensText(now.planned - now.total()));
}

QString DocumentViewModel::readText() const {
  if (!m_app.document()) return {};
  const std::int64_t tokens = m_app.document()->tokens();
  const std::int64_t read = std::min(m_app.position(), tokens);
  if (read == 0) return tr("Not read yet");
  if (read < tokens) return tr("Read: %1 of %2 tokens").arg(tokensText(read), tokensText(tokens));
  return tr("Read: all %1 tokens").arg(tokensText(tokens));
}

bool DocumentViewModel::canRead() const {
  return m_app.document() && m_app.position() < m_app.document()->tokens() &&
         m_app.refusal(0).isEmpty();
}

void DocumentViewModel::setQuestionTokens(std::int64_t tokens) {
  if (tokens == m_questionTokens) return;
  m_questionTokens = tokens;
  emit ledgerChanged();
}

}  // namespace ropescope::ui
