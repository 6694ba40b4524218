// The sentences or paragraphs of the open document, in the tokens that the model reads.
#pragma once

#include "ui/viewmodels/app_model.h"
#include "ui/viewmodels/attention_view_model.h"

namespace ropescope::ui {

// From the first token of the prompt to the document's last; empty for Granularity::Token. What
// stands before the first sentence, the BOS for one, belongs to it.
TextSegments segmentsOf(const OpenDocument& document, Granularity granularity);

// Those that end within the first `tokens` tokens.
TextSegments firstSegments(TextSegments segments, std::int64_t tokens);

}  // namespace ropescope::ui
