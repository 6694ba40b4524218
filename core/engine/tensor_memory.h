// Where the large tensors of a CPU live.
#pragma once

#include <cstddef>

namespace ropescope {

// From here on, freed CPU tensors of 128 KiB and more are kept, up to `keptBytes` of them, and
// given out again (core/base/block_cache.h says why). Of the whole process and for good: a program
// calls it once, before it makes tensors and threads; tests do not, so that a sanitizer sees every
// block freed.
void reuseTensorMemory(std::size_t keptBytes = std::size_t{128} << 20);

}  // namespace ropescope
