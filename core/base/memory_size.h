// Byte counts for people.
#pragma once

#include <cstdint>
#include <string>

namespace ropescope {

std::string bytesText(std::int64_t bytes);    // "1.50 GiB", "22.0 MiB", "512 B"; powers of 1,024
std::string countText(std::int64_t number);   // "65,536"
std::int64_t peakResidentBytes();             // of this process so far

}  // namespace ropescope
