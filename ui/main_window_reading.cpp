// Document and answers linked: what is selected in one is coloured in the other.
#include <QLocale>

#include "ui/main_window.h"
#include "ui/panels/chat_panel.h"
#include "ui/panels/reading_panel.h"

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
    const QString legend = m_loss.scored() == 0
                               ? m_loss.statusText()
                               : tr("full colour: %1 nats, what guessing costs")
                                     .arg(QLocale().toString(m_loss.fullColour(), 'f', 1));
    m_shading.setShades(ShadeBy::Loss, m_loss.shades(), legend);
  });
}

}  // namespace ropescope::ui
