# shellcheck shell=bash disable=SC2034
# The targets and features that tools/mobile.sh checks; sourced by it and by inside.sh.
ANDROID=(aarch64-linux-android armv7-linux-androideabi x86_64-linux-android i686-linux-android)
IOS=(aarch64-apple-ios aarch64-apple-ios-sim)
# The other systems that the source has platform conditions for.
DESKTOP=(aarch64-apple-darwin x86_64-pc-windows-gnu x86_64-unknown-linux-gnu)
# Sets of features, the smallest first.
FEATURES=("" "microphone" "microphone,http")
