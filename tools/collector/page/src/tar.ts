// The two files of a sealed sample: a tar (POSIX ustar), zeros after its end. docs/formats.md.

import type { Bytes } from "./bytes";

const BLOCK = 512;

/** The files by name, as views of `archive`: at most `most` of them.
 * @throws where it is no such tar. */
export function untar(archive: Bytes, most: number): Map<string, Bytes> {
  const files = new Map<string, Bytes>();
  let at = 0;
  while (at + BLOCK <= archive.length && archive[at] !== 0) {
    const header = archive.subarray(at, at + BLOCK);
    if (text(header, 257, 5) !== "ustar") throw new Error("it holds no tar");
    const sum = header.reduce((total, byte, place) => total + (place >= 148 && place < 156 ? 32 : byte), 0);
    if (octal(header, 148, 8) !== sum) throw new Error("a header of its tar is damaged");
    const length = octal(header, 124, 12);
    const start = at + BLOCK;
    if (start + length > archive.length) throw new Error("its tar ends early");
    const kind = header[156];
    if (kind !== 0 && kind !== 0x30) throw new Error("its tar holds something else than files");
    const name = text(header, 0, 100);
    if (files.size === most) throw new Error("its tar holds more files than a sample has");
    if (files.has(name)) throw new Error(`its tar holds \`${name}\` twice`);
    files.set(name, archive.subarray(start, start + length));
    at = start + Math.ceil(length / BLOCK) * BLOCK;
  }
  const rest = archive.subarray(at);
  if (rest.length < 2 * BLOCK || rest.some((byte) => byte !== 0)) throw new Error("something other than padding follows the files of its tar");
  return files;
}

function text(header: Bytes, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function octal(header: Bytes, start: number, length: number): number {
  const digits = text(header, start, length).trim();
  if (!/^[0-7]+$/.test(digits)) throw new Error("a header of its tar is damaged");
  return Number.parseInt(digits, 8);
}
