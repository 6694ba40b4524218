// Fields of a record that was read back from a result file.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/eval/result_log.h"

namespace ropescope {

// Collects the first field that is missing or of another kind, so that a reader is one line a
// field.
class ResultFields {
 public:
  explicit ResultFields(const ResultJson& record) : m_record(record) {}

  void read(const char* name, std::string& value) {
    if (const auto* field = find(name, &ResultJson::is_string)) value = field->get<std::string>();
  }
  void read(const char* name, bool& value) {
    if (const auto* field = find(name, &ResultJson::is_boolean)) value = field->get<bool>();
  }
  void read(const char* name, std::int64_t& value) {
    if (const auto* field = find(name, &ResultJson::is_number_integer)) {
      value = field->get<std::int64_t>();
    }
  }
  void read(const char* name, double& value) {
    if (const auto* field = find(name, &ResultJson::is_number)) value = field->get<double>();
  }
  // Empty when it is missing.
  const ResultJson& list(const char* name) {
    static const ResultJson kNone = ResultJson::array();
    const auto* field = find(name, &ResultJson::is_array);
    return field != nullptr ? *field : kNone;
  }
  // What was wrong with a record within this one.
  void take(const ResultFields& inner) {
    if (m_wrong.empty()) m_wrong = inner.m_wrong;
  }

  // CorruptFile naming the field.
  Status status() const {
    if (m_wrong.empty()) return Done{};
    return Error{ErrorCode::CorruptFile,
                 "a record of the result file has no usable '" + m_wrong + "'; name another file"};
  }

 private:
  const ResultJson* find(const char* name, bool (ResultJson::*fits)() const noexcept) {
    const auto field = m_record.is_object() ? m_record.find(name) : m_record.end();
    if (m_record.is_object() && field != m_record.end() && ((*field).*fits)()) return &*field;
    if (m_wrong.empty()) m_wrong = name;
    return nullptr;
  }

  const ResultJson& m_record;
  std::string m_wrong;
};

}  // namespace ropescope
