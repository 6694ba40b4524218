#!/usr/bin/env bash
# The set-up scripts with stand-ins for apt, sudo and pip: no network, no root, nothing installed.
#   tests/setup/setup_test.sh
# shellcheck disable=SC2016,SC2317  # stand-ins are written unexpanded; expect calls the conditions
set -u
unset ROPESCOPE_LIBTORCH ROPESCOPE_JOBS
export ROPESCOPE_GPU=off  # the machine's own driver must not matter
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# A checkout of its own, and commands that only write down how they were called.
freshCheckout() {
  rm -rf "${work:?}"/*
  mkdir -p "$work/checkout/app" "$work/bin"
  cp "$here/../../app/setup.sh" "$work/checkout/app/"
  echo '{}' >"$work/checkout/CMakePresets.json"
  : >"$work/calls"
  standIn dpkg-query 'for p in "$@"; do case $p in -*) ;; *) [ "$p" = "${MISSING:-}" ] ||
    echo "installed $p" ;; esac; done'
  standIn dpkg 'exit 0'
  standIn apt-get 'exit "${APT_STATUS:-0}"'
  standIn sudo 'exit "${SUDO_STATUS:-1}"'
  standIn df 'echo Avail; echo 99999999'
  standIn ldd 'echo'
  standIn uname 'echo x86_64'
  standIn python3 'case "$*" in "-m pip --version") exit 0 ;; esac
    while [ "$1" != --target ]; do shift; done
    mkdir -p "$2/torch/lib" "$2/torch/include" "$2/torch/nn" && echo x >"$2/torch/lib/libtorch_cpu.so"
    echo x >"$2/torch/lib/libtorch_cuda.so"
    [ -z "${PIP_DIES:-}" ] || kill -9 $$
    exit "${PIP_STATUS:-0}"'
}

standIn() {  # NAME BODY
  printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\n%s\n' "$1" "$work" "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

# Runs CODE after sourcing the set-up, as the run scripts do; sets status and output.
inCheckout() {  # CODE
  output=$(PATH=$work/bin:$PATH bash -c "source '$work/checkout/app/setup.sh'; $1" 2>&1 </dev/null)
  status=$?
}

expect() {  # CLAIM CONDITION...
  local claim=$1
  shift
  if "$@"; then
    echo "ok      $claim"
  else
    echo "FAILED  $claim"
    printf '        status %s, output: %s\n' "$status" "$output"
    failures=$((failures + 1))
  fi
}

says() { [[ $output == *"$1"* ]]; }
called() { grep -q -- "$1" "$work/calls"; }
notCalled() { ! called "$1"; }
succeeded() { ((status == 0)); }
failed() { ((status == 1)); }
libtorch() { [[ $(cat "$work/checkout/.deps/libtorch/ropescope-stamp" 2>/dev/null) == "$1" ]]; }
noLibtorch() { [[ ! -e $work/checkout/.deps/libtorch ]]; }

kSetUp='takeSetup; setUp; releaseSetup'

freshCheckout
inCheckout "$kSetUp"
expect "a first set-up succeeds" succeeded
expect "without a driver the small LibTorch is fetched" called '--no-deps.*torch==2.11.0'
expect "its stamp names version and variant" libtorch "2.11.0 cpu"
expect "CUDA and Python parts are dropped" \
  test ! -e "$work/checkout/.deps/libtorch/torch/lib/libtorch_cuda.so" -a \
  ! -e "$work/checkout/.deps/libtorch/torch/nn"

: >"$work/calls"
inCheckout "$kSetUp"
expect "a second set-up succeeds" succeeded
expect "it calls no apt" notCalled apt-get
expect "it calls no pip" notCalled python3

: >"$work/calls"
export ROPESCOPE_GPU=on
inCheckout "$kSetUp"
expect "a driver that appeared brings the full set" libtorch "2.11.0 cuda"
expect "with its dependencies" notCalled '--no-deps'
export ROPESCOPE_GPU=off
inCheckout "$kSetUp"
expect "the full set stays when the driver is gone" libtorch "2.11.0 cuda"

freshCheckout
export PIP_DIES=1
inCheckout "$kSetUp"
expect "a fetch that dies fails" failed
expect "and leaves nothing that looks ready" noLibtorch
unset PIP_DIES
inCheckout "$kSetUp"
expect "running it again succeeds" libtorch "2.11.0 cpu"

freshCheckout
export PIP_STATUS=1
inCheckout "$kSetUp"
expect "a fetch without network says what to do" says "check the network"
expect "and fails" failed
unset PIP_STATUS

freshCheckout
export ROPESCOPE_LIBTORCH=$work/own
inCheckout "$kSetUp"
expect "an own LibTorch that is none is refused" says "holds no lib/libtorch_cpu.so"
mkdir -p "$work/own/lib" "$work/own/include"
: >"$work/own/lib/libtorch_cpu.so"
inCheckout "$kSetUp"
expect "an own LibTorch is taken" succeeded
expect "and nothing is fetched" notCalled torch==
unset ROPESCOPE_LIBTORCH

freshCheckout
export MISSING=ninja-build
inCheckout "$kSetUp"
if ((EUID == 0)); then
  expect "an installation that was cut off is finished first" called 'dpkg --configure -a'
  expect "a missing package is installed" called 'apt-get.*install.*ninja-build'
  expect "and only that" notCalled 'install.*cmake'
  export APT_STATUS=100
  inCheckout "$kSetUp"
  expect "when apt fails the command to run by hand is shown" \
    says "apt-get install -y --no-install-recommends ninja-build"
  unset APT_STATUS
else
  expect "without sudo the command for root is shown" \
    says "apt-get install -y --no-install-recommends ninja-build"
  expect "and it fails" failed
fi
unset MISSING

freshCheckout
standIn cmake 'echo "CMake Error: no compiler"; exit 1'
inCheckout "$kSetUp; configure release"
expect "a configure that fails shows its last lines" says "no compiler"
standIn cmake 'echo "x.cpp:1: error: no"; exit 1'
inCheckout "$kSetUp; build release all; echo went on"
expect "a build that fails says where its output is" says "build-release.log"
expect "and nothing goes on" failed

# The display functions of app/run alone: sourcing the whole would start it.
displayCode=$(sed -n '/^x11Answers()/,/^displayProblem()/p' "$here/../../app/run" | head -n -1)
hasDisplayWith() {  # NAME=VALUE...
  output=$(env -i PATH="$PATH" "$@" bash -c "$displayCode; hasDisplay" 2>&1)
  status=$?
}
hasDisplayWith DISPLAY=
expect "without a display there is none" failed
hasDisplayWith DISPLAY=:77777
expect "a display of a desktop that has ended is none" failed
hasDisplayWith DISPLAY=localhost:59000.0
expect "nor is one of an ssh connection that has ended" failed
hasDisplayWith WAYLAND_DISPLAY=wayland-0 XDG_RUNTIME_DIR="$work"
expect "nor is a Wayland name without its socket" failed
hasDisplayWith QT_QPA_PLATFORM=offscreen
expect "a named platform needs none" succeeded

exit $((failures > 0))
