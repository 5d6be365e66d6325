#!/usr/bin/env bash
# The checks of tools/mobile.sh, which runs this in its chroot with the repository at /sordino.
set -euo pipefail
cd /sordino
# shellcheck source=tools/mobile.d/targets.sh
. tools/mobile.d/targets.sh
FILES=/sordino/tools/mobile.d
BUILD=/sordino/target/phones/build
# The standard library optimized for size, and without backtraces: a stripped library has no symbols for them.
STD_FEATURES=panic-unwind,optimize_for_size
# The oldest supported Android, 7.0. Older ones lack symbols that Rust's standard library needs.
API=24

say() { printf '\n== %s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

main() {
  environment
  case ${1:-all} in
    all) types; library ;;
    types) types ;;
    library) library ;;
    one-each) one_each ;;
  esac
}

# One target of each system, with all features.
one_each() {
  say "type check, by $(rustc --version)"
  check "${ANDROID[0]}" "${FEATURES[-1]}"
  check "${IOS[0]}" "${FEATURES[-1]}"
}

types() {
  say "type check, by $(rustc --version)"
  local target
  # The smaller sets of features are checked for one target of each system: they do not depend on the processor.
  for target in "${ANDROID[0]}" "${IOS[0]}"; do check "$target" "${FEATURES[@]}"; done
  for target in "${ANDROID[@]:1}" "${IOS[@]:1}"; do check "$target" "${FEATURES[-1]}"; done
  for target in "${DESKTOP[@]}"; do check "$target" ""; done
}

# The limits keep the library from growing unnoticed. docs/phones.md has the goal and what is in the way.
library() {
  say "the library of Android, arm64"
  stubs
  size "" 4300000 2000000
  size microphone,http 5800000 2500000
  same_exports "" microphone,http
}

environment() {
  export HOME=/root CARGO_TARGET_DIR=$BUILD CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0
  # Lets a stable compiler build the standard library, which Debian does not package for these targets.
  export RUSTC_BOOTSTRAP=1
  if [ -e /host-certificates.crt ]; then
    export CARGO_HTTP_CAINFO=/host-certificates.crt SSL_CERT_FILE=/host-certificates.crt
  fi
  # Debian's name of the tool that makes import libraries for Windows.
  export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS=-Cdlltool=/usr/bin/llvm-dlltool
  # The C code of ring is compiled with the headers in $FILES/include instead of an SDK's. Builds for iOS need the folder of
  # an SDK, which may be empty.
  export SDKROOT=$BUILD/no-sdk
  mkdir -p "$SDKROOT"
  local target
  for target in "${ANDROID[@]}" "${IOS[@]}" "${DESKTOP[@]}"; do
    export "CC_${target//-/_}=clang" "AR_${target//-/_}=llvm-ar"
    export "CFLAGS_${target//-/_}=-ffreestanding -isystem $FILES/include"
  done
}

# check TARGET FEATURES... — type-checks the library and the SDK with each set of features.
check() {
  local target=$1 features
  shift
  for features in "$@"; do
    cargo check --quiet --locked -Zbuild-std=std,panic_unwind --target "$target" \
      -p sordino-ffi --lib --no-default-features --features "$features" \
      || fail "sordino-ffi does not compile for $target with --features '$features'"
    printf '%-26s %s\n' "$target" "${features:-no features}"
  done
}

# Empty libraries with the names of the system's. The linker resolves nothing against them and lists all undefined symbols.
stubs() {
  local library
  mkdir -p "$BUILD/stubs"
  for library in c m dl log android aaudio; do
    clang --target=aarch64-linux-android$API -shared -nostdlib -fuse-ld=lld -Wl,-soname,lib$library.so \
      -x c /dev/null -o "$BUILD/stubs/lib$library.so"
  done
}

# size FEATURES LIMIT GOAL — links the library with these features, and fails if it has more than LIMIT bytes when stripped.
size() {
  local features=$1 limit=$2 goal=$3 library=$BUILD/libsordino-${1//,/-}.so bytes
  CARGO_TARGET_AARCH64_LINUX_ANDROID_LINKER=$FILES/linker.sh \
    cargo build --quiet --locked -Zbuild-std=std,panic_unwind "-Zbuild-std-features=$STD_FEATURES" \
    --target aarch64-linux-android -p sordino-ffi --no-default-features --features "$features" --profile mobile \
    || fail "Android's library does not link with --features '$features'"
  llvm-strip --strip-all -o "$library" "$BUILD/aarch64-linux-android/mobile/libsordino.so"
  bytes=$(stat -c %s "$library")
  printf '%s: %d bytes (limit %d, goal %d)\n' "${features:-no features}" "$bytes" "$limit" "$goal"
  symbols "$library" "$features"
  [ "$bytes" -le "$limit" ] || fail "the library with features '$features' is $((bytes - limit)) bytes over its limit"
}

# same_exports FEATURES OTHERS — checks that bindings generated from one of the two libraries can load the other.
same_exports() {
  local difference
  [ "$(exports "$1" | wc -l)" -gt 50 ] || fail "the library with features '$1' exports fewer than 50 functions"
  difference=$(diff <(exports "$1") <(exports "$2") || true)
  [ -z "$difference" ] || fail "libraries with features '$1' and '$2' export different functions: $difference"
}

exports() {
  llvm-nm --dynamic --defined-only "$BUILD/libsordino-${1//,/-}.so" | awk '{ print $NF }' | grep _sordino_ | sort
}

# symbols LIBRARY FEATURES — compares the undefined symbols of the library with tools/mobile.d/symbols.txt.
symbols() {
  local library=$1 features=$2 allowed=$API
  # cpal links AAudio, which Android has since API level 26.
  case ,$features, in *,microphone,*) allowed=26 ;; esac
  llvm-readelf --dyn-syms --wide "$library" \
    | awk '$7 == "UND" && $8 != "" { sub(/@.*/, "", $8); print $8, ($5 == "WEAK" ? "weak" : "bound") }' | sort -u \
    | awk -v allowed="$allowed" -v features="$features" '
        FNR == NR { if ($0 !~ /^#/ && NF == 3) { level[$3] = $2; from[$3] = $1 } next }
        $2 == "weak" { weak++; next }
        !($1 in level) { print "not in tools/mobile.d/symbols.txt; add the API level that introduced it: " $1; faults++; next }
        level[$1] > allowed { print "only since API level " level[$1] ": " $1 " of " from[$1]; faults++; next }
        { count[from[$1]]++; if (level[$1] > newest) newest = level[$1] }
        END {
          for (name in count) printf "  %-12s %d symbols\n", name, count[name] | "sort"
          close("sort")
          printf "  the newest of them came with API level %d; %d weak ones may lack\n", newest, weak
          exit faults > 0
        }' "$FILES/symbols.txt" - || fail "the library with features '$features' does not load on API level $allowed"
}

main "$@"
