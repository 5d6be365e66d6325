// The sound of a sample, laid out in the time of the input: what was removed is silence there, so that the picture,
// the notes and the player have one axis.

import type { Bytes } from "./bytes";
import { MAX_SECONDS } from "./limits";
import type { Manifest } from "./manifest";
import type { Opened } from "./open";

export interface Sound {
  /** Mono, in [-1, 1], in the time of the input. */
  readonly samples: Float32Array<ArrayBuffer>;
  readonly rate: number;
  readonly seconds: number;
  /** A WAV of it, to play. */
  readonly file: Blob;
  wipe(): void;
}

/** @throws where the browser cannot decode it. */
export async function decode({ audio, stated, manifest }: Opened): Promise<Sound> {
  const { rate } = manifest;
  let buffer: AudioBuffer;
  try {
    // An offline context decodes at the file's own rate, so nothing is resampled.
    const context = new OfflineAudioContext(1, 1, rate);
    // A copy, since decoding takes its buffer away, and `audio` is a view of more.
    buffer = await context.decodeAudioData(audio.slice().buffer);
  } catch {
    throw new Error("its sound cannot be decoded");
  }
  const isAsStated = buffer.numberOfChannels === 1 && (stated === 0 || buffer.length === stated);
  if (!isAsStated) throw new Error("its sound is shorter or longer than it says");
  const heard = buffer.getChannelData(0);
  const samples = layOut(heard, manifest);
  const wav = toWav(samples, rate);
  const file = new Blob([wav], { type: "audio/wav" });
  wav.fill(0);
  return {
    samples,
    rate,
    seconds: samples.length / rate,
    file,
    wipe() {
      heard.fill(0);
      samples.fill(0);
    },
  };
}

/** `kept` says where in the input the parts stand that follow on each other in the sound: docs/formats.md. */
export function layOut(heard: Float32Array, manifest: Pick<Manifest, "kept" | "removed" | "rate" | "anonymizer">): Float32Array<ArrayBuffer> {
  const { kept, removed, rate } = manifest;
  if (manifest.anonymizer.keepTime || kept.length === 0) return Float32Array.from(heard);
  const ends = [...kept.map(([, end]) => end), ...removed.map(({ end }) => end)];
  const seconds = Math.max(...ends, 0);
  if (seconds > MAX_SECONDS) throw new Error("its manifest speaks of more than two minutes");
  const samples = new Float32Array(Math.max(Math.ceil(seconds * rate), 1));
  let at = 0;
  for (const [start, end] of kept) {
    const length = Math.round((end - start) * rate);
    const part = heard.subarray(at, at + length);
    const place = Math.round(start * rate);
    samples.set(part.subarray(0, Math.max(samples.length - place, 0)), place);
    at += length;
  }
  return samples;
}

function toWav(samples: Float32Array, rate: number): Bytes {
  const bytes = new Uint8Array(44 + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const text = (at: number, word: string) => {
    for (const [place, character] of [...word].entries()) view.setUint8(at + place, character.charCodeAt(0));
  };
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  for (const [place, sample] of samples.entries()) {
    view.setInt16(44 + 2 * place, Math.max(-1, Math.min(1, sample)) * 32767, true);
  }
  return bytes;
}
