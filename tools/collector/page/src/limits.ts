// Limits on samples (docs/formats.md), checked before any expensive work. A sample comes from an untrusted device, so any
// part of it may be crafted to exhaust memory or time. `src/open` of the SDK has the same limits.

import type { Bytes } from "./bytes";

export const MAX_SEALED_BYTES = 8 << 20;
export const MAX_MANIFEST_BYTES = 1 << 20;
/** The maximum duration of the audio. */
export const MAX_SECONDS = 120;

const MAX_AGE_HEADER_BYTES = 16 << 10;
const MAX_STANZAS = 64;
const MAX_METADATA_BYTES = 64 << 10;
const [MIN_RATE, MAX_RATE] = [8000, 48000];

/** @throws if the header of an age file is longer than that of any sample or verdict. */
export function checkAgeHeader(sealed: Bytes): void {
  if (sealed.length > MAX_SEALED_BYTES) throw new Error("it is larger than any sample");
  const start = new TextDecoder("latin1").decode(sealed.subarray(0, MAX_AGE_HEADER_BYTES));
  if (!start.startsWith("age-encryption.org/v1\n")) throw new Error("it is damaged or not an age file");
  const mac = start.indexOf("\n---");
  const isWhole = mac >= 0 && start.includes("\n", mac + 1);
  if (!isWhole && sealed.length > MAX_AGE_HEADER_BYTES) throw new Error(`its age header is longer than ${MAX_AGE_HEADER_BYTES} bytes`);
  const stanzas = start.slice(0, Math.max(mac, 0)).split("\n-> ").length - 1;
  if (stanzas > MAX_STANZAS) throw new Error(`its age header has more than ${MAX_STANZAS} stanzas`);
}

/** Checks a FLAC file (RFC 9639) before the browser decodes it: its metadata and the total length of its frames, since a
 * constant frame of 12 bytes expands to up to 65 535 samples. Returns the declared number of samples, or 0 if none is
 * declared.
 * @throws if it is not FLAC, or exceeds the limits. */
export function checkFlac(flac: Bytes, rate: number): number {
  const magic = String.fromCharCode(...flac.subarray(0, 4));
  if (magic !== "fLaC") throw new Error("its audio is not FLAC");
  const view = new DataView(flac.buffer, flac.byteOffset, flac.byteLength);
  const audio = endOfMetadata(view);
  // STREAMINFO begins after the magic and a block header of four bytes each: 20 bits rate, 3 bits channels less one,
  // 5 bits depth less one, 36 bits samples.
  const packed = view.getUint32(18);
  const [declaredRate, channels, depth] = [packed >>> 12, ((packed >>> 9) & 7) + 1, ((packed >>> 4) & 31) + 1];
  const samples = (packed & 15) * 2 ** 32 + view.getUint32(22);
  if (channels !== 1 || depth !== 16) throw new Error("its audio is not 16-bit mono");
  if (declaredRate < MIN_RATE || declaredRate > MAX_RATE) throw new Error(`its audio has a rate of ${declaredRate} Hz; expected ${MIN_RATE} to ${MAX_RATE}`);
  if (declaredRate !== rate) throw new Error(`its audio has a rate of ${declaredRate} Hz, but its manifest states ${rate}`);
  if (Math.max(samples, samplesOfFrames(flac, audio)) > rate * MAX_SECONDS) throw new Error(`its audio is longer than ${MAX_SECONDS} s`);
  return samples;
}

function endOfMetadata(view: DataView): number {
  let at = 4;
  for (let isLast = false; !isLast; ) {
    if (at + 4 > view.byteLength) throw new Error("its audio is truncated");
    const head = view.getUint32(at);
    const [kind, length] = [(head >>> 24) & 127, head & 0xff_ffff];
    if (at === 4 && (kind !== 0 || length !== 34)) throw new Error("its audio has no STREAMINFO block");
    isLast = head >>> 31 === 1;
    at += 4 + length;
    if (at > view.byteLength) throw new Error("its audio is truncated");
    if (at > MAX_METADATA_BYTES) throw new Error("its audio has too much metadata");
  }
  return at;
}

/** An upper bound on the number of samples in all frames. Frame boundaries are known only after decoding, so every
 * position counts that a decoder could take for a frame: a sync code in a header with a valid checksum. About one in
 * eight million random bytes matches. */
function samplesOfFrames(flac: Bytes, from: number): number {
  let samples = 0;
  for (let at = from; at + 5 < flac.length; at += 1) {
    if (flac[at] === 0xff && (flac[at + 1]! & 0xfe) === 0xf8) samples += samplesOfFrame(flac, at);
  }
  return samples;
}

function samplesOfFrame(flac: Bytes, start: number): number {
  const [sizeCode, rateCode] = [flac[start + 2]! >> 4, flac[start + 2]! & 15];
  const channelCode = flac[start + 3]! >> 4;
  const numberBytes = Math.max(1, Math.clz32(~(flac[start + 4]! << 24)));
  const sizeAt = start + 4 + numberBytes;
  const sizeBytes = sizeCode === 6 ? 1 : sizeCode === 7 ? 2 : 0;
  const crcAt = sizeAt + sizeBytes + (rateCode === 12 ? 1 : rateCode > 12 ? 2 : 0);
  if (crcAt >= flac.length || crc8(flac.subarray(start, crcAt)) !== flac[crcAt]) return 0;
  const read = sizeBytes === 1 ? flac[sizeAt]! + 1 : ((flac[sizeAt]! << 8) | flac[sizeAt + 1]!) + 1;
  const size = sizeBytes > 0 ? read : sizeCode === 1 ? 192 : sizeCode < 6 ? 144 << sizeCode : 1 << sizeCode;
  return size * (channelCode < 8 ? channelCode + 1 : 2);
}

function crc8(bytes: Bytes): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x80 ? 0x07 : 0)) & 0xff;
  }
  return crc;
}
