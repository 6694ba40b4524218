// From drawn tokens to an Answer: text in whole characters, and where each token ends in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/utf8.h"
#include "ui/worker/session_jobs.h"

namespace ropescope::ui {

class AnswerWriter {
 public:
  // `before`: the ids that the answer continues.
  AnswerWriter(std::shared_ptr<const Tokenizer> tokenizer, std::vector<std::int32_t> before)
      : m_tokenizer(std::move(tokenizer)),
        m_before(std::move(before)) {}

  std::string add(const GeneratedToken& token, Answer& answer) {  // the text that became whole
    answer.ids.push_back(token.id);
    answer.tokens.push_back(token);
    const bool first = answer.ids.size() == 1;
    std::string text = m_characters.append(first ? m_tokenizer->continuation(m_before, answer.ids)
                                                 : m_tokenizer->bytes(token.id));
    answer.text += text;
    answer.ends.push_back(static_cast<std::int64_t>(answer.text.size()));
    return text;
  }

  std::string finish(Answer& answer) {
    std::string text = m_characters.finish();
    answer.text += text;
    if (!answer.ends.empty()) answer.ends.back() = static_cast<std::int64_t>(answer.text.size());
    return text;
  }

 private:
  std::shared_ptr<const Tokenizer> m_tokenizer;
  std::vector<std::int32_t> m_before;
  Utf8Stream m_characters;
};

}  // namespace ropescope::ui
