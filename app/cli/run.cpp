#include "app/cli/run.h"

#include "app/app_info.h"
#include "app/cli/option_table.h"
#include "app/cli/text.h"
#include "app/resource_folder.h"
#include "core/base/memory_size.h"
#include "core/cpu/attention_bf16.h"

namespace ropescope::cli {

namespace {

std::string dtypeFor(const Options& options) {
  const CommandSpec* command = findCommand(options.command);
  const bool chosen = options.dtype != "auto" || command == nullptr || command->dtype.empty();
  if (chosen) return options.dtype;
  // Without AVX512-BF16 a CPU multiplies bfloat16 many times slower than float32.
  return cpu::attentionBf16Supported() ? std::string(command->dtype) : options.dtype;
}

}  // namespace

Run::Run(const Options& options, Console& console, std::stop_token stop)
    : m_options(options),
      m_console(console),
      m_stop(std::move(stop)) {
  m_settings["command"] = options.command;
}

JobControl Run::job() {
  return {.stop = m_stop,
          .onProgress = [this](const Progress& progress) { m_console.progress(progress); },
          .betweenSteps = {}};
}

Status Run::loadEngine() {
  EngineOptions engineOptions{.model = m_options.model,
                              .device = m_options.device,
                              .dtype = dtypeFor(m_options),
                              .threads = m_options.threads,
                              .log = [this](LogLevel level, const std::string& text) {
                                if (level != LogLevel::Info) notice(text);
                              }};
  if (engineOptions.model.empty()) {
    auto bundled = findBundledModel();
    if (!bundled) return bundled.error();
    engineOptions.model = *bundled;
  }
  auto loaded = Engine::load(engineOptions, job());
  if (!loaded) return loaded.error();
  m_engine = *std::move(loaded);
  if (const CommandSpec* command = findCommand(m_options.command);
      command != nullptr && !command->dtype.empty() && m_options.dtype == "auto" &&
      m_engine->dtype() != command->dtype) {
    notice("this processor has no AVX512-BF16: computing in " + m_engine->dtype() + ", not in " +
           std::string(command->dtype));
  }
  m_settings["device"] = m_engine->device();
  m_settings["dtype"] = m_engine->dtype();
  m_settings["threads"] = m_engine->threads();
  m_settings["seed"] = m_options.seed;
  // Files beside config and weights that change results; the model's hash does not cover them.
  const auto folder = m_engine->folder();
  m_settings["tokenizer_sha256"] = sha256Json(folder / "tokenizer.model");
  m_settings["prompt_format_sha256"] = sha256Json(folder / "prompt_format.json");
  m_settings["eos"] = m_engine->config().eos;
  return Done{};
}

std::shared_ptr<const Tokenizer> Run::tokenizerOrNull() const {
  auto tokenizer = m_engine->tokenizer();
  return tokenizer ? *tokenizer : nullptr;
}

Result<std::shared_ptr<const Tokenizer>> Run::tokenizer() const {
  return m_engine->tokenizer();
}

void Run::notice(const std::string& text) {
  m_notices.push_back(text);
  m_console.notice(text);
}

Result<std::int64_t> Run::contextFor(std::int64_t needed, const std::string& what,
                                     const std::string& cure) {
  if (!m_options.context || *m_options.context >= needed) {
    return m_options.context.value_or(needed);
  }
  return Error{ErrorCode::InvalidArgument, what + " " + tokensText(needed) +
                                               ", --context is " +
                                               countText(*m_options.context) + "; set --context " +
                                               std::to_string(needed) + " or leave it out" + cure};
}

Json Run::envelope() const {
  Json envelope;
  envelope["version"] = kAppVersion;
  envelope["model"] =
      m_engine ? Json{{"path", m_engine->folder().string()}, {"hash", m_engine->modelHash()}}
               : Json{{"path", m_options.model.string()}, {"hash", nullptr}};
  envelope["settings"] = m_settings;
  envelope["seconds"] =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - m_start).count();
  envelope.update(m_fields);
  envelope["notices"] = m_notices;
  return envelope;
}

}  // namespace ropescope::cli
