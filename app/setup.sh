# shellcheck shell=bash
# Set-up shared by app/run and tests/run (sourced, bash). Everything it makes lies in the folders
# .deps/ and build/, which git ignores; every step can be interrupted and run again. All messages
# go to stderr.
#
# Environment
#   ROPESCOPE_LIBTORCH=DIR   use this LibTorch (holds include/ and lib/) and download none
#   ROPESCOPE_GPU=on|off     fetch LibTorch with or without CUDA; otherwise: does a driver run here?
#   ROPESCOPE_JOBS=N         compile N files at a time; otherwise by cores and memory

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=$root/.deps
logs=$deps/logs

kLibtorchVersion=2.11.0
kCudaRuntimeVersion=13.0.96  # libtorch_cpu.so of the wheel loads libcudart.so.13 ...
kCudaCuptiVersion=13.0.85    # ... and libcupti.so.13, on machines without a GPU too
kPackages=(g++ cmake ninja-build pkg-config qt6-base-dev qt6-svg-dev libqcustomplot-dev
  libqcustomplot2.1-qt6 libsentencepiece-dev nlohmann-json3-dev libstb-dev fonts-dejavu-core libgtest-dev libgmock-dev)

say() { printf '%s\n' "$*" >&2; }

# fail WHAT CURE: what went wrong, and what the reader can do about it.
fail() {
  say "error: $1"
  say "  what to do: $2"
  exit 1
}

failWithLog() {  # WHAT LOG CURE
  say "--- last lines of $2"
  tail -n 15 "$2" >&2 || true
  say "---"
  fail "$1 (full output: $2)" "$3"
}

# One set-up at a time in this checkout. Descriptor 9 is closed again by releaseSetup.
takeSetup() {
  if ! mkdir -p "$logs" 2>/dev/null || ! { : >>"$deps/lock"; } 2>/dev/null || [[ ! -w $logs ]]; then
    fail "this user cannot write in $root" \
      "make the checkout writable, for example: sudo chown -R $(id -un) '$root'"
  fi
  exec 9>>"$deps/lock"
  if ! flock -n 9; then
    say "Waiting for another set-up in this checkout to finish ..."
    flock 9
  fi
  trap interrupted INT TERM
}

interrupted() {
  say "Interrupted. Nothing is broken: run the same command again to go on."
  exit 130
}

releaseSetup() {
  trap - INT TERM
  exec 9>&-
}

# ---- Debian packages

# Python with pip fetches the LibTorch wheel; nothing here needs Python afterwards.
pythonWithPip() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -m pip --version >/dev/null 2>&1; then
      printf '%s' "$candidate"
      return 0
    fi
  done
  return 1
}

missingPackages() {
  local wanted=("${kPackages[@]}") package
  if [[ -n ${WAYLAND_DISPLAY:-} && -z ${DISPLAY:-} ]]; then wanted+=(qt6-wayland); fi
  if ! libtorchIsReady && ! pythonWithPip >/dev/null; then wanted+=(python3-pip); fi
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
    sed -n 's/^installed //p') || true
  for package in "${wanted[@]}"; do
    grep -qxF -- "$package" <<<"$installed" || printf '%s\n' "$package"
  done
}

installPackages() {
  if ! command -v dpkg-query >/dev/null; then
    say "Not a Debian system: expecting the equivalents of ${kPackages[*]} to be installed."
    return
  fi
  local missing=()
  mapfile -t missing < <(missingPackages)
  if ((${#missing[@]} == 0)); then return; fi
  local command="apt-get install -y --no-install-recommends ${missing[*]}"
  local admin=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      fail "these Debian packages are missing and only root can install them: ${missing[*]}" \
        "run this as root, then start again:  apt-get update && $command"
    fi
    admin=(sudo)
    # Without a terminal nobody could type a password.
    if [[ ! -t 0 ]]; then admin+=(-n); fi
    if ! "${admin[@]}" true; then
      fail "these Debian packages are missing and sudo did not let us install them: ${missing[*]}" \
        "have an administrator run, then start again:  apt-get update && $command"
    fi
  fi
  say "Installing Debian packages: ${missing[*]}"
  local log=$logs/packages.log
  local apt=("${admin[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
  # An installation that was cut off blocks every later one until this has run.
  "${admin[@]}" env DEBIAN_FRONTEND=noninteractive dpkg --configure -a </dev/null >"$log" 2>&1 ||
    say "warning: dpkg could not finish an earlier installation; see $log"
  # An update that fails may still leave usable lists: the installation decides.
  "${apt[@]}" update </dev/null >>"$log" 2>&1 ||
    say "warning: the package lists could not be updated"
  if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1; then
    failWithLog "the Debian packages could not be installed" "$log" \
      "check the network and the free disk space, then start again; or run by hand:  $command"
  fi
}

# ---- LibTorch

hasNvidiaDriver() {
  case ${ROPESCOPE_GPU:-} in
    on) return 0 ;;
    off) return 1 ;;
  esac
  [[ -r /proc/driver/nvidia/version ]] || nvidia-smi -L >/dev/null 2>&1
}

libtorchVariant() { if hasNvidiaDriver; then echo cuda; else echo cpu; fi; }

libtorchFolder() {
  if [[ -n ${ROPESCOPE_LIBTORCH:-} ]]; then
    (cd "$ROPESCOPE_LIBTORCH" && pwd)
  else
    printf '%s' "$deps/libtorch/torch"
  fi
}

# The full set serves a machine without a driver too; the small one is not enough with a driver.
libtorchIsReady() {
  if [[ -n ${ROPESCOPE_LIBTORCH:-} ]]; then return 0; fi
  local stamp
  stamp=$(cat "$deps/libtorch/ropescope-stamp" 2>/dev/null) || return 1
  [[ $stamp == "$kLibtorchVersion cuda" || $stamp == "$kLibtorchVersion $(libtorchVariant)" ]]
}

checkNamedLibtorch() {
  if [[ ! -e $ROPESCOPE_LIBTORCH/lib/libtorch_cpu.so || ! -d $ROPESCOPE_LIBTORCH/include ]]; then
    fail "ROPESCOPE_LIBTORCH=$ROPESCOPE_LIBTORCH holds no lib/libtorch_cpu.so and include/" \
      "name the folder that holds both (in a Python installation: site-packages/torch), or unset it"
  fi
}

checkDiskSpace() {  # GIB, sets pipOptions
  local free
  free=$(($(df --output=avail -k "$deps" | tail -n 1) / 1048576))
  if ((free < $1)); then
    fail "LibTorch needs $1 GiB while it is unpacked, $deps has $free GiB free" \
      "free some space, or name a LibTorch that is already here with ROPESCOPE_LIBTORCH=DIR"
  fi
  # pip keeps a second copy of what it downloads for the next checkout, where there is room.
  if ((free < 3 * $1)); then pipOptions+=(--no-cache-dir); fi
}

# Compiling and running C++ needs include/ and lib/ only.
dropUnusedFiles() {  # FOLDER VARIANT
  local torch=$1/torch
  find "$1" -mindepth 1 -maxdepth 1 ! -name torch ! -name nvidia ! -name '*.dist-info' \
    -exec rm -rf {} +
  find "$torch" -mindepth 1 -maxdepth 1 ! -name lib ! -name include ! -name share -exec rm -rf {} +
  rm -rf "$torch"/lib/libtorch_python.so "$torch"/lib/libshm*
  if [[ $2 == cpu ]]; then
    # libtorch.so only ties the CPU and CUDA halves together.
    rm -f "$torch"/lib/{libtorch,libtorch_cuda,libtorch_cuda_linalg,libtorch_nvshmem}.so \
      "$torch"/lib/{libcaffe2_nvrtc,libtorch_global_deps}.so
  fi
}

checkLibtorchLoads() {  # FOLDER VARIANT
  local library=$1/torch/lib/libtorch_cpu.so
  if [[ $2 == cuda ]]; then library=$1/torch/lib/libtorch_cuda.so; fi
  local unresolved
  # libcuda.so.1 belongs to the driver, not to the wheel.
  unresolved=$(ldd "$library" 2>&1 | grep 'not found' | grep -v 'libcuda\.so\.1') || return 0
  fail "the downloaded LibTorch lacks libraries: $unresolved" \
    "delete $1 and start again; if it stays, name another LibTorch with ROPESCOPE_LIBTORCH=DIR"
}

installLibtorch() {
  if [[ -n ${ROPESCOPE_LIBTORCH:-} ]]; then
    checkNamedLibtorch
    return
  fi
  if libtorchIsReady; then return; fi
  if [[ $(uname -m) != x86_64 ]]; then
    fail "LibTorch is fetched for x86_64 only, this machine is $(uname -m)" \
      "install LibTorch $kLibtorchVersion yourself and name it with ROPESCOPE_LIBTORCH=DIR"
  fi
  local variant pipOptions=(--no-compile) python log=$logs/libtorch.log
  variant=$(libtorchVariant)
  python=$(pythonWithPip) || fail "no Python with pip was found to fetch LibTorch" \
    "install the package python3-pip, or name a LibTorch with ROPESCOPE_LIBTORCH=DIR"
  local partial=$deps/libtorch.partial wheels=("torch==$kLibtorchVersion")
  rm -rf "$partial" "$deps/pip.partial"
  if [[ $variant == cpu ]]; then
    say "Fetching LibTorch $kLibtorchVersion for the CPU (no NVIDIA driver here; about 550 MB) ..."
    checkDiskSpace 3
    pipOptions+=(--no-deps)
    wheels+=("nvidia-cuda-runtime==$kCudaRuntimeVersion" "nvidia-cuda-cupti==$kCudaCuptiVersion")
  else
    say "Fetching LibTorch $kLibtorchVersion with CUDA (NVIDIA driver found; about 3 GB) ..."
    checkDiskSpace 12
  fi
  # pip unpacks in TMPDIR first; on the same disk the second step is a rename.
  mkdir -p "$deps/pip.partial"
  if ! TMPDIR=$deps/pip.partial PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_ROOT_USER_ACTION=ignore \
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip install --progress-bar off "${pipOptions[@]}" \
    --only-binary=:all: --target "$partial" "${wheels[@]}" </dev/null >"$log" 2>&1; then
    local cure="check the network and the free disk space and start again; without a network name"
    cure+=" a LibTorch that is here with ROPESCOPE_LIBTORCH=DIR"
    if [[ $variant == cuda ]]; then cure+=", or take the small CPU one with ROPESCOPE_GPU=off"; fi
    failWithLog "LibTorch could not be fetched" "$log" "$cure"
  fi
  dropUnusedFiles "$partial" "$variant"
  checkLibtorchLoads "$partial" "$variant"
  echo "$kLibtorchVersion $variant" >"$partial/ropescope-stamp"
  rm -rf "$deps/pip.partial" "$deps/libtorch"
  mv "$partial" "$deps/libtorch"
}

setUp() {
  installPackages
  installLibtorch
}

# ---- Configure and build

# Compiling a LibTorch source takes up to 2 GiB.
compileJobs() {
  local kib limit cores
  kib=$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || true)
  if [[ $limit =~ ^[0-9]+$ ]] && ((limit / 1024 < kib)); then kib=$((limit / 1024)); fi
  cores=$(nproc)
  local jobs=$((kib / 2097152))
  if ((jobs > cores)); then jobs=$cores; fi
  if ((jobs < 1)); then jobs=1; fi
  echo "${ROPESCOPE_JOBS:-$jobs}"
}

# Ninja runs CMake again by itself when a CMake file changed; here: first time, other LibTorch.
configure() {  # PRESET
  local folder=$root/build/$1 torch stamp log=$logs/configure-$1.log
  torch=$(libtorchFolder)
  stamp="$torch $(cat "$deps/libtorch/ropescope-stamp" 2>/dev/null || true)"
  stamp+=" $(cksum <"$root/CMakePresets.json")"
  if [[ -f $folder/build.ninja && $(cat "$folder/setup-stamp" 2>/dev/null) == "$stamp" ]]; then
    return
  fi
  say "Configuring build/$1 ..."
  if ! (cd "$root" && cmake --preset "$1" -DROPESCOPE_LIBTORCH="$torch") \
    </dev/null >"$log" 2>&1; then
    failWithLog "CMake could not configure build/$1" "$log" \
      "mend what the message names and start again; if it is about an old cache: rm -r $folder"
  fi
  printf '%s\n' "$stamp" >"$folder/setup-stamp"
}

# Says nothing when there is nothing to do; the full output of the last build is in the log.
build() {  # PRESET TARGET...
  local preset=$1 log=$logs/build-$1.log status=0
  shift
  NINJA_STATUS='[%f/%t %es] ' cmake --build "$root/build/$preset" -j "$(compileJobs)" \
    --target "$@" </dev/null 2>&1 | tee "$log" | showBuild || status=$?
  if ((status != 0)); then
    fail "build/$preset did not compile (full output: $log)" \
      "read its first 'error:'; where the compiler was killed, memory ran out: ROPESCOPE_JOBS=1"
  fi
}

showBuild() {
  sed -u -e '/Re-checking globbed directories/d' -e '/^ninja: no work to do/d' \
    -e '/^ninja: Entering directory/d' >&2
}
