#!/usr/bin/env bash
# usage: bindings/swift/toolchain.sh [--ready] COMMAND [ARGUMENT…] — runs a command in the repository's root with a Swift
# toolchain.
#
# If `swift` is on the PATH, it is used. Otherwise, on Debian and as root, the command runs in a chroot of Debian's trixie
# release, which is created in ~/.cache/sordino the first time (3.5 GB, two minutes) and has the repository at the same path.
# The chroot is mounted in a separate mount namespace, which disappears when the command ends.
#
# With --ready it only installs the toolchain, or prints in one line what is missing for it.
set -euo pipefail
cd "$(dirname "$0")/../.."

RELEASE=trixie
# The compiler, and the dependencies of SwiftPM (git), Foundation (tzdata, ca-certificates) and libsordino (ALSA).
# libstdc++'s headers are those of the release's GCC.
PACKAGES=(swiftlang git gcc libc6-dev libstdc++-14-dev ca-certificates tzdata
  libasound2t64 libasound2-plugins procps)

repository=$PWD
chroot=${XDG_CACHE_HOME:-$HOME/.cache}/sordino/swift-$RELEASE
ready=$chroot/ready

main() {
  if command -v swift >/dev/null; then
    [ "${1:-}" = --ready ] || exec "$@"
    return
  fi
  if [ ! -f "$ready" ]; then
    mkdir -p "$(dirname "$chroot")"
    exec 9>"$chroot.lock"
    flock 9
    [ -f "$ready" ] || make_chroot
    exec 9>&-
  fi
  [ "${1:-}" = --ready ] || enter "$@"
}

missing() {
  echo "bindings/swift/toolchain.sh: swift is not on the PATH, and a chroot for it requires $1" >&2
  exit 3
}

# Creates the chroot. An incomplete one lacks the file `ready` and is created again.
make_chroot() {
  command -v apt-get >/dev/null || missing "Debian"
  command -v debootstrap >/dev/null || missing "debootstrap (tools/setup.sh ci installs it)"
  [ "$(id -u)" = 0 ] || missing "root"
  unshare --mount true 2>/dev/null || missing "the right to mount (CAP_SYS_ADMIN)"
  local mirror; mirror=$(debian_mirror)
  [ -n "$mirror" ] || missing "a Debian mirror in apt's configuration"

  echo "creating a chroot with Swift in $chroot" >&2
  rm -rf "$chroot"
  mkdir -p "$chroot"
  local log=$chroot.log
  if ! { bootstrap "$mirror" && within install_packages; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "bindings/swift/toolchain.sh: cannot create the chroot; see $log" >&2
    exit 1
  fi
  rm -rf "$chroot"/var/cache/apt/archives/*.deb "$chroot"/var/lib/apt/lists/*
  touch "$ready"
}

# The Debian mirror in this machine's apt configuration.
debian_mirror() {
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 2>/dev/null |
    awk '$1 == "Debian" && $2 !~ /security/ { print $2; exit }'
}

bootstrap() {
  # The chroot reaches the mirror with this machine's settings, including proxies.
  mkdir -p "$chroot/etc/apt/apt.conf.d"
  apt-config dump | grep -iE '^Acquire::(https?::(.*::)?Proxy|Check-Valid-Until)' \
    >"$chroot/etc/apt/apt.conf.d/90host" || true
  unshare --mount --propagation private \
    debootstrap --variant=minbase "$RELEASE" "$chroot" "$1"
  cp /etc/ssl/certs/ca-certificates.crt "$chroot/etc/host-certificates.crt" 2>/dev/null || true
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o Acquire::Check-Valid-Until=false update
  apt-get install -y --no-install-recommends "${PACKAGES[@]}"
  if [ -f /etc/host-certificates.crt ]; then
    cp /etc/host-certificates.crt /etc/ssl/certs/ca-certificates.crt
  fi
}

# Runs a function of this script in the chroot.
within() {
  enter bash -euc "$(declare -p PACKAGES); $(declare -f "$1"); $1"
}

# Runs a command in the chroot. It is the first process of a PID namespace, so its children end with it. It runs in the
# background, because unshare itself ignores signals.
enter() {
  unshare --mount --propagation private --pid --fork --kill-child bash -euc '
    chroot=$1 repository=$2; shift 2
    mount -t proc proc "$chroot/proc"
    mount --rbind /dev "$chroot/dev"
    mount -t tmpfs tmpfs "$chroot/tmp"
    mkdir -p "$chroot$repository"
    mount --bind "$repository" "$chroot$repository"
    if [ -e /etc/resolv.conf ]; then cp -L /etc/resolv.conf "$chroot/etc/resolv.conf"; fi
    exec chroot "$chroot" /usr/bin/env HOME=/root LANG=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin \
      bash -euc "cd \"\$1\"; shift; exec \"\$@\"" bash "$repository" "$@"
  ' bash "$chroot" "$repository" "$@" &
  local inside=$!
  trap 'kill -KILL "$inside" 2>/dev/null; exit 143' INT TERM HUP
  wait "$inside"
}

main "$@"
