#!/usr/bin/env bash
# The linker for Android arm64 of tools/mobile.sh: clang and lld without an NDK, with options that make the library small.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
arguments=()
for argument in "$@"; do
  case $argument in
    # UniFFI's metadata is for its generator, which reads it from a host build.
    -Wl,--version-script=*) sed -i '/^ *UNIFFI_META_/d' "${argument#*=}"; arguments+=("$argument") ;;
    *) arguments+=("$argument") ;;
  esac
done
exec clang --target=aarch64-linux-android24 -fuse-ld=lld -nostdlib -L/opt/arm64 -L"${CARGO_TARGET_DIR:-$here/../../target/phones/build}/stubs" \
  -Wl,--unresolved-symbols=ignore-all -Wl,--pack-dyn-relocs=android -Wl,-z,max-page-size=16384 \
  -Wl,--icf=all -Wl,-O2 -Wl,--no-dependent-libraries "${arguments[@]}"
