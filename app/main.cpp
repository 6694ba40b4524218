// The desktop program: reads its options, builds the objects, runs the event loop.
#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTimer>
#include <cstdio>
#include <optional>

#include "app/app_info.h"
#include "app/resource_folder.h"
#include "core/engine/tensor_memory.h"
#include "ui/main_window.h"
#include "ui/screenshot_run.h"
#include "ui/settings.h"
#include "ui/text/error_text.h"
#include "ui/theme.h"

namespace {

using namespace ropescope;

constexpr int kUsageError = 2;

struct Options {
  QString model;
  QString document;
  QString rope;
  std::optional<double> factor;
  std::int64_t context = 0;
  ui::ThemeChoice theme = ui::ThemeChoice::System;
  bool themeGiven = false;
  QString screenshots;
  QString experiment;
};

int usageError(const QString& sentence) {
  std::fprintf(stderr, "ropescope: %s\n", qPrintable(sentence));
  return kUsageError;
}

void addOptions(QCommandLineParser& parser) {
  parser.setApplicationDescription(
      QObject::tr("Reads documents far longer than a model was trained for, with switchable RoPE "
                  "scaling, and shows why it works or breaks."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addOptions({
      {"model", QObject::tr("Model folder in the Hugging Face layout; default: the bundled one."),
       "DIR"},
      {"document", QObject::tr("Text to read; default: the first sample."), "FILE"},
      {"rope", QObject::tr("RoPE method; default: what the model's config says."), "METHOD"},
      {"factor", QObject::tr("Scaling factor; default: planned / trained length."), "S"},
      {"context", QObject::tr("Planned tokens; default: what document and answer need."), "N"},
      {"theme", QObject::tr("light, dark or system."), "NAME"},
      {"screenshot",
       QObject::tr("Ask the first sample's first question under YaRN (or --rope), save pictures of "
                   "the window and of every dock into DIR, and quit."),
       "DIR"},
  });
  parser.addPositionalArgument("path",
                               QObject::tr("A document, a model folder, an experiment's file, or a "
                                           "picture that carries one. An experiment is shown "
                                           "without any model, unless --model names one."),
                               "[path]");
}

// Empty when all is well, else what is wrong.
QString readOptions(const QCommandLineParser& parser, Options& options) {
  options.model = parser.value("model");
  options.document = parser.value("document");
  options.rope = parser.value("rope");
  options.screenshots = parser.value("screenshot");
  if (parser.isSet("rope") && !rope::findMethod(options.rope.toStdString())) {
    return QObject::tr("there is no RoPE method '%1'; there are %2")
        .arg(options.rope, QString::fromStdString(rope::methodIds()));
  }
  bool isNumber = true;
  if (parser.isSet("factor")) options.factor = parser.value("factor").toDouble(&isNumber);
  if (!isNumber)
    return QObject::tr("--factor is '%1'; a number is wanted").arg(parser.value("factor"));
  if (parser.isSet("context")) options.context = parser.value("context").toLongLong(&isNumber);
  if (!isNumber || options.context < 0) {
    return QObject::tr("--context is '%1'; a number of tokens is wanted")
        .arg(parser.value("context"));
  }
  options.themeGiven = parser.isSet("theme");
  if (options.themeGiven && !ui::parseTheme(parser.value("theme"), &options.theme)) {
    return QObject::tr("--theme is '%1'; light, dark or system is wanted")
        .arg(parser.value("theme"));
  }
  const QStringList rest = parser.positionalArguments();
  if (rest.size() > 1) {
    return QObject::tr("one document, model folder or experiment at most can be opened");
  }
  if (rest.size() == 1) {
    const QString& path = rest.front();
    const bool isExperiment =
        !QFileInfo(path).isDir() && experiment::mayBeExperiment(path.toStdString());
    (QFileInfo(path).isDir() ? options.model
     : isExperiment          ? options.experiment
                             : options.document) = path;
  }
  return {};
}

// Applies --rope, --factor and --context once the model is there.
void applyOnFirstModel(ui::AppModel& app, const Options& options) {
  if (options.rope.isEmpty() && !options.factor && options.context == 0) return;
  QObject::connect(
      &app, &ui::AppModel::modelChanged, &app,
      [&app, options] {
        QTimer::singleShot(0, &app, [&app, options] {
          ui::MethodSettings settings = app.method();
          if (!options.rope.isEmpty()) settings.rope = {.id = options.rope.toStdString()};
          if (options.factor) settings.rope.factor = options.factor;
          settings.contextTokens = options.context;
          app.applyMethod(settings);
        });
      },
      Qt::SingleShotConnection);
}

}  // namespace

int main(int argc, char** argv) {
  reuseTensorMemory();
  QApplication program(argc, argv);
  QApplication::setApplicationName(kAppName);
  QApplication::setApplicationVersion(kAppVersion);
  QCommandLineParser parser;
  addOptions(parser);
  parser.process(program);
  Options options;
  if (const QString wrong = readOptions(parser, options); !wrong.isEmpty())
    return usageError(wrong);
  const bool pictures = !options.screenshots.isEmpty();
  if (pictures && options.rope.isEmpty()) options.rope = QStringLiteral("yarn");

  const ui::Theme theme;
  const ui::SettingsStore store(pictures ? options.screenshots + QStringLiteral("/none.ini")
                                         : QString());
  if (!options.themeGiven) {
    options.theme = pictures ? ui::ThemeChoice::Light : store.load().theme;
  }
  theme.apply(options.theme);
  ui::EngineRunner runner;
  ui::AppModel app(runner);
  ui::ChatModel chat(app, runner);

  QString problem;  // of the bundled files; told once the window is there
  std::vector<ui::Sample> samples;
  const auto resources = findResourceFolder();
  if (!resources) {
    problem = ui::errorSentence(resources.error());
  } else if (auto read = ui::readSamples(*resources / "samples"); !read) {
    problem = ui::errorSentence(read.error());
  } else {
    samples = *std::move(read);
    app.setCalibrationsFolder(*resources / "calibrations");
  }
  const QTemporaryDir scratch;  // pictures leave nothing in the user's folders
  ui::MainWindow window({.runner = runner,
                         .app = app,
                         .chat = chat,
                         .theme = theme,
                         .store = store,
                         .samples = samples,
                         .resources = resources ? *resources : std::filesystem::path(),
                         .results = pictures ? std::filesystem::path(scratch.path().toStdString())
                                             : std::filesystem::path()});
  window.setTheme(options.theme);
  if (pictures) window.dontRemember();
  window.show();
  if (!problem.isEmpty()) window.showError(problem);

  applyOnFirstModel(app, options);
  const bool recordedOnly = !options.experiment.isEmpty() && !pictures;
  if (!options.experiment.isEmpty()) window.openExperiment(options.experiment);
  if (options.model.isEmpty() && !recordedOnly) {
    if (const auto bundled = findBundledModel())
      options.model = QString::fromStdString(bundled->string());
  }
  if (options.document.isEmpty() && !recordedOnly) {
    if (const auto sample = findFirstSample())
      options.document = QString::fromStdString(sample->string());
  }
  if (!options.model.isEmpty()) app.loadModel(options.model.toStdString());
  if (!options.document.isEmpty()) app.openDocument(options.document.toStdString());

  std::optional<ui::ScreenshotRun> run;
  if (pictures) {
    const QStringList questions = ui::questionsFor(samples, options.document.toStdString());
    run.emplace(window, app, chat,
                questions.isEmpty() ? QObject::tr("What is this text about?") : questions.front(),
                options.screenshots);
    QObject::connect(&*run, &ui::ScreenshotRun::finished, &program,
                     [](int code) { QCoreApplication::exit(code); });
  }
  return QApplication::exec();
}
