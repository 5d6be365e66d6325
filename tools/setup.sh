#!/usr/bin/env bash
# usage: tools/setup.sh build|mobile|docs|services|packages|toolchains|ci — installs the tools of the build and of the tests.
#   build       for building: the C compiler and the ALSA headers on Debian and Ubuntu, by apt (sudo unless root)
#   mobile      for tools/mobile.sh: debootstrap and Python
#   docs        for the documentation site: Sphinx, in target/docs-venv
#   services    for the collector's tests: PostgreSQL, pgbouncer, nginx and an S3 server
#   packages    all Debian packages that tests use
#   toolchains  all other tools that tests use: Python environments, MinIO, Swift, the compilers for phones
#   ci          packages and toolchains, so that no test is skipped
# Tools that take minutes to install and are the same for each clone (MinIO, the chroots of Swift and of the compilers for
# phones, cargo-deny) are in ~/.cache/sordino (XDG_CACHE_HOME), the others in target.
set -euo pipefail
cd "$(dirname "$0")/.."

OLDEST_RUST=1.94

say() { printf '%s\n' "$*" >&2; }

check_rust() {
  command -v cargo >/dev/null || { say "Rust is not installed: install rustc and cargo $OLDEST_RUST or later"; exit 1; }
  local found; found=$(rustc --version | cut -d' ' -f2)
  if [ "$(printf '%s\n%s\n' "$OLDEST_RUST" "$found" | sort -V | head -n1)" != "$OLDEST_RUST" ]; then
    say "Rust $found is too old: $OLDEST_RUST or later is needed"; exit 1
  fi
}

# debian PACKAGE... — installs the packages that are missing. RUNLEVEL=1 keeps the packages of services from starting them.
debian() {
  command -v dpkg-query >/dev/null || return 0
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local root=(); [ "$(id -u)" = 0 ] || root=(sudo)
  say "installing ${missing[*]}"
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# venv FOLDER REQUIREMENTS — creates a Python environment in target/FOLDER with the packages in the file REQUIREMENTS.
venv() {
  local folder=target/$1 wanted=$2
  cmp -s "$wanted" "$folder/requirements.txt" && return 0
  [ -x "$folder/bin/python" ] || python3 -m venv "$folder"
  "$folder/bin/pip" install -q --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$folder/requirements.txt"
}

# Dataset readers in Python, which the tests compare with.
python_oracles() {
  venv python tools/cli/tests/requirements.txt
  local wanted=tools/cli/tests/datasets-newest.txt folder=target/python-datasets
  cmp -s "$wanted" "$folder/requirements.txt" && return 0
  rm -rf "$folder"
  target/python/bin/pip install -q --disable-pip-version-check --no-deps --target "$folder" -r "$wanted"
  cp "$wanted" "$folder/requirements.txt"
}
# mir_eval and SciPy, which the tests compare scores and statistics with.
evaluation_oracles() { venv python-eval tools/cli/tests/eval-requirements.txt; }
# The spelling checker of tools/words.py.
spelling() { venv typos tools/typos-requirements.txt; }
# The renderer of the documentation site.
docs() { venv docs-venv docs/site/requirements.txt; }
# Compares the collector with its OpenAPI document.
schemathesis() { venv schemathesis tools/collector/schemathesis/requirements.txt; }

# The Swift toolchain: the machine's own, or a chroot with Debian's.
swift_toolchain() {
  bindings/swift/toolchain.sh --ready || say "Swift is not tested here"
}

# The environments in which the Python binding is built and tested. The wheel of soundfile contains libsndfile.
python_binding() {
  local venv
  for venv in target/python-wheel target/python-test; do
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  done
  target/python-wheel/bin/pip install -q 'hatchling>=1.27,<2'
  target/python-test/bin/pip install -q numpy matplotlib -r bindings/python/tests/requirements.txt
}

# Built from source by Go, because Debian has no package of MinIO.
MINIO=github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
MINIO_OLDEST_GO=1.24

# The programs that the collector's tests start: PostgreSQL, pgbouncer, nginx, and MinIO as target/s3/minio. The tests use
# none of the machine's own services and leave none running.
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
  # A cache for this build only: it is large.
  GOTOOLCHAIN=local GOFLAGS='-p=2 -buildvcs=false' GOCACHE=$PWD/$built/cache GOBIN=$PWD/$built CGO_ENABLED=0 \
    go install -trimpath -ldflags '-s -w' "$MINIO" 2> >(grep -v '^go: downloading' >&2)
  mv "$built/minio" "$1"
  rm -rf "$built"
}

# Built from source by Cargo, because Debian has no package of it.
CARGO_DENY=0.20.2

cargo_deny() {
  local kept=${XDG_CACHE_HOME:-$HOME/.cache}/sordino/cargo-deny-$CARGO_DENY
  if [ ! -x "$kept/bin/cargo-deny" ]; then
    say "building cargo-deny, which takes minutes"
    # Without optimization and debug information, because it compiles far longer than it runs.
    CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --debug --locked --root "$kept" "cargo-deny@$CARGO_DENY"
  fi
  mkdir -p target/tools && ln -sf "$kept/bin/cargo-deny" target/tools/cargo-deny
}

# In one run of apt, because each run takes half a minute before it installs anything.
packages() {
  local wanted=(
    gcc libc6-dev pkg-config libasound2-dev                        # the build
    pulseaudio pulseaudio-utils libasound2-plugins sox             # a virtual microphone
    strace age tar openssl faketime                                # programs that tests compare with or trace by
    python3 python3-venv                                           # references, the Python binding
    xvfb xauth default-jre libgl1 fonts-dejavu-core                # the sample apps; the headless JRE has no windows
    postgresql pgbouncer nginx                                     # the collector's tests
    chromium                                                       # the review page
    debootstrap                                                    # chroots of the compilers for phones and for Swift
  )
  command -v javac >/dev/null || wanted+=(openjdk-17-jdk-headless)
  command -v mvn >/dev/null || wanted+=(maven)
  command -v npm >/dev/null || wanted+=(nodejs npm)
  command -v go >/dev/null || wanted+=(golang-go)
  debian "${wanted[@]}"
}

PAGE_OLDEST_NODE=20

# Node runs the tests of the collector's review page.
check_node() {
  local found; found=$(node --version); found=${found#v}
  [ "${found%%.*}" -ge "$PAGE_OLDEST_NODE" ] || say "Node $found is too old to test the review page: $PAGE_OLDEST_NODE or later is needed"
}

# In parallel, because most of the time is spent waiting for downloads.
toolchains() {
  local logs tool failed=0
  logs=$(mktemp -d)
  local -A running=()
  for tool in python_oracles evaluation_oracles python_binding docs spelling schemathesis s3_server cargo_deny swift_toolchain phones check_node; do
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

# The chroot of the compilers for phones.
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
