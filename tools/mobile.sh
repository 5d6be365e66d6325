#!/usr/bin/env bash
# usage: tools/mobile.sh [setup|one-each|types|library] — checks the library for phones without a phone, an SDK or an NDK.
#   (nothing)  the checks of `types` and `library`
#   types      the library type-checks for Android and iOS, with each set of features
#   library    Android's library links, is within its size limit, and uses only symbols that Android 7.0 (API level 24) has
#   one-each   the library type-checks for one Android and one iOS target, with all features
#   setup      installs the compilers only
# Each run also checks that every platform condition in the source is true for a target that is checked.
#
# The compilers (rustc with the source of the standard library, and clang) are those of Debian's testing release, so that
# it also works where rustup cannot download targets. debootstrap installs them in ~/.cache/sordino the first time (2.2 GB;
# MIRROR names another Debian mirror). The checks run there in a chroot, as root, in a mount namespace of their own, which
# disappears when the script ends.
set -euo pipefail
cd "$(dirname "$0")/.."

RELEASE=forky
PACKAGES=(rustc cargo rust-src clang lld llvm gcc libc6-dev ca-certificates)
ROOT=${XDG_CACHE_HOME:-$HOME/.cache}/sordino/phones-$RELEASE

say() { printf '\n== %s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

main() {
  [ "$(id -u)" = 0 ] || exec sudo -E "$0" "$@"
  if [ "${SORDINO_MOUNTS:-}" != private ]; then
    SORDINO_MOUNTS=private exec unshare --mount --propagation private "$0" "$@"
  fi
  command -v debootstrap >/dev/null || fail "debootstrap is not installed: run tools/setup.sh ci"
  # shellcheck source=tools/mobile.d/targets.sh
  . tools/mobile.d/targets.sh

  mkdir -p "$ROOT"
  exec 9<"$ROOT"
  flock 9
  [ -e "$ROOT/.complete" ] || setup
  [ "${1:-}" != setup ] || return 0
  exec 9<&-
  say "platform conditions"
  python3 tools/mobile.d/platform_conditions.py "${ANDROID[@]}" "${IOS[@]}" "${DESKTOP[@]}"
  mount_all
  chroot "$ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin bash /sordino/tools/mobile.d/inside.sh "$@"
}

# Creates the chroot. An incomplete one lacks the file `.complete` and is created again.
setup() {
  say "installing the Rust and clang of Debian $RELEASE"
  find "$ROOT" -mindepth 1 -delete
  local log=$ROOT.log
  debootstrap --variant=minbase "$RELEASE" "$ROOT" "$(mirror)" /usr/share/debootstrap/scripts/sid >"$log" 2>&1 \
    || { tail -n 20 "$log" >&2; fail "debootstrap failed: $log"; }
  mount_all
  # A mirror that is a snapshot may be past its expiry date.
  local apt=(chroot "$ROOT" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Check-Valid-Until=false)
  {
    chroot "$ROOT" dpkg --add-architecture arm64 && "${apt[@]}" update \
      && "${apt[@]}" install --no-install-recommends "${PACKAGES[@]}" && "${apt[@]}" clean && unwinder
  } >>"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "installing ${PACKAGES[*]} failed: $log"; }
  touch "$ROOT/.complete"
}

# LLVM's unwinder for arm64, which is linked into the library. The NDK's unwinder is the same code, built for Android.
unwinder() {
  local inside='package=libunwind-$(clang -dumpversion | cut -d. -f1)-dev
    cd "$(mktemp -d)" && apt-get download "$package:arm64" && dpkg -x "$package"_*.deb . \
      && mkdir -p /opt/arm64 && cp usr/lib/aarch64-linux-gnu/libunwind.a /opt/arm64/'
  chroot "$ROOT" sh -c "$inside"
}

# The Debian mirror of the host.
mirror() {
  local found=${MIRROR:-}
  [ -n "$found" ] || found=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' | awk '/\/debian\/?$/ && !found++')
  [ -n "$found" ] || fail "the configuration of apt has no Debian mirror: name one, as MIRROR=… $0"
  printf '%s' "$found"
}

# Mounts the repository and Cargo's downloads, and copies the settings of Cargo and of the network. Does nothing the second
# time.
mount_all() {
  ! mountpoint -q "$ROOT/sordino" || return 0
  local cargo=${CARGO_HOME:-$HOME/.cargo} file
  mkdir -p "$ROOT/sordino" "$ROOT/root/.cargo/registry" "$cargo/registry" "$ROOT/etc/ssl/certs"
  mount -t proc proc "$ROOT/proc"
  mount --rbind /dev "$ROOT/dev"
  mount --bind "$PWD" "$ROOT/sordino"
  mount --bind "$cargo/registry" "$ROOT/root/.cargo/registry"
  for file in config.toml config; do
    if [ -e "$cargo/$file" ]; then cp -L "$cargo/$file" "$ROOT/root/.cargo/$file"; fi
  done
  for file in /etc/resolv.conf /etc/hosts; do
    if [ -e "$file" ]; then cp -L "$file" "$ROOT$file"; fi
  done
  # With the certificates that an organization has added to the host.
  file=/etc/ssl/certs/ca-certificates.crt
  if [ -e "$file" ] && ! cmp -s "$file" "$ROOT/host-certificates.crt"; then cp -L "$file" "$ROOT/host-certificates.crt"; fi
}

main "$@"
