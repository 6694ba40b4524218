// SHA-256 (FIPS 180-4), for the hash that names a model in result files.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ropescope {

class Sha256 {
 public:
  void add(std::string_view bytes);
  std::string hex();  // 64 characters; ends the computation

 private:
  void addBlock(const unsigned char* block);

  std::array<std::uint32_t, 8> m_state{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::string m_pending;
  std::uint64_t m_bytes = 0;
};

}  // namespace ropescope
