#include "core/base/sha256.h"

#include <bit>
#include <cmath>

namespace ropescope {
namespace {

// First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4,
// 4.2.2), computed in long double, which holds more than the 35 bits needed.
std::array<std::uint32_t, 64> roundConstants() {
  std::array<std::uint32_t, 64> constants{};
  std::size_t found = 0;
  for (unsigned candidate = 2; found < constants.size(); ++candidate) {
    bool prime = true;
    for (unsigned divisor = 2; divisor * divisor <= candidate; ++divisor) {
      prime = prime && candidate % divisor != 0;
    }
    if (!prime) continue;
    const long double root = std::cbrt(static_cast<long double>(candidate));
    constants[found++] =
        static_cast<std::uint32_t>((root - std::floor(root)) * 4294967296.0L);
  }
  return constants;
}

std::uint32_t smallSigma(std::uint32_t x, int a, int b, int shift) {
  return std::rotr(x, a) ^ std::rotr(x, b) ^ (x >> shift);
}

std::uint32_t bigSigma(std::uint32_t x, int a, int b, int c) {
  return std::rotr(x, a) ^ std::rotr(x, b) ^ std::rotr(x, c);
}

}  // namespace

void Sha256::addBlock(const unsigned char* block) {
  static const std::array<std::uint32_t, 64> k = roundConstants();
  std::array<std::uint32_t, 64> w{};
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = static_cast<std::uint32_t>(block[4 * i]) << 24 |
           static_cast<std::uint32_t>(block[4 * i + 1]) << 16 |
           static_cast<std::uint32_t>(block[4 * i + 2]) << 8 | block[4 * i + 3];
  }
  for (std::size_t i = 16; i < 64; ++i) {
    w[i] = smallSigma(w[i - 2], 17, 19, 10) + w[i - 7] + smallSigma(w[i - 15], 7, 18, 3) + w[i - 16];
  }
  auto [a, b, c, d, e, f, g, h] = m_state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t t1 = h + bigSigma(e, 6, 11, 25) + ((e & f) ^ (~e & g)) + k[i] + w[i];
    const std::uint32_t t2 = bigSigma(a, 2, 13, 22) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const std::array<std::uint32_t, 8> step{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) m_state[i] += step[i];
}

void Sha256::add(std::string_view bytes) {
  m_bytes += bytes.size();
  m_pending += bytes;
  std::size_t at = 0;
  for (; at + 64 <= m_pending.size(); at += 64) {
    addBlock(reinterpret_cast<const unsigned char*>(m_pending.data()) + at);
  }
  m_pending.erase(0, at);
}

std::string Sha256::hex() {
  const std::uint64_t bits = m_bytes * 8;
  std::string tail(1, '\x80');
  while ((m_pending.size() + tail.size()) % 64 != 56) tail += '\0';
  for (int shift = 56; shift >= 0; shift -= 8) tail += static_cast<char>(bits >> shift);
  add(tail);
  std::string text;
  for (const std::uint32_t word : m_state) {
    for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[(word >> shift) & 15];
  }
  return text;
}

}  // namespace ropescope
