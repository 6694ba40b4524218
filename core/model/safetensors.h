// Memory-mapped safetensors files. No torch here: bytes, shapes and types.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace ropescope {

enum class StoredType { F64, F32, F16, BF16 };
const char* storedTypeName(StoredType type);
std::int64_t bytesPerValue(StoredType type);

struct StoredTensor {
  StoredType type = StoredType::F32;
  std::vector<std::int64_t> shape;     // slowest axis first
  std::span<const std::byte> bytes;    // inside the mapping
};

// The file stays mapped as long as one copy of the object lives.
class SafetensorsFile {
 public:
  // Errors: NotFound; CorruptFile when the header lies (its size, an offset, a shape that does not
  // fit its bytes, overlapping or missing ranges, a file cut short); Unsupported names a tensor type
  // other than F64, F32, F16 and BF16.
  static Result<SafetensorsFile> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return m_path; }
  const std::map<std::string, StoredTensor>& tensors() const { return m_tensors; }
  const std::map<std::string, std::string>& metadata() const { return m_metadata; }
  std::string_view header() const { return m_header; }  // JSON text, for hashing

 private:
  std::filesystem::path m_path;
  std::shared_ptr<const void> m_mapping;
  std::string_view m_header;
  std::map<std::string, StoredTensor> m_tensors;
  std::map<std::string, std::string> m_metadata;
};

// The part that reads text: fuzzable, and with no file. `dataBytes` is what follows the header.
struct SafetensorsHeader {
  struct Entry {
    StoredType type = StoredType::F32;
    std::vector<std::int64_t> shape;
    std::int64_t begin = 0;  // bytes from the start of the data
    std::int64_t end = 0;
  };
  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> metadata;
};
Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view json, std::int64_t dataBytes,
                                                 const std::string& file);

// Writes tensors in the order of their names. `bytes` of every tensor must fit its shape and type.
Status writeSafetensors(const std::filesystem::path& path,
                        const std::map<std::string, StoredTensor>& tensors,
                        const std::map<std::string, std::string>& metadata);

std::string shapeText(std::span<const std::int64_t> shape);  // "[32, 64, 64]"

}  // namespace ropescope
