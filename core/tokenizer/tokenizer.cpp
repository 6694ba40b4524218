#include "core/tokenizer/tokenizer.h"

#include <sentencepiece_processor.h>

#include <nlohmann/json.hpp>

#include "core/base/file_io.h"
#include "core/base/json_text.h"

namespace ropescope {
namespace {

constexpr std::string_view kBlank = "\xE2\x96\x81";  // SentencePiece's visible blank, U+2581

std::string withBlanks(std::string piece) {
  for (std::size_t at = piece.find(kBlank); at != std::string::npos;
       at = piece.find(kBlank, at + 1)) {
    piece.replace(at, kBlank.size(), " ");
  }
  return piece;
}

// SentencePiece gives all bytes of a character to the last token of a byte-fallback run and none to
// those before; here every token gets its own byte.
void spreadBytes(const sentencepiece::SentencePieceProcessor& processor, Encoding& encoding) {
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    if (!processor.IsByte(encoding.ids[i])) continue;
    std::size_t last = i;
    const std::int64_t begin = encoding.spans[i].begin;
    while (last < encoding.ids.size() && processor.IsByte(encoding.ids[last]) &&
           encoding.spans[last].end == begin) {
      ++last;
    }
    if (last == encoding.ids.size() || !processor.IsByte(encoding.ids[last])) continue;
    const std::int64_t bytes = encoding.spans[last].end - begin;
    if (bytes != static_cast<std::int64_t>(last - i) + 1) continue;  // normalised text: leave
    for (std::size_t j = i; j <= last; ++j) {
      const auto at = begin + static_cast<std::int64_t>(j - i);
      encoding.spans[j] = {at, at + 1};
    }
    i = last;
  }
}

// tokenizer_config.json's add_bos_token; without the file, as Llama's tokenizers: yes.
Result<bool> readAddsBos(const std::filesystem::path& folder) {
  const auto path = folder / "tokenizer_config.json";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return true;
  const auto text = readFile(path);
  if (!text) return text.error();
  const auto json = parseJsonObject(*text, path.string());
  if (!json) return json.error();
  const auto field = json->find("add_bos_token");
  if (field == json->end() || field->is_null()) return true;
  if (!field->is_boolean()) {
    return Error{ErrorCode::CorruptFile,
                 path.string() + ": 'add_bos_token' is " + shortText(*field) +
                     "; true or false is wanted"};
  }
  return field->get<bool>();
}

}  // namespace

struct Tokenizer::Implementation {
  sentencepiece::SentencePieceProcessor processor;
};

Tokenizer::Tokenizer() : m_implementation(std::make_unique<Implementation>()) {}
Tokenizer::~Tokenizer() = default;

Result<std::shared_ptr<const Tokenizer>> Tokenizer::load(const std::filesystem::path& folder) {
  const auto path = folder / "tokenizer.model";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return Error{ErrorCode::NotFound,
                 path.string() + " is not there; text needs the model's SentencePiece tokenizer "
                                 "(token ids given by --tokens work without it)"};
  }
  const auto bytes = readFile(path);
  if (!bytes) return bytes.error();
  std::shared_ptr<Tokenizer> tokenizer(new Tokenizer());
  auto& processor = tokenizer->m_implementation->processor;
  const auto status = processor.LoadFromSerializedProto(*bytes);
  if (bytes->empty() || !status.ok()) {
    return Error{ErrorCode::CorruptFile,
                 path.string() + " is not a SentencePiece model; download it again"};
  }
  const auto addsBos = readAddsBos(folder);
  if (!addsBos) return addsBos.error();
  tokenizer->m_bos = processor.bos_id();
  tokenizer->m_eos = processor.eos_id();
  tokenizer->m_addsBos = *addsBos && tokenizer->m_bos >= 0;
  return std::shared_ptr<const Tokenizer>(std::move(tokenizer));
}

Encoding Tokenizer::encode(std::string_view text) const {
  const auto& processor = m_implementation->processor;
  const auto pieces = processor.EncodeAsImmutableProto(text);
  Encoding encoding;
  encoding.ids.reserve(pieces.pieces_size());
  encoding.spans.reserve(pieces.pieces_size());
  for (std::size_t i = 0; i < pieces.pieces_size(); ++i) {
    const auto& piece = pieces.pieces(static_cast<int>(i));
    encoding.ids.push_back(static_cast<std::int32_t>(piece.id()));
    encoding.spans.push_back({piece.begin(), piece.end()});
  }
  spreadBytes(processor, encoding);
  return encoding;
}

Result<Encoding> Tokenizer::encodeAfter(std::string_view prefix, std::size_t prefixIds,
                                        std::string_view text) const {
  Encoding whole = encode(std::string(prefix) + std::string(text));
  const auto prefixBytes = static_cast<std::int64_t>(prefix.size());
  const bool exact =
      whole.ids.size() >= prefixIds &&
      (prefixIds == 0 || whole.spans[prefixIds - 1].end == prefixBytes) &&
      (prefixIds == whole.ids.size() || whole.spans[prefixIds].begin == prefixBytes);
  if (!exact) {
    return Error{ErrorCode::InvalidArgument,
                 "the prompt format drops " + std::to_string(prefixIds) +
                     " ids for its plain prefix, but this tokenizer joins the prefix with the "
                     "text; correct plain_prefix and plain_prefix_ids in prompt_format.json"};
  }
  Encoding encoding;
  const auto skip = static_cast<std::ptrdiff_t>(prefixIds);
  encoding.ids.assign(whole.ids.begin() + skip, whole.ids.end());
  for (std::size_t i = prefixIds; i < whole.spans.size(); ++i) {
    encoding.spans.push_back({whole.spans[i].begin - prefixBytes, whole.spans[i].end - prefixBytes});
  }
  return encoding;
}

std::string Tokenizer::piece(std::int32_t id) const {
  if (id < 0 || id >= size()) return "<" + std::to_string(id) + ">";
  return m_implementation->processor.IdToPiece(id);
}

bool Tokenizer::isText(std::int32_t id) const {
  const auto& processor = m_implementation->processor;
  return id >= 0 && id < size() && !processor.IsControl(id);
}

std::string Tokenizer::bytes(std::int32_t id) const {
  const auto& processor = m_implementation->processor;
  if (!isText(id)) return {};
  if (processor.IsByte(id)) {  // "<0x0A>"
    const std::string hex = processor.IdToPiece(id).substr(3, 2);
    return std::string(1, static_cast<char>(std::stoi(hex, nullptr, 16)));
  }
  if (processor.IsUnknown(id)) return "\xE2\x81\x87";  // U+2047, as SentencePiece prints it
  return withBlanks(processor.IdToPiece(id));
}

std::string Tokenizer::continuation(std::span<const std::int32_t> before,
                                    std::span<const std::int32_t> ids) const {
  std::string text;
  for (const std::int32_t id : ids) text += bytes(id);
  bool atStart = true;
  for (const std::int32_t id : before) atStart = atStart && !isText(id);
  // At the start of a text the first blank is the dummy prefix.
  if (atStart && !text.empty() && text.front() == ' ') text.erase(0, 1);
  return text;
}

int Tokenizer::size() const { return m_implementation->processor.GetPieceSize(); }

}  // namespace ropescope
