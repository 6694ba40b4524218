// How a model wants document and questions to be written: data beside the model
// (prompt_format.json), not code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/tokenizer.h"

namespace ropescope {

struct PromptFormat {
  std::string document = "{text}\n";                          // first part, after BOS
  std::string question = "Question: {question}\nAnswer:";     // every later part
  bool answerEndsWithEos = true;     // in a chat, EOS stands after every answer
  bool plainQuestions = false;       // later parts get no dummy prefix: encode plainPrefix + part …
  std::string plainPrefix = "\n";
  std::size_t plainPrefixIds = 2;    // … and drop so many ids
  bool fromModel = false;            // read from the model's folder
};

// The model's prompt_format.json, or the plain default above when there is none.
// Errors: CorruptFile with the field.
Result<PromptFormat> readPromptFormat(const std::filesystem::path& folder);

// Prompts are built and encoded part by part, so that a document's ids never depend on the question.
struct PromptPart {
  std::vector<std::int32_t> ids;
  std::vector<ByteSpan> spans;     // bytes of `text`; BOS has an empty span
  std::string text;                // as encoded
  std::int64_t contentBegin = 0;   // byte at which the document or question starts in `text`
};

Result<PromptPart> documentPart(const PromptFormat& format, const Tokenizer& tokenizer,
                                std::string_view text);
Result<PromptPart> questionPart(const PromptFormat& format, const Tokenizer& tokenizer,
                                std::string_view question);

}  // namespace ropescope
