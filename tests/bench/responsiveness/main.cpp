// How long a person waits for the window, beside the time of the engine work that it needs:
//   responsiveness [--model DIR] [--lengths 16384,65536] [--read 32768]
// Offscreen unless QT_QPA_PLATFORM says otherwise. Numbers are of this machine as busy as it is.
#include <QCommandLineParser>
#include <cstdio>

#include "tests/bench/responsiveness/measurements.h"

namespace {

using namespace ropescope::bench;

std::vector<std::int64_t> numbers(const QString& text, const QString& option) {
  std::vector<std::int64_t> all;
  for (const QString& part : text.split(u',', Qt::SkipEmptyParts)) {
    bool isNumber = false;
    all.push_back(part.toLongLong(&isNumber));
    if (!isNumber || all.back() < 1024) {
      giveUp(QStringLiteral("--%1 has '%2'; token counts of 1024 and more are wanted")
                 .arg(option, part));
    }
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  WatchedApplication program(argc, argv);
  QCommandLineParser parser;
  parser.addHelpOption();
  parser.addOptions(
      {{"model", "Model folder; default: the bundled one.", "DIR",
        QStringLiteral(ROPESCOPE_RESOURCES_DIR "/models/bookworm-11m")},
       {"lengths", "Tokens to draw tiles and mosaics of; reading 65536 takes minutes.", "N,N",
        QStringLiteral("16384")},
       {"read", "Tokens to read while the GUI thread is watched; empty: not.", "N",
        QStringLiteral("32768")}});
  parser.process(program);
  const auto lengths = numbers(parser.value("lengths"), QStringLiteral("lengths"));
  const auto readings = numbers(parser.value("read"), QStringLiteral("read"));

  BenchWindow bench(parser.value("model").toStdString());
  std::printf("%d engine threads, %s\n%-44s %9s %9s %9s  %-10s %-12s\n",
              bench.app().engine()->threads(), bench.app().engine()->dtype().c_str(), "what",
              "shown", "engine", "added", "unit", "goal");
  bench.openDocument(2048);
  print(methodSwitch(bench));
  print(angleSlider(bench));
  for (const std::int64_t length : lengths) {
    bench.openDocument(length);
    bench.read();
    for (const Line& line : mapTiles(bench)) print(line);
    print(mapPanning(bench));
    print(mosaic(bench));
  }
  for (const std::int64_t length : readings) {
    for (const Line& line : reading(bench, program, length)) print(line);
  }
  return 0;
}
