// The context length that the reader points at: one slider moves every view that has a length.
#pragma once

#include <QObject>

namespace ropescope::ui {

class ContextFocus : public QObject {
  Q_OBJECT

 public:
  static constexpr qint64 kShortest = 256;  // tokens; less when maximum() is less

  explicit ContextFocus(QObject* parent = nullptr) : QObject(parent) {}

  qint64 length() const { return m_length; }  // minimum() … maximum()
  qint64 minimum() const { return qMin(kShortest, m_maximum); }
  qint64 maximum() const { return m_maximum; }
  qint64 trained() const { return m_trained; }  // of the model; 0: none is loaded
  // False until a length was set: then length() stays at the maximum, whatever that becomes.
  bool isChosen() const { return m_chosen; }
  bool isBeyondTrained() const { return m_trained > 0 && m_length > m_trained; }

  void setLength(qint64 tokens);   // cut to what is allowed
  void setMaximum(qint64 tokens);  // the planned length
  void setTrained(qint64 tokens);
  void settle() { Q_EMIT settled(m_length); }  // the reader let go

 Q_SIGNALS:
  void lengthChanged(qint64 tokens);  // at every step of a drag: only what is quick may follow
  void rangeChanged();                // minimum, maximum or trained length
  void settled(qint64 tokens);        // the drag is over: what needs the engine may follow

 private:
  qint64 m_length = kShortest;
  qint64 m_maximum = kShortest;
  qint64 m_trained = 0;
  bool m_chosen = false;
};

}  // namespace ropescope::ui
