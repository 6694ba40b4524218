// Values or errors: how every public function of the core says that it could not do its job.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace ropescope {

enum class ErrorCode {
  Cancelled,        // the caller asked to stop
  InvalidArgument,  // a setting or input that cannot work
  NotFound,         // a file or name that is not there
  CorruptFile,      // a file whose content contradicts itself or the model
  Unsupported,      // known, but not done here
  OutOfMemory,
  Device,    // the accelerator or the disk refused
  Internal,  // a broken promise of our own
};

// Stable spelling for result files.
constexpr std::string_view errorCodeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::Cancelled: return "cancelled";
    case ErrorCode::InvalidArgument: return "invalid_argument";
    case ErrorCode::NotFound: return "not_found";
    case ErrorCode::CorruptFile: return "corrupt_file";
    case ErrorCode::Unsupported: return "unsupported";
    case ErrorCode::OutOfMemory: return "out_of_memory";
    case ErrorCode::Device: return "device";
    case ErrorCode::Internal: return "internal";
  }
  return "internal";
}

// `message` is one sentence: which thing, what was found, what was wanted and the cure.
struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;
};

template <class Value>
class [[nodiscard]] Result {
 public:
  Result(Value value) : m_state(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return m_state.index() == 0; }
  Value& operator*() & { return std::get<0>(m_state); }
  const Value& operator*() const& { return std::get<0>(m_state); }
  Value&& operator*() && { return std::get<0>(std::move(m_state)); }
  Value* operator->() { return &std::get<0>(m_state); }
  const Value* operator->() const { return &std::get<0>(m_state); }
  const Error& error() const { return std::get<1>(m_state); }

 private:
  std::variant<Value, Error> m_state;
};

// What a job returns that has nothing to hand over.
struct Done {};
using Status = Result<Done>;

}  // namespace ropescope
