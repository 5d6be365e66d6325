// Reads the tar (POSIX ustar) with the two files of a sample, followed by zero padding: docs/formats.md.

import type { Bytes } from "./bytes";

const BLOCK = 512;

/** Returns up to `max` files by name, as views of `archive`.
 * @throws if it is not such a tar. */
export function untar(archive: Bytes, max: number): Map<string, Bytes> {
  const files = new Map<string, Bytes>();
  let at = 0;
  while (at + BLOCK <= archive.length && archive[at] !== 0) {
    const header = archive.subarray(at, at + BLOCK);
    if (text(header, 257, 5) !== "ustar") throw new Error("it does not contain a tar");
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
    if (octal(header, 148, 8) !== sum) throw new Error("a header of its tar is corrupt");
    const length = octal(header, 124, 12);
    const start = at + BLOCK;
    if (start + length > archive.length) throw new Error("its tar is truncated");
    const kind = header[156];
    if (kind !== 0 && kind !== 0x30) throw new Error("its tar contains an entry that is not a file");
    const name = text(header, 0, 100);
    if (files.size === max) throw new Error("its tar contains more files than a sample has");
    if (files.has(name)) throw new Error(`its tar contains \`${name}\` twice`);
    files.set(name, archive.subarray(start, start + length));
    at = start + Math.ceil(length / BLOCK) * BLOCK;
  }
  const rest = archive.subarray(at);
  if (rest.length < 2 * BLOCK || rest.some((byte) => byte !== 0)) throw new Error("its tar contains data after its last file");
  return files;
}

function text(header: Bytes, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function octal(header: Bytes, start: number, length: number): number {
  const digits = text(header, start, length).trim();
  if (!/^[0-7]+$/.test(digits)) throw new Error("a header of its tar is corrupt");
  return Number.parseInt(digits, 8);
}
