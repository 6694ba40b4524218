// The two tokens that the window's views talk about: a query and a key that it sees.
//
// Shared UI state, owned by the window: maps and texts set it by click, views follow it.
#pragma once

#include <QObject>
#include <cstdint>

namespace ropescope::ui {

class TokenChoice : public QObject {
  Q_OBJECT

 public:
  explicit TokenChoice(QObject* parent = nullptr) : QObject(parent) {}

  bool isSet() const { return m_query >= 0; }
  std::int64_t query() const { return m_query; }  // position in the prompt; -1: nothing is chosen
  std::int64_t key() const { return m_key; }      // at most query()
  std::int64_t distance() const { return m_query - m_key; }  // tokens

  // A token sees itself and earlier ones: the later of the two becomes the query.
  void choose(std::int64_t one, std::int64_t other);
  // A click on one token of a text: the first one waits, the second one completes the pair.
  void pick(std::int64_t position);
  std::int64_t picked() const { return m_picked; }  // the one that waits; -1: none
  void clear();                                     // another document

 Q_SIGNALS:
  void changed();        // query() or key()
  void pickedChanged();  // picked()

 private:
  void setPicked(std::int64_t position);

  std::int64_t m_query = -1;
  std::int64_t m_key = -1;
  std::int64_t m_picked = -1;
};

}  // namespace ropescope::ui
