// SentencePiece behind a value type: text to token ids with the exact bytes of every token.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace ropescope {

// Half-open byte range in the encoded text. A control token (BOS) has an empty one.
struct ByteSpan {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  bool operator==(const ByteSpan&) const = default;
};

struct Encoding {
  std::vector<std::int32_t> ids;
  std::vector<ByteSpan> spans;  // one per id; byte-fallback tokens get their own single bytes
};

// Thread-safe after loading.
class Tokenizer {
 public:
  // Reads `folder`/tokenizer.model and, when there, tokenizer_config.json (add_bos_token).
  // Errors: NotFound, CorruptFile.
  static Result<std::shared_ptr<const Tokenizer>> load(const std::filesystem::path& folder);
  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  // No BOS; the model's own dummy prefix if it has one. `text` is valid UTF-8.
  Encoding encode(std::string_view text) const;

  // Encodes `text` as it stands after `prefix` inside a document: encodes prefix + text, drops the
  // first `prefixIds` ids. With prefix "\n" and 2 ids a later part gets no dummy prefix.
  // InvalidArgument when the dropped ids do not cover exactly the prefix.
  Result<Encoding> encodeAfter(std::string_view prefix, std::size_t prefixIds,
                               std::string_view text) const;

  std::string piece(std::int32_t id) const;  // as in the vocabulary: "▁the", "<0x0A>"
  // Bytes a token adds to the text after other text: "▁the" -> " the"; control tokens add none.
  std::string bytes(std::int32_t id) const;
  // Text of `ids` when they follow `before`: without the dummy prefix's blank at a text's start.
  std::string continuation(std::span<const std::int32_t> before,
                           std::span<const std::int32_t> ids) const;

  int size() const;                            // pieces
  bool addsBos() const { return m_addsBos; }
  std::int32_t bos() const { return m_bos; }   // -1 when there is none
  std::int32_t eos() const { return m_eos; }   // -1 when there is none

 private:
  struct Implementation;
  Tokenizer();
  bool isText(std::int32_t id) const;

  std::unique_ptr<Implementation> m_implementation;
  bool m_addsBos = false;
  std::int32_t m_bos = -1;
  std::int32_t m_eos = -1;
};

}  // namespace ropescope
