// What the document's text is coloured by, and where its reader points: shared by the text, the
// strip beside it, and the views whose numbers it shows. Owned by the window.
#pragma once

#include <QObject>
#include <QString>
#include <array>
#include <memory>
#include <vector>

#include "core/probe/attention_map.h"

namespace ropescope::ui {

// Characters (UTF-16, as QTextDocument counts); half-open.
struct CharacterRange {
  int begin = 0;
  int end = 0;
  bool isEmpty() const { return begin >= end; }
  bool operator==(const CharacterRange&) const = default;
};

// Pieces that a range of characters touches, given where pieces begin (as TextShades::offsets).
TokenRange piecesWithin(const std::vector<int>& offsets, const CharacterRange& range);
// The piece that holds a character; -1: none.
std::int64_t pieceAt(const std::vector<int>& offsets, int character);
CharacterRange charactersOf(const std::vector<int>& offsets, const TokenRange& pieces);

// How strongly each piece of a text is coloured.
struct TextShades {
  std::vector<int> offsets;   // where pieces begin, ascending, and the end of the last one
  std::vector<float> levels;  // one per piece, 0 … 1; NaN: no colour
};

enum class ShadeBy { Nothing, Attention, Loss };

class TextShading : public QObject {
  Q_OBJECT

 public:
  explicit TextShading(QObject* parent = nullptr) : QObject(parent) {}

  ShadeBy mode() const { return m_mode; }
  void setMode(ShadeBy mode);

  // Null takes the colours away. `legend` says what full colour means.
  void setShades(ShadeBy kind, std::shared_ptr<const TextShades> shades, const QString& legend);
  // Of the current mode; null: nothing to colour.
  const std::shared_ptr<const TextShades>& shades() const { return source(m_mode).shades; }
  const QString& legend() const { return source(m_mode).legend; }

  // A view points at a piece of the text; empty: at none.
  const CharacterRange& marked() const { return m_marked; }
  void mark(const CharacterRange& range);
  void reveal(const CharacterRange& range);  // marks it and brings it into view

  // From the text: the pointer is on a character (-1: left it); a part was selected.
  void pointAt(int character);
  void select(const CharacterRange& range);

 Q_SIGNALS:
  void changed();  // mode, shades, legend
  void markChanged();
  void revealed(const ropescope::ui::CharacterRange& range);
  void pointed(int character);
  void selected(const ropescope::ui::CharacterRange& range);

 private:
  struct Source {
    std::shared_ptr<const TextShades> shades;
    QString legend;
  };
  const Source& source(ShadeBy kind) const { return m_sources[static_cast<std::size_t>(kind)]; }

  ShadeBy m_mode = ShadeBy::Nothing;
  std::array<Source, 3> m_sources;  // by ShadeBy
  CharacterRange m_marked;
  int m_pointed = -1;
};

// Levels of weights that span powers of ten: 1 for the largest, 0 two powers of ten below it; none
// for what is smaller still, NaN or 0.
std::vector<float> amountLevels(const std::vector<double>& values);

// The largest level of every slice when a text of `characters` is cut into `slices` equal ones: a
// single coloured piece shows in the strip wherever it stands. NaN where nothing is coloured.
std::vector<float> stripLevels(const TextShades& shades, int characters, int slices);

}  // namespace ropescope::ui
