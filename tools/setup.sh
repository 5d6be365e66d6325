#!/usr/bin/env bash
# usage: tools/setup.sh build|mobile|docs|services|packages|toolchains|ci
# What takes long to get and is the same for every clone (MinIO, the chroots of Swift and of the phones' compilers)
# is kept in ~/.cache/sordino (XDG_CACHE_HOME); all else is below target.
#   build       what building needs: on Debian and Ubuntu the ALSA headers, by apt (with sudo where not root)
#   mobile      what tools/mobile.sh needs: debootstrap and python3
#   docs        the renderer of the documentation site, in target/docs-venv
#   services    PostgreSQL, pgbouncer, nginx and an S3 server, for the collector's tests
#   packages    every package of the distribution that a test can want
#   toolchains  every other tool that a test can want: Python environments, MinIO, Swift, the phones' compilers
#   ci          both, so that no test is skipped
set -euo pipefail
cd "$(dirname "$0")/.."

OLDEST_RUST=1.94

say() { printf '%s\n' "$*" >&2; }

check_rust() {
  command -v cargo >/dev/null || { say "there is no Rust here: install rustc and cargo $OLDEST_RUST or later"; exit 1; }
  local found; found=$(rustc --version | cut -d' ' -f2)
  if [ "$(printf '%s\n%s\n' "$OLDEST_RUST" "$found" | sort -V | head -n1)" != "$OLDEST_RUST" ]; then
    say "Rust $found is too old: $OLDEST_RUST or later is needed"; exit 1
  fi
}

# Installs those of the named Debian packages that are not there. The packages of services would start them at once; at
# this run level they do not.
debian() {
  command -v dpkg-query >/dev/null || return 0
  local lacking=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || lacking+=("$package")
  done
  [ ${#lacking[@]} -gt 0 ] || return 0
  local root=(); [ "$(id -u)" = 0 ] || root=(sudo)
  say "installing ${lacking[*]}"
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${lacking[@]}" >/dev/null
}

# venv FOLDER REQUIREMENTS — a Python environment in target/FOLDER with what the file names, at its versions.
venv() {
  local folder=target/$1 wanted=$2
  cmp -s "$wanted" "$folder/requirements.txt" && return 0
  [ -x "$folder/bin/python" ] || python3 -m venv "$folder"
  "$folder/bin/pip" install -q --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$folder/requirements.txt"
}

# Readers that serve as oracles of the tests.
python_oracles() {
  venv python tools/cli/tests/requirements.txt
  local wanted=tools/cli/tests/datasets-newest.txt folder=target/python-datasets
  cmp -s "$wanted" "$folder/requirements.txt" && return 0
  rm -rf "$folder"
  target/python/bin/pip install -q --disable-pip-version-check --no-deps --target "$folder" -r "$wanted"
  cp "$wanted" "$folder/requirements.txt"
}
# mir_eval and SciPy, which scores and statistics are compared with.
evaluation_oracles() { venv python-eval tools/cli/tests/eval-requirements.txt; }
# The spelling checker of tools/words.py.
spelling() { venv typos tools/typos-requirements.txt; }
# The renderer of the documentation site.
docs() { venv docs-venv docs/site/requirements.txt; }
# What compares the collector with its OpenAPI document.
schemathesis() { venv schemathesis tools/collector/schemathesis/requirements.txt; }

# The Swift toolchain: the machine's own, or a chroot with Debian's.
swift_toolchain() {
  bindings/swift/toolchain.sh --ready || say "Swift is not tested here"
}

# What the Python binding is built and tested with; libsndfile comes in soundfile's wheel.
python_binding() {
  local venv
  for venv in target/python-wheel target/python-test; do
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  done
  target/python-wheel/bin/pip install -q 'hatchling>=1.27,<2'
  target/python-test/bin/pip install -q numpy matplotlib -r bindings/python/tests/requirements.txt
}

# A version of MinIO that the Go module proxy serves; it is built since no package of it is available here.
MINIO=github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
MINIO_OLDEST_GO=1.24

# What the collector's tests start for themselves: the programs of PostgreSQL, pgbouncer and nginx, and an S3 server, target/s3/minio.
# No service of the machine's own is used, and none is left running.
services() {
  debian postgresql pgbouncer nginx
  s3_server
}

s3_server() {
  local folder=target/s3 kept; kept=${XDG_CACHE_HOME:-$HOME/.cache}/sordino/minio-${MINIO##*@}
  [ -x "$kept" ] || build_minio "$kept"
  [ ! -x "$kept" ] || { mkdir -p "$folder" && ln -sf "$kept" "$folder/minio"; }
}

# build_minio PROGRAM
build_minio() {
  command -v go >/dev/null || debian golang-go
  local found built; found=$(go env GOVERSION); found=${found#go}
  if [ "$(printf '%s\n%s\n' "$MINIO_OLDEST_GO" "$found" | sort -V | head -n1)" != "$MINIO_OLDEST_GO" ]; then
    say "Go $found is too old to build MinIO, the tests' S3 server: $MINIO_OLDEST_GO or later is needed"; return 0
  fi
  say "building MinIO, which takes minutes"
  mkdir -p "$(dirname "$1")" target
  built=$(mktemp -d target/minio.XXXXXX)
  # Go's cache is for this one build and larger than all else here.
  GOTOOLCHAIN=local GOFLAGS='-p=2 -buildvcs=false' GOCACHE=$PWD/$built/cache GOBIN=$PWD/$built CGO_ENABLED=0 \
    go install -trimpath -ldflags '-s -w' "$MINIO" 2> >(grep -v '^go: downloading' >&2)
  mv "$built/minio" "$1"
  rm -rf "$built"
}

# All in one run of apt, since each takes half a minute before it installs anything.
packages() {
  local wanted=(
    gcc libc6-dev pkg-config libasound2-dev                        # the build
    pulseaudio pulseaudio-utils libasound2-plugins sox             # a microphone where there is none
    strace age tar openssl faketime                                # what tests look with
    python3 python3-venv                                           # oracles, the Python binding
    xvfb xauth default-jre libgl1 fonts-dejavu-core                # the sample apps; the headless JRE has no windows
    postgresql pgbouncer nginx                                     # the collector's tests
    chromium                                                       # the review page
    debootstrap                                                    # the compilers of phones and, where it is lacking, of Swift
  )
  command -v javac >/dev/null || wanted+=(openjdk-17-jdk-headless)
  command -v mvn >/dev/null || wanted+=(maven)
  command -v npm >/dev/null || wanted+=(nodejs npm)
  command -v go >/dev/null || wanted+=(golang-go)
  debian "${wanted[@]}"
}

PAGE_OLDEST_NODE=20

# What the test of the collector's review page runs in.
check_node() {
  local found; found=$(node --version); found=${found#v}
  [ "${found%%.*}" -ge "$PAGE_OLDEST_NODE" ] || say "Node $found is too old to test the review page: $PAGE_OLDEST_NODE or later is needed"
}

# At once, since each waits for another server. Each prints its log when it has failed.
toolchains() {
  local logs tool failed=0
  logs=$(mktemp -d)
  local -A running=()
  for tool in python_oracles evaluation_oracles python_binding docs spelling schemathesis s3_server swift_toolchain phones check_node; do
    ( set -e; "$tool" ) >"$logs/$tool" 2>&1 &
    running[$tool]=$!
  done
  for tool in "${!running[@]}"; do
    wait "${running[$tool]}" || { say "$tool failed:"; failed=1; }
    cat "$logs/$tool" >&2
  done
  rm -rf "$logs"
  return $failed
}

# The chroot of the phones' compilers.
phones() {
  if [ "$(id -u)" = 0 ]; then tools/mobile.sh setup; fi
}

case "${1:-}" in
  build)
    debian gcc libc6-dev pkg-config libasound2-dev
    check_rust
    ;;
  mobile)
    debian debootstrap python3
    check_rust
    ;;
  docs)
    debian python3 python3-venv
    docs
    ;;
  services)
    services
    ;;
  packages)
    packages
    check_rust
    rustup component add rustfmt clippy >/dev/null 2>&1 || true
    ;;
  toolchains)
    toolchains
    ;;
  ci)
    "$0" packages
    toolchains
    ;;
  *)
    say "usage: tools/setup.sh build|mobile|docs|services|packages|toolchains|ci"; exit 2
    ;;
esac
