// Byte counts for people.
#pragma once

#include <cstdint>
#include <string>

namespace ropescope {

std::string bytesText(std::int64_t bytes);    // "1.50 GiB", "22.0 MiB", "512 B"; powers of 1,024
std::string countText(std::int64_t number);   // "65,536"
std::int64_t peakResidentBytes();             // of this process so far

// From here on, blocks of 1 MiB and more go back to the system when they are freed. Left alone, the
// allocator keeps them for later, and training, which makes and drops large blocks of many sizes,
// comes to twice the memory that it uses. Does nothing where the C library has no such setting.
void returnLargeBlocks();

}  // namespace ropescope
