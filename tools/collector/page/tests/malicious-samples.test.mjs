// Samples crafted to exhaust memory or time in the reader's browser. Anybody who knows the recipient can send them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { copies, replace } from "./forge.mjs";
import { fixture, named } from "./fixture.mjs";

const context = fixture(({ device }) => {
  context.sample = device.send("piano-alone", named("piano-alone", "whole"));
});

const CRC8 = (bytes) => bytes.reduce((crc, byte) => {
  crc ^= byte;
  for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x80 ? 0x07 : 0)) & 0xff;
  return crc;
}, 0);
const CRC16 = (bytes) => bytes.reduce((crc, byte) => {
  crc ^= byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x8005 : 0)) & 0xffff;
  return crc;
}, 0);

/** A silent FLAC (RFC 9639): frames of 65 535 equal samples in some twelve bytes each. */
function silence(frames, { rate = 16_000, channels = 1, depth = 16, declared = 0, numbered = true, metadata = [] } = {}) {
  const info = Buffer.alloc(34);
  info.writeUInt16BE(65_535, 0);
  info.writeUInt16BE(65_535, 2);
  info.writeBigUInt64BE((BigInt(rate) << 44n) | (BigInt(channels - 1) << 41n) | (BigInt(depth - 1) << 36n) | BigInt(declared), 10);
  const blocks = [[0, info], ...metadata].map(([kind, content], at, { length }) => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(content.length);
    head[0] = kind | (at === length - 1 ? 0x80 : 0);
    return Buffer.concat([head, content]);
  });
  const audio = Array.from({ length: frames }, (_, number) => {
    const text = numbered ? [...Buffer.from(String.fromCodePoint(number))] : [0];
    // The size follows in 16 bits; the rate is STREAMINFO's; 16 bits.
    const head = [0xff, 0xf8, 0x70, ((channels - 1) << 4) | 0x08, ...text, 0xff, 0xfe];
    head.push(CRC8(head));
    const frame = [...head, ...Array.from({ length: channels }, () => [0, 0, 0]).flat()];
    const crc = CRC16(frame);
    return Buffer.from([...frame, crc >> 8, crc & 0xff]);
  });
  return Buffer.concat([Buffer.from("fLaC"), ...blocks, ...audio]);
}

/** The error messages in the queue. */
async function lines(complains) {
  const reader = await Reader.atQueue(context.collector, { name: `finder-${Math.random().toString(36).slice(2)}`, ...(complains ? { complains } : {}) });
  const found = await reader.page.locator(".rows .outcome.problem").allInnerTexts();
  await reader.open("whole");
  await reader.close();
  return found;
}

const has = (found, words) => assert.ok(found.some((line) => words.test(line)), `no line says ${words}: ${found.join(" | ")}`);

test("oversized or invalid audio is rejected before decoding", async () => {
  const sounds = [
    // 64 kB that decode to over an hour: 1.2 GB in the browser.
    [silence(5_000), /longer than 120 s/],
    // Frames that all have the same number, which no encoder writes, and a false count.
    [silence(5_000, { numbered: false, declared: 1_000 }), /longer than 120 s/],
    [silence(1, { declared: 2 ** 35 }), /longer than 120 s/],
    [silence(1, { channels: 8 }), /not 16-bit mono/],
    [silence(1, { depth: 24 }), /not 16-bit mono/],
    [silence(1, { rate: 655_350 }), /655350 Hz/],
    [silence(1, { rate: 44_100 }), /its manifest states 16000/],
    [silence(1, { metadata: [[6, Buffer.alloc(80_000)]] }), /too much metadata/],
    [silence(1).subarray(0, 20), /is truncated|no STREAMINFO/],
    [Buffer.from("RIFF....WAVEfmt "), /not FLAC/],
    [Buffer.from("OggS"), /not FLAC/],
  ];
  await copies(context.collector, context.sample, sounds.map(([sound]) => (manifest) => ({ ...manifest, sound })));
  const found = await lines();
  for (const [, words] of sounds) has(found, words);
  assert.equal(found.length, sounds.length);
});

test("audio shorter than its header declares is rejected after decoding", async () => {
  await copies(context.collector, context.sample, [(manifest) => ({
    ...manifest, sound: silence(1, { declared: 1_000_000 }), annotation: { ...manifest.annotation, tag: "short" },
  })]);
  const reader = await Reader.atQueue(context.collector, { name: "opener" });
  await reader.page.locator(".rows button", { hasText: "short" }).click();
  await reader.page.locator("#sample .problem", { hasText: "length of its audio differs from its header" }).waitFor();
  await reader.close();
});

test("an oversized age header is rejected before decryption", async () => {
  const stanza = `-> X25519 ${"A".repeat(43)}\n${"B".repeat(43)}\n`;
  const headers = [
    [`age-encryption.org/v1\n${stanza.repeat(65)}--- ${"C".repeat(43)}\n`, /more than 64 stanzas/],
    [`age-encryption.org/v1\n-> grease ${"x".repeat(20_000)}\n\n--- ${"C".repeat(43)}\n`, /longer than 16384 bytes/],
    [`age-encryption.org/v1\n${stanza.repeat(1_400)}`, /longer than 16384 bytes/],
  ];
  const ids = await copies(context.collector, context.sample, headers.map(() => (manifest) => manifest));
  headers.forEach(([header], at) => replace(context.collector, ids[at], Buffer.concat([Buffer.from(header), Buffer.alloc(200)])));
  const found = await lines();
  for (const [, words] of headers) has(found, words);
});

test("a tar with more than two files is rejected", async () => {
  await copies(context.collector, context.sample, [(manifest) => ({ ...manifest, files: { "more.json": Buffer.from("{}") } })]);
  has(await lines(), /more files than a sample has/);
});
