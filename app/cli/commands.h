// The commands. Each fills run.fields() with what scripts read and prints what people read.
#pragma once

#include "app/cli/run.h"

namespace ropescope::cli {

Status runAsk(Run& run);
Status runGenerate(Run& run);
Status runScore(Run& run);
Status runPerplexity(Run& run);
Status runAttention(Run& run);
Status runReads(Run& run);
Status runAngles(Run& run);
Status runHeads(Run& run);
Status runContributions(Run& run);
Status runGate(Run& run);
Status runInspect(Run& run);
Status runTokenize(Run& run);
Status runBench(Run& run);
Status runRender(Run& run);
Status runPscTrain(Run& run);
Status runPscBench(Run& run);
Status runLongropeSearch(Run& run);
Status runPasskey(Run& run);
Status runNeedle(Run& run);
Status runQuestions(Run& run);
Status runSweep(Run& run);
Status runExperimentNew(Run& run);
Status runExperimentRun(Run& run);
Status runExperimentShow(Run& run);
Status renderExperiment(Run& run);  // render --experiment

}  // namespace ropescope::cli
