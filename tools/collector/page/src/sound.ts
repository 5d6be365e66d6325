// The audio of a sample on the time axis of the input: removed parts are silent, so that the timeline, the notes and the
// player share one axis.

import type { Bytes } from "./bytes";
import { MAX_SECONDS } from "./limits";
import type { Manifest } from "./manifest";
import type { OpenedSample } from "./open";

export interface Sound {
  /** Mono, in [-1, 1], on the time axis of the input. */
  readonly samples: Float32Array<ArrayBuffer>;
  readonly rate: number;
  readonly seconds: number;
  /** A WAV file for playback. */
  readonly file: Blob;
  wipe(): void;
}

/** @throws if the browser cannot decode it. */
export async function decode({ audio, declaredLength, manifest }: OpenedSample): Promise<Sound> {
  const { rate } = manifest;
  let buffer: AudioBuffer;
  try {
    // An offline context with the file's own rate avoids resampling.
    const context = new OfflineAudioContext(1, 1, rate);
    // A copy, because decoding detaches its buffer and `audio` is a view of a larger one.
    buffer = await context.decodeAudioData(audio.slice().buffer);
  } catch {
    throw new Error("its audio cannot be decoded");
  }
  const matchesHeader = buffer.numberOfChannels === 1 && (declaredLength === 0 || buffer.length === declaredLength);
  if (!matchesHeader) throw new Error("the length of its audio differs from its header");
  const decoded = buffer.getChannelData(0);
  const samples = restoreTiming(decoded, manifest);
  const wav = toWav(samples, rate);
  const file = new Blob([wav], { type: "audio/wav" });
  wav.fill(0);
  return {
    samples,
    rate,
    seconds: samples.length / rate,
    file,
    wipe() {
      decoded.fill(0);
      samples.fill(0);
    },
  };
}

/** Moves the parts of the audio to their time in the input, which `kept` lists: docs/formats.md. */
export function restoreTiming(audio: Float32Array, manifest: Pick<Manifest, "kept" | "removed" | "rate" | "anonymizer">): Float32Array<ArrayBuffer> {
  const { kept, removed, rate } = manifest;
  if (manifest.anonymizer.keepTime || kept.length === 0) return Float32Array.from(audio);
  const ends = [...kept.map(([, end]) => end), ...removed.map(({ end }) => end)];
  const seconds = Math.max(...ends, 0);
  if (seconds > MAX_SECONDS) throw new Error("its manifest covers more than two minutes");
  const samples = new Float32Array(Math.max(Math.ceil(seconds * rate), 1));
  let at = 0;
  for (const [start, end] of kept) {
    const length = Math.round((end - start) * rate);
    const part = audio.subarray(at, at + length);
    const offset = Math.round(start * rate);
    samples.set(part.subarray(0, Math.max(samples.length - offset, 0)), offset);
    at += length;
  }
  return samples;
}

function toWav(samples: Float32Array, rate: number): Bytes {
  const bytes = new Uint8Array(44 + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const writeText = (at: number, word: string) => {
    for (const [index, character] of [...word].entries()) view.setUint8(at + index, character.charCodeAt(0));
  };
  writeText(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  writeText(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  writeText(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  for (const [index, sample] of samples.entries()) {
    view.setInt16(44 + 2 * index, Math.max(-1, Math.min(1, sample)) * 32767, true);
  }
  return bytes;
}
