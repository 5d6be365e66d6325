#!/bin/sh
# Builds the library and prints its Python face; both go to bindings/python/build/sordino, a package.
# PROFILE (dev) is Cargo's; FEATURES are those of the library, with ffi.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."

profile=${PROFILE:-dev}
features=${FEATURES:-ffi,microphone,http}
case $profile in dev) folder=debug ;; *) folder=$profile ;; esac
case $(uname -s) in Darwin) library=libsordino.dylib ;; *) library=libsordino.so ;; esac
target=${CARGO_TARGET_DIR:-target}
package=$here/build/sordino

cargo build --quiet --package sordino-bindgen
cargo build --quiet --package sordino --lib --no-default-features --features "$features" \
    --profile "$profile"

rm -rf "$package"
mkdir -p "$here/build"
cp -R "$here/sordino" "$package"
cp "$target/$folder/$library" "$package/"
# --metadata-no-deps: what it asks of Cargo would otherwise want the network.
"$target/debug/uniffi-bindgen" generate --language python --no-format \
    --metadata-no-deps --out-dir "$package" "$package/$library"
mv "$package/sordino.py" "$package/_sordino.py"
echo "built $package"
