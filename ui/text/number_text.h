// Numbers with their units, in the reader's language.
#pragma once

#include <QString>
#include <cstdint>

namespace ropescope::ui {

QString tokensText(std::int64_t tokens);    // "3,412"
QString memoryText(std::int64_t bytes);     // "1.50 GiB"
QString secondsText(double seconds);        // "0.4 s", "2 min 5 s"
QString rateText(std::int64_t tokens, double seconds);  // "1,234 tokens/s"
QString ratioText(double ratio);            // "3.3", "4"

}  // namespace ropescope::ui
