// Text inside a PDF file: an attached file (PDF 1.7, ISO 32000-1, sections 7.5.6 and 7.11.4),
// appended as an incremental update, so that no byte of the picture changes. Readers list it as an
// attachment.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace ropescope::picture {

// Name of the attached file.
inline constexpr std::string_view kPdfAttachment = "experiment.ropescope";

bool isPdf(std::string_view bytes);

// Errors: CorruptFile (no table of objects), Unsupported (the table is a stream, or the file has
// named objects of its own).
Result<std::string> withPdfText(std::string_view pdf, std::string_view keyword,
                                std::string_view text);
// Of a file that withPdfText() made; one that another program has packed anew gives none.
std::optional<std::string> pdfText(std::string_view pdf, std::string_view keyword);

}  // namespace ropescope::picture
