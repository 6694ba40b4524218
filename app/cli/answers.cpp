#include "app/cli/answers.h"

#include <chrono>

#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/tokenizer/utf8.h"

namespace ropescope::cli {
namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Turns ids into text while they come. The tokenizer decides how ids join, so each new token is the
// difference of two continuations; half characters wait for their other half.
class AnswerStream {
 public:
  AnswerStream(const Tokenizer& tokenizer, std::vector<std::int32_t> before)
      : m_tokenizer(tokenizer),
        m_before(std::move(before)) {}

  std::string append(std::int32_t id) {
    m_ids.push_back(id);
    const std::string bytes = m_tokenizer.continuation(m_before, m_ids);
    std::string whole = m_utf8.append(std::string_view(bytes).substr(m_taken));
    m_taken = bytes.size();
    return whole;
  }
  std::string finish() { return m_utf8.finish(); }

 private:
  const Tokenizer& m_tokenizer;
  std::vector<std::int32_t> m_before;
  std::vector<std::int32_t> m_ids;
  std::size_t m_taken = 0;
  Utf8Stream m_utf8;
};

Result<Generation> decode(Run& run, Session& session, const GenerationConfig& config,
                          Answer& answer) {
  const auto tokenizer = run.tokenizerOrNull();
  if (!tokenizer) {
    return session.generate(
        config,
        [&](const GeneratedToken& token) {
          run.console().print((answer.tokenIds.empty() ? "" : " ") + std::to_string(token.id));
          answer.tokenIds.push_back(token.id);
        },
        run.job());
  }
  AnswerStream stream(*tokenizer, {session.tokens().begin(), session.tokens().end()});
  const auto show = [&](const std::string& text) {
    answer.text += text;
    if (!text.empty()) run.console().print(text);
  };
  JobControl job = run.job();
  job.onProgress = {};  // the text itself shows that it goes on
  auto generation = session.generate(
      config,
      [&](const GeneratedToken& token) {
        answer.tokenIds.push_back(token.id);
        show(stream.append(token.id));
      },
      job);
  show(stream.finish());
  return generation;
}

}  // namespace

Result<GenerationConfig> generationConfig(Run& run) {
  const Options& options = run.options();
  GenerationConfig config{.maxNewTokens = options.maxNewTokens,
                          .temperature = options.temperature.value_or(0.0),
                          .topP = options.topP.value_or(1.0),
                          .topK = options.topK.value_or(0),
                          .seed = options.seed};
  if (Status valid = validate(config); !valid) return valid.error();
  run.settings()["sampling"] = {{"max_new_tokens", config.maxNewTokens},
                                {"temperature", config.temperature},
                                {"top_p", config.topP},
                                {"top_k", config.topK},
                                {"stop_at_eos", config.stopAtEos}};
  if (config.temperature == 0.0 && (options.topP || options.topK)) {
    run.notice(
        "at temperature 0 the likeliest token is always taken; --top-p and --top-k have no "
        "effect, add --temperature");
  }
  return config;
}

Result<Answer> answerParts(Run& run, Session& session,
                           const std::vector<std::vector<std::int32_t>>& parts,
                           const GenerationConfig& config) {
  Answer answer;
  auto start = std::chrono::steady_clock::now();
  const auto prefilled = session.prefill(parts, run.job());
  run.console().endProgress();
  answer.prefillSeconds = secondsSince(start);
  if (!prefilled) {
    if (prefilled.error().code != ErrorCode::Cancelled) return prefilled.error();
    for (const auto& part : parts) {
      answer.prompt.promptTokens += static_cast<std::int64_t>(part.size());
    }
    return answer;
  }
  answer.prompt = *prefilled;
  start = std::chrono::steady_clock::now();
  const auto generation = decode(run, session, config, answer);
  answer.decodeSeconds = secondsSince(start);
  if (!generation) return generation.error();
  answer.tokenIds.clear();
  for (const auto& token : generation->tokens) answer.tokenIds.push_back(token.id);
  answer.finishReason = generation->finishReason;
  return answer;
}

std::string answerStatistics(const Answer& answer) {
  const auto count = static_cast<std::int64_t>(answer.tokenIds.size());
  std::string text = tokensText(count) + " in " +
                     secondsText(answer.decodeSeconds);
  if (answer.decodeSeconds > 0.0 && count > 1) {
    text += " (" + compact(static_cast<double>(count) / answer.decodeSeconds, 3) + "/s)";
  }
  text += ", prompt " + tokensText(answer.prompt.promptTokens) + " in " +
          secondsText(answer.prefillSeconds);
  if (answer.prompt.reusedTokens > 0) {
    text += ", " + countText(answer.prompt.reusedTokens) + " of them reused";
  }
  if (answer.finishReason == FinishReason::Length) {
    text += "; cut at --max-new-tokens";
  } else if (answer.finishReason == FinishReason::Stopped) {
    text += "; stopped";
  }
  return text;
}

Json answerJson(const Answer& answer) {
  return {{"text", answer.text},
          {"token_ids", answer.tokenIds},
          {"prompt_tokens", answer.prompt.promptTokens},
          {"reused_tokens", answer.prompt.reusedTokens},
          {"finish_reason", finishReasonName(answer.finishReason)},
          {"seconds", {{"prefill", answer.prefillSeconds}, {"decode", answer.decodeSeconds}}}};
}

}  // namespace ropescope::cli
