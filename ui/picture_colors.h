// Pictures with few colours: a third of the bytes of the same PNG with all of them.
#pragma once

#include <QImage>

namespace ropescope::ui {

// The picture with at most `most` (1 … 256) opaque colours, found by median cut: the box of colours
// that spreads widest is halved until there are enough. A picture that has no more keeps every
// pixel.
QImage fewerColors(const QImage& picture, int most);

}  // namespace ropescope::ui
