#!/usr/bin/env bash
# usage: tools/mobile.sh [setup|one-each|types|library] — checks the crate for phones, as far as possible without a phone, an SDK or an NDK:
#   1  every condition on the platform in src/ belongs to a target that is checked
#   2  types: the crate type-checks for Android and iOS, with each set of features that a phone takes
#   3  library: Android's library is linked, stripped, and no larger than it may be
#   4  what it asks of the system is there since Android 7.0 (API level 24)
# A Rust that can add targets needs none of this for itself; where rustup cannot download, Debian's testing
# release carries what does: rustc with the source of its library, and clang. It is laid by debootstrap in
# ~/.cache/sordino (2.2 GB, once; MIRROR overrides the host's own), entered as root, and all that is mounted
# for it is in a mount namespace that goes with the script, however it ends. `setup` only prepares that; anyone who
# comes meanwhile waits for it. `one-each` checks one Android and one iOS target, with all features.
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
  command -v debootstrap >/dev/null || fail "there is no debootstrap: run tools/setup.sh ci"
  # shellcheck source=tools/mobile.d/targets.sh
  . tools/mobile.d/targets.sh

  mkdir -p "$ROOT"
  exec 9<"$ROOT"
  flock 9
  [ -e "$ROOT/.complete" ] || setup
  [ "${1:-}" != setup ] || return 0
  exec 9<&-
  say "conditions on the platform"
  python3 tools/mobile.d/covered.py "${ANDROID[@]}" "${IOS[@]}" "${DESKTOP[@]}"
  mount_all
  chroot "$ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin bash /sordino/tools/mobile.d/inside.sh "$@"
}

# The chroot, from nothing. Only a complete one is taken for one the next time.
setup() {
  say "laying Debian $RELEASE for its Rust and clang"
  find "$ROOT" -mindepth 1 -delete
  local log=$ROOT.log
  debootstrap --variant=minbase "$RELEASE" "$ROOT" "$(mirror)" /usr/share/debootstrap/scripts/sid >"$log" 2>&1 \
    || { tail -n 20 "$log" >&2; fail "debootstrap failed: $log"; }
  mount_all
  # The mirror may be a snapshot that is older than its own date of expiry.
  local apt=(chroot "$ROOT" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Check-Valid-Until=false)
  {
    chroot "$ROOT" dpkg --add-architecture arm64 && "${apt[@]}" update \
      && "${apt[@]}" install --no-install-recommends "${PACKAGES[@]}" && "${apt[@]}" clean && unwinder
  } >>"$log" 2>&1 || { tail -n 20 "$log" >&2; fail "installing ${PACKAGES[*]} failed: $log"; }
  touch "$ROOT/.complete"
}

# LLVM's unwinder for arm64, to be linked into the library: an NDK's own is the same code, made for Android.
unwinder() {
  local inside='package=libunwind-$(clang -dumpversion | cut -d. -f1)-dev
    cd "$(mktemp -d)" && apt-get download "$package:arm64" && dpkg -x "$package"_*.deb . \
      && mkdir -p /opt/arm64 && cp usr/lib/aarch64-linux-gnu/libunwind.a /opt/arm64/'
  chroot "$ROOT" sh -c "$inside"
}

# Where the host itself takes Debian from.
mirror() {
  local found=${MIRROR:-}
  [ -n "$found" ] || found=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' | awk '/\/debian\/?$/ && !found++')
  [ -n "$found" ] || fail "this host takes no packages from a Debian mirror: name one, MIRROR=… $0"
  printf '%s' "$found"
}

# The repository, Cargo's downloads and settings, and the host's way to the network. Done twice, it is done once.
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
  # An organization's own certificates count inside too.
  file=/etc/ssl/certs/ca-certificates.crt
  if [ -e "$file" ] && ! cmp -s "$file" "$ROOT/host-certificates.crt"; then cp -L "$file" "$ROOT/host-certificates.crt"; fi
}

main "$@"
