# What is checked; sourced by tools/mobile.sh and by what it runs inside its chroot.
ANDROID=(aarch64-linux-android armv7-linux-androideabi x86_64-linux-android i686-linux-android)
IOS=(aarch64-apple-ios aarch64-apple-ios-sim)
# Not phones: these read what src/ has for the other systems. Linux is checked by everything else.
DESKTOP=(aarch64-apple-darwin x86_64-pc-windows-gnu x86_64-unknown-linux-gnu)
# What a phone's app can take, leanest first.
FEATURES=("" microphone microphone,http)
