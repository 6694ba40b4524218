// The border to LibTorch: exceptions behind it, Result in front of it.
#pragma once

#include <c10/util/Exception.h>

#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"

namespace ropescope {

// Runs `work`, which returns a Result, and turns what torch throws into an Error.
template <class Work>
auto guardTorch(std::string_view doing, Work&& work) -> decltype(work()) {
  try {
    return std::forward<Work>(work)();
  } catch (const c10::OutOfMemoryError&) {
    return Error{ErrorCode::OutOfMemory, std::string(doing) +
                                             ": not enough device memory; plan a shorter context "
                                             "or use a smaller dtype"};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::OutOfMemory, std::string(doing) +
                                             ": not enough memory; plan a shorter context or use a "
                                             "smaller dtype"};
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    // The CPU allocator throws the plain class.
    if (what.find("not enough memory") != std::string::npos) {
      return Error{ErrorCode::OutOfMemory, std::string(doing) +
                                               ": not enough memory; plan a shorter context or use "
                                               "a smaller dtype"};
    }
    return Error{ErrorCode::Internal, std::string(doing) + ": " + what.substr(0, what.find('\n'))};
  }
}

}  // namespace ropescope
