// Document and answers linked: what is selected in one is coloured in the other.
#include <QLocale>

#include "ui/main_window.h"
#include "ui/panels/chat_panel.h"
#include "ui/panels/perplexity_panel.h"
#include "ui/panels/reading_panel.h"
#include "ui/plots/perplexity_plot.h"

namespace ropescope::ui {

void MainWindow::connectReading() {
  connect(m_chatPanel, &ChatPanel::answerSelected, this,
          [this](quint64 turn, const CharacterRange& characters) {
            m_shading.setMode(ShadeBy::Attention);
            m_reading.selectAnswer(turn, characters);
          });
  // A selection in the document is there to be copied too: it asks only where its answer is seen.
  connect(&m_shading, &TextShading::selected, this, [this](const CharacterRange& characters) {
    const bool shown = m_readingPanel->isVisible();
    if (!shown && m_shading.mode() != ShadeBy::Attention) return;
    m_shading.setMode(ShadeBy::Attention);
    m_reading.selectDocument(characters);
  });
  connect(&m_reading, &ReadingViewModel::changed, this, [this] {
    const bool idle = m_reading.selection().kind == ReadingSelection::Kind::Nothing;
    m_shading.setShades(ShadeBy::Attention, m_reading.documentShades(),
                        idle ? tr("Click an answer in the chat.") : m_reading.title());
    m_chatPanel->shadeAnswer(m_reading.shadedTurn(), m_reading.answerShades());
  });
  connect(&m_reading, &ReadingViewModel::strongestFound, &m_shading, &TextShading::reveal);
  connect(&m_loss, &LossViewModel::changed, this, [this] {
    const QString legend =
        m_loss.scored() == 0
            ? m_loss.statusText()
            : tr("%1 · full colour: %2 nats, what guessing costs")
                  .arg(m_loss.method(), QLocale().toString(m_loss.fullColour(), 'f', 1));
    m_shading.setShades(ShadeBy::Loss, m_loss.shades(), legend);
  });
  // A length under the mouse is the last token of a text so long, BOS counted as it is measured.
  connect(m_perplexity, &PerplexityPanel::positionHovered, this, [this](qint64 tokens) {
    const CharacterRange last = charactersOf(m_loss.offsets(), {tokens - 1, tokens});
    if (last.isEmpty()) return m_shading.mark({});
    m_shading.reveal(last);
  });
  connect(&m_shading, &TextShading::pointed, this, [this](int character) {
    const std::int64_t token = pieceAt(m_loss.offsets(), character);
    const qint64 chosen = m_focus.isChosen() ? m_focus.length() : 0;
    m_perplexity->curvePlot().setCursor(token >= 0 ? token + 1 : chosen);
  });
}

}  // namespace ropescope::ui
