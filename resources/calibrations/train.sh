#!/usr/bin/env bash
# Trains the calibrations that README.md beside this file compares.
#
#   resources/calibrations/train.sh BOOKS_DIR [PATTERN]
#
# BOOKS_DIR holds the training books (*.txt). Runs, two at a time (ROPESCOPE_JOBS) on one thread each, what
# build/calibrations does not hold yet and goes on with what was interrupted; PATTERN (a regular expression)
# chooses among the runs, which are named METHOD-SCALEx-VARIANT-seedN: "^yarn-4x-" or "seed0$". Every run
# writes NAME.safetensors and NAME.json (losses, settings, seconds).
#
# Variants, with the same windows in the same order and the same steps:
#   lora   LoRA pairs of rank 8 on q, k, v and o             122,880 parameters
#   wide   LoRA pairs of rank 34: as many parameters as psc  522,240
#   psc    LoRA pairs of rank 8 and PSC modules on q and k   516,096
#
# Follow-ups with one seed under PI and YaRN, because psc does not beat wide everywhere:
#   psc-long, wide-long   twice the steps
#   psc-fast, wide-fast   three times the learning rate
#   psc-alone             PSC modules without LoRA pairs, 393,216 parameters
#   psc-init              at 8x, started from psc at 4x
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
root=$(cd "$here/../.." && pwd) || exit 1
books=${1:?"usage: resources/calibrations/train.sh BOOKS_DIR [PATTERN]"}
pattern=${2:-.}
program=${ROPESCOPE_CLI:-$root/build/release/app/ropescope-cli}
out=${ROPESCOPE_CALIBRATIONS:-$root/build/calibrations}
trained=1024  # tokens of the bundled model
steps=60  # at 16x, where a step is one window of twice 8,192 tokens, half as many
mkdir -p "$out"

listRuns() {
  local scale seed method variant
  for scale in 4 8 16; do
    for seed in 0 1 2; do
      for method in pi yarn longrope; do
        for variant in lora psc wide; do
          echo "$method-${scale}x-$variant-seed$seed"
        done
      done
    done
  done
  for method in pi yarn; do
    for variant in psc-long wide-long psc-fast wide-fast psc-alone; do
      echo "$method-4x-$variant-seed0"
    done
    echo "$method-8x-psc-init-seed0"
  done
}

trainOne() {  # METHOD-SCALEx-VARIANT-seedN
  local name=$1
  [[ $name =~ ^([a-z]+)-([0-9]+)x-([a-z-]+)-seed([0-9]+)$ ]] || { echo "no run is named $name" >&2; return 1; }
  local method=${BASH_REMATCH[1]} scale=${BASH_REMATCH[2]} variant=${BASH_REMATCH[3]} seed=${BASH_REMATCH[4]}
  [[ -s $out/$name.json ]] && grep -q '"end": "finished"' "$out/$name.json" && return 0
  local -a options=()
  # 8,192 tokens a step, but at least one window.
  local windows=$((8192 / (scale * trained)))
  local count=$steps
  ((windows > 0)) || { windows=1 count=$((steps / 2)); }
  local warmup=$((count / 3)) rate=1e-3
  case $variant in
    lora) options+=(--no-psc --lora-rank 8) ;;
    wide*) options+=(--no-psc --lora-rank 34) ;;
    psc-alone) options+=(--lora-rank 0) ;;
    psc*) options+=(--lora-rank 8) ;;
  esac
  case $variant in
    *-long) count=$((2 * count)) ;;
    *-fast) rate=3e-3 ;;
    *-init)
      local start=$out/$method-$((scale / 2))x-${variant%-init}-seed$seed.safetensors
      [[ -s $start ]] || { echo "$name: no $start yet" >&2; return 0; }
      options+=(--init "$start")
      ;;
  esac
  if [[ $method == longrope ]]; then
    local factors=$here/bookworm-11m/longrope-${scale}x.json
    [[ -s $factors ]] || { echo "$name: no $factors yet" >&2; return 0; }
    options+=(--rope-param "factors=$factors")
  fi
  [[ -s $out/$name.safetensors.state ]] && options+=(--resume)
  echo "$name" >&2
  "$program" psc train --threads 1 --corpus "$books" --rope "$method" --factor "$scale" \
    --context $((scale * trained)) --steps $count --accumulate "$windows" --rate $rate \
    --warmup $warmup --seed "$seed" "${options[@]}" --out "$out/$name.safetensors" --json "$out/$name.json" \
    >"$out/$name.log" 2>&1 || echo "$name stopped: $(tail -n 1 "$out/$name.log")" >&2
}

export -f trainOne
export here out program books trained steps
listRuns | grep -E -- "$pattern" | xargs -P "${ROPESCOPE_JOBS:-2}" -I{} bash -c 'trainOne {}'
