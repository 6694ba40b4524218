// Scratch memory for vector code: not initialised, 64-byte aligned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace ropescope::cpu {

template <class Value>
class AlignedBuffer {
 public:
  explicit AlignedBuffer(std::int64_t count)
      : m_values(static_cast<Value*>(::operator new (
            static_cast<std::size_t>(count) * sizeof(Value), std::align_val_t{kAlignment}))) {}

  Value* get() const { return m_values.get(); }

 private:
  static constexpr std::size_t kAlignment = 64;  // a cache line and a vector
  struct Free {
    void operator()(Value* values) const {
      ::operator delete (values, std::align_val_t{kAlignment});
    }
  };
  std::unique_ptr<Value, Free> m_values;
};

}  // namespace ropescope::cpu
