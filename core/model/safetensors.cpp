#include "core/model/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/base/file_io.h"
#include "core/base/json_text.h"

namespace ropescope {
namespace {

using Json = nlohmann::json;

constexpr std::array kTypes{StoredType::F64, StoredType::F32, StoredType::F16, StoredType::BF16};
constexpr std::int64_t kLengthBytes = 8;
constexpr std::int64_t kLargestHeader = 100'000'000;  // the format's own limit

Error corrupt(const std::string& file, const std::string& what) {
  return Error{ErrorCode::CorruptFile, file + ": " + what + "; download the file again"};
}

// A file in memory, read-only.
class Mapping {
 public:
  static Result<std::shared_ptr<const Mapping>> open(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
      return Error{ErrorCode::NotFound,
                   path.string() + ": cannot be opened (" + std::strerror(errno) + ")"};
    }
    struct stat status {};
    auto mapping = std::make_shared<Mapping>();
    if (::fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
      mapping->m_size = static_cast<std::size_t>(status.st_size);
      // Private and writable, so that tensors over it may be handled like any other; never written.
      void* at = ::mmap(nullptr, mapping->m_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
      if (at != MAP_FAILED) mapping->m_data = static_cast<std::byte*>(at);
    }
    ::close(file);
    if (mapping->m_data == nullptr) {
      return Error{ErrorCode::CorruptFile,
                   path.string() + ": is empty or cannot be mapped; a safetensors file is wanted"};
    }
    return std::shared_ptr<const Mapping>(std::move(mapping));
  }
  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (m_data != nullptr) ::munmap(m_data, m_size);
  }
  std::span<const std::byte> bytes() const { return {m_data, m_size}; }

 private:
  std::byte* m_data = nullptr;
  std::size_t m_size = 0;
};

std::optional<StoredType> typeNamed(const std::string& name) {
  for (const StoredType type : kTypes) {
    if (name == storedTypeName(type)) return type;
  }
  return std::nullopt;
}

// Product of the shape, or none when it is negative or beyond int64.
std::optional<std::int64_t> valueCount(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  return count;
}

bool isUnsignedList(const Json& json) {
  return json.is_array() && std::all_of(json.begin(), json.end(), [](const Json& item) {
    return item.is_number_unsigned() &&
           item.get<std::uint64_t>() <=
               static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  });
}

Result<SafetensorsHeader::Entry> parseEntry(const std::string& name, const Json& json,
                                            std::int64_t dataBytes, const std::string& file) {
  const std::string tensor = "tensor '" + name + "'";
  if (!json.is_object() || !json.contains("dtype") || !json["dtype"].is_string() ||
      !json.contains("shape") || !isUnsignedList(json["shape"]) ||
      !json.contains("data_offsets") || !isUnsignedList(json["data_offsets"]) ||
      json["data_offsets"].size() != 2) {
    return corrupt(file, tensor + " lacks a proper dtype, shape or data_offsets");
  }
  SafetensorsHeader::Entry entry;
  const auto dtype = json["dtype"].get<std::string>();
  const auto type = typeNamed(dtype);
  if (!type) {
    return Error{ErrorCode::Unsupported, file + ": " + tensor + " is stored as " + dtype +
                                             "; F64, F32, F16 and BF16 can be read"};
  }
  entry.type = *type;
  entry.shape = json["shape"].get<std::vector<std::int64_t>>();
  entry.begin = json["data_offsets"][0].get<std::int64_t>();
  entry.end = json["data_offsets"][1].get<std::int64_t>();
  const auto count = valueCount(entry.shape);
  std::int64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, bytesPerValue(*type), &bytes)) {
    return corrupt(file, tensor + " has the impossible shape " + shapeText(entry.shape));
  }
  if (entry.begin > entry.end || entry.end > dataBytes) {
    return corrupt(file, tensor + " lies at bytes " + std::to_string(entry.begin) + " to " +
                             std::to_string(entry.end) + ", the file holds " +
                             std::to_string(dataBytes) + " bytes of data");
  }
  if (entry.end - entry.begin != bytes) {
    return corrupt(file, tensor + " of shape " + shapeText(entry.shape) + " needs " +
                             std::to_string(bytes) + " bytes, the header gives it " +
                             std::to_string(entry.end - entry.begin));
  }
  return entry;
}

// The format asks that the tensors cover the data without holes or overlap.
Status checkCoverage(const SafetensorsHeader& header, std::int64_t dataBytes,
                     const std::string& file) {
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (const auto& [name, entry] : header.entries) ranges.emplace_back(entry.begin, entry.end);
  std::sort(ranges.begin(), ranges.end());
  std::int64_t at = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != at) {
      return corrupt(file, "tensors overlap or leave a hole at data byte " + std::to_string(at));
    }
    at = end;
  }
  if (at != dataBytes) {
    return corrupt(file, "the header describes " + std::to_string(at) + " bytes of data, there are " +
                             std::to_string(dataBytes));
  }
  return Done{};
}

}  // namespace

const char* storedTypeName(StoredType type) {
  switch (type) {
    case StoredType::F64: return "F64";
    case StoredType::F32: return "F32";
    case StoredType::F16: return "F16";
    case StoredType::BF16: return "BF16";
  }
  return "";
}

std::int64_t bytesPerValue(StoredType type) {
  return type == StoredType::F64 ? 8 : type == StoredType::F32 ? 4 : 2;
}

std::string shapeText(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view text, std::int64_t dataBytes,
                                                 const std::string& file) {
  const auto parsed = parseJsonObject(text, file + ": header");
  if (!parsed) return parsed.error();
  const Json& json = *parsed;
  SafetensorsHeader header;
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") {
      if (!value.is_object()) return corrupt(file, "'__metadata__' is not an object");
      for (const auto& [key, entry] : value.items()) {
        if (entry.is_structured()) return corrupt(file, "metadata '" + key + "' is not text");
        header.metadata[key] = entry.is_string() ? entry.get<std::string>() : shortText(entry);
      }
      continue;
    }
    auto entry = parseEntry(name, value, dataBytes, file);
    if (!entry) return entry.error();
    header.entries[name] = *std::move(entry);
  }
  if (Status covered = checkCoverage(header, dataBytes, file); !covered) return covered.error();
  return header;
}

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path& path) {
  const auto mapping = Mapping::open(path);
  if (!mapping) return mapping.error();
  const auto bytes = (*mapping)->bytes();
  const auto fileBytes = static_cast<std::int64_t>(bytes.size());
  const std::string name = path.string();
  std::uint64_t length = 0;  // little endian, like every machine this runs on
  if (fileBytes < kLengthBytes) return corrupt(name, "is cut short: no header");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > static_cast<std::uint64_t>(kLargestHeader) ||
      static_cast<std::int64_t>(length) > fileBytes - kLengthBytes) {
    return corrupt(name, "the header claims " + std::to_string(length) +
                             " bytes, the file has " + std::to_string(fileBytes));
  }
  SafetensorsFile file;
  file.m_path = path;
  file.m_header = std::string_view(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes,
                                   static_cast<std::size_t>(length));
  const auto data = bytes.subspan(static_cast<std::size_t>(kLengthBytes) +
                                  static_cast<std::size_t>(length));
  auto header =
      parseSafetensorsHeader(file.m_header, static_cast<std::int64_t>(data.size()), name);
  if (!header) return header.error();
  for (auto& [tensor, entry] : header->entries) {
    file.m_tensors[tensor] = {entry.type, std::move(entry.shape),
                              data.subspan(static_cast<std::size_t>(entry.begin),
                                           static_cast<std::size_t>(entry.end - entry.begin))};
  }
  file.m_metadata = std::move(header->metadata);
  file.m_mapping = *mapping;
  return file;
}

Status writeSafetensors(const std::filesystem::path& path,
                        const std::map<std::string, StoredTensor>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::int64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto size = static_cast<std::int64_t>(tensor.bytes.size());
    header[name] = {{"dtype", storedTypeName(tensor.type)},
                    {"shape", tensor.shape},
                    {"data_offsets", {at, at + size}}};
    at += size;
  }
  std::string text = header.dump();
  while (text.size() % 8 != 0) text += ' ';  // data starts aligned
  const std::uint64_t length = text.size();
  std::string file(reinterpret_cast<const char*>(&length), sizeof length);
  file += text;
  for (const auto& [name, tensor] : tensors) {
    file.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  }
  return writeFileAtomically(path, file);
}

}  // namespace ropescope
