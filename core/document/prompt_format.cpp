#include "core/document/prompt_format.h"

#include <nlohmann/json.hpp>

#include "core/base/file_io.h"
#include "core/base/json_text.h"

namespace ropescope {
namespace {

using Json = nlohmann::json;

// Reads one field if it is there; `Value` is what the JSON must hold.
template <class Value>
Status readField(const Json& json, const char* name, Value& value,
                 const std::filesystem::path& path) {
  const auto field = json.find(name);
  if (field == json.end()) return Done{};
  const bool fits = std::is_same_v<Value, bool>          ? field->is_boolean()
                    : std::is_same_v<Value, std::string> ? field->is_string()
                                                         : field->is_number_unsigned();
  if (!fits) {
    return Error{ErrorCode::CorruptFile,
                 path.string() + ": '" + name + "' is " + shortText(*field) + ", of another kind"};
  }
  value = field->get<Value>();
  return Done{};
}

Status checkPlaceholder(const std::string& text, const char* placeholder, const char* field,
                        const std::filesystem::path& path) {
  const auto first = text.find(placeholder);
  if (first == std::string::npos || text.find(placeholder, first + 1) != std::string::npos) {
    return Error{ErrorCode::CorruptFile, path.string() + ": '" + field + "' must hold " +
                                             placeholder + " exactly once"};
  }
  return Done{};
}

struct Filled {
  std::string text;
  std::int64_t contentBegin = 0;
};

Filled fill(const std::string& pattern, std::string_view placeholder, std::string_view content) {
  const auto at = pattern.find(placeholder);
  return {pattern.substr(0, at) + std::string(content) + pattern.substr(at + placeholder.size()),
          static_cast<std::int64_t>(at)};
}

}  // namespace

Result<PromptFormat> readPromptFormat(const std::filesystem::path& folder) {
  const auto path = folder / "prompt_format.json";
  PromptFormat format;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return format;
  const auto text = readFile(path);
  if (!text) return text.error();
  const auto parsed = parseJsonObject(*text, path.string());
  if (!parsed) return parsed.error();
  const Json& json = *parsed;
  std::string answerEnd = "eos";
  for (const Status& read :
       {readField(json, "document", format.document, path),
        readField(json, "question", format.question, path),
        readField(json, "answer_end", answerEnd, path),
        readField(json, "question_without_dummy_prefix", format.plainQuestions, path),
        readField(json, "plain_prefix", format.plainPrefix, path),
        readField(json, "plain_prefix_ids", format.plainPrefixIds, path)}) {
    if (!read) return read.error();
  }
  if (answerEnd != "eos" && answerEnd != "none") {
    return Error{ErrorCode::CorruptFile,
                 path.string() + ": 'answer_end' is '" + answerEnd + "'; eos or none is wanted"};
  }
  for (const Status& check : {checkPlaceholder(format.document, "{text}", "document", path),
                              checkPlaceholder(format.question, "{question}", "question", path)}) {
    if (!check) return check.error();
  }
  format.answerEndsWithEos = answerEnd == "eos";
  format.fromModel = true;
  return format;
}

Result<PromptPart> documentPart(const PromptFormat& format, const Tokenizer& tokenizer,
                                std::string_view text) {
  Filled filled = fill(format.document, "{text}", text);
  Encoding encoding = tokenizer.encode(filled.text);
  if (tokenizer.addsBos()) {
    encoding.ids.insert(encoding.ids.begin(), tokenizer.bos());
    encoding.spans.insert(encoding.spans.begin(), ByteSpan{0, 0});
  }
  return PromptPart{std::move(encoding.ids), std::move(encoding.spans), std::move(filled.text),
                    filled.contentBegin};
}

Result<PromptPart> questionPart(const PromptFormat& format, const Tokenizer& tokenizer,
                                std::string_view question) {
  Filled filled = fill(format.question, "{question}", question);
  Encoding encoding;
  if (format.plainQuestions) {
    auto plain = tokenizer.encodeAfter(format.plainPrefix, format.plainPrefixIds, filled.text);
    if (!plain) return plain.error();
    encoding = *std::move(plain);
  } else {
    encoding = tokenizer.encode(filled.text);
  }
  return PromptPart{std::move(encoding.ids), std::move(encoding.spans), std::move(filled.text),
                    filled.contentBegin};
}

}  // namespace ropescope
