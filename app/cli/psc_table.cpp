// Commands and options of psc train.
#include "app/cli/commands.h"
#include "app/cli/option_setters.h"

namespace ropescope::cli {

std::vector<CommandSpec> pscCommands() {
  return {
      {.name = "psc train",
       .usage = "psc train --corpus FILES... --rope M --factor S --context N --steps K --out FILE",
       .summary = "Train PSC modules and LoRA pairs on top of a RoPE method.",
       .run = runPscTrain,
       .options = {"--corpus", "--steps", "--max-minutes", "--lora-rank", "--lora-alpha",
                   "--no-psc", "--init", "--rate", "--warmup", "--accumulate", "--clip",
                   "--save-every", "--out", "--resume"},
       .required = {"--corpus", "--context", "--out"},
       .examples = {"psc train --corpus books/*.txt --rope yarn --factor 4 --context 4096 --steps "
                    "60 --rate 1e-3 --out yarn-4x.safetensors",
                    "psc train --corpus books/*.txt --rope yarn --factor 4 --context 4096 --steps "
                    "60 --rate 1e-3 --no-psc --out yarn-4x-lora.safetensors --max-minutes 10"},
       .results = {"losses", "steps_done", "parameters", "tokens_per_second", "seconds"},
       .refused = {"--calibration", "--psc-strength", "--lora"},
       .dtype = "bfloat16"},
      {.name = "psc bench",
       .usage = "psc bench [--lengths N,N,...]",
       .summary = "Speed of training on this machine, beside its own matrix peak.",
       .run = runPscBench,
       .options = {"--lengths"},
       .examples = {"psc bench --lengths 1024,4096,16384 --rope pi --factor 4"},
       .results = {"machine", "training", "bytes_per_token"},
       .refused = {"--context", "--calibration", "--psc-strength", "--lora", "--force"},
       .dtype = "bfloat16"},
  };
}

std::vector<OptionSpec> pscOptions() {
  using O = Options;
  using P = PscOptions;
  using enum Arity;
  constexpr auto psc = &O::psc;
  return {
      {"--steps", "K", "updates in all, over resumed calls too (default 500)", Once,
       setWholeWithin<1, kMost, psc, &P::steps>},
      {"--lora-rank", "R", "rank of the LoRA pairs (default 8); 0: PSC modules alone", Once,
       setWholeWithin<0, 4096, psc, &P::loraRank>},
      {"--lora-alpha", "A", "LoRA scale is A / R (default: twice the rank)", Once,
       setReal<psc, &P::loraAlpha>},
      {"--no-psc", "", "train the LoRA pairs alone", Flag, setFlag<psc, &P::loraAlone>},
      {"--init", "FROM", "start from this calibration, trained for a shorter context, say", Once,
       setPath<psc, &P::init>},
      {"--rate", "LR", "learning rate after the warm-up (default 0.0002)", Once,
       setReal<psc, &P::rate>},
      {"--warmup", "N", "steps of linear warm-up (default 20)", Once,
       setWholeWithin<0, kMost, psc, &P::warmup>},
      {"--accumulate", "N", "windows whose gradients make one step (default 4)", Once,
       setWholeWithin<1, kMost, psc, &P::accumulate>},
      {"--clip", "X", "longest gradient; longer ones are shortened to it (default 1)", Once,
       setReal<psc, &P::clip>},
      {"--save-every", "N", "steps between savings (default 10)", Once,
       setWholeWithin<1, kMost, psc, &P::saveEvery>},
  };
}

}  // namespace ropescope::cli
