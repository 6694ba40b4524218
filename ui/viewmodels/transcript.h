// The conversation as a file: Markdown to read, JSON with everything that influenced it.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/result.h"
#include "ui/viewmodels/chat_model.h"

namespace ropescope::ui {

std::string transcriptMarkdown(const AppModel& app, const ChatModel& chat);
std::string transcriptJson(const AppModel& app, const ChatModel& chat);

// JSON when the name ends with .json, Markdown otherwise.
Status exportTranscript(const std::filesystem::path& path, const AppModel& app,
                        const ChatModel& chat);

}  // namespace ropescope::ui
