// Forges samples of other weeks or SDK versions, damaged ones, or very many. Each is a real sample that is opened, modified,
// sealed again and written into the collector's store.
import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Decrypter, Encrypter } from "age-encryption";

const BLOCK = 512;
const STATEMENTS = `
import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30)
with database:
    for statement, values in json.load(sys.stdin):
        database.execute(statement, values)
`;

/** Changes the collector's database while it runs. */
export function change(collector, statements) {
  const words = ["-c", STATEMENTS, join(collector.data, "collector.sqlite")];
  execFileSync("python3", words, { input: JSON.stringify(statements), stdio: ["pipe", "inherit", "inherit"] });
}

/** All bytes of the given files in the collector's data folder, as one string. */
export function everythingStored(collector, files) {
  return files.map((name) => readFileSync(join(collector.data, name), "latin1")).join("\n");
}

/** The path of a sample's object. */
export function objectOf(collector, id) {
  return join(collector.data, `${id}.age`);
}

/** Flips a byte of the object. If `known`, the collector's digest is updated to match. */
export function damage(collector, id, known) {
  const bytes = readFileSync(objectOf(collector, id));
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(objectOf(collector, id), bytes);
  if (known) change(collector, [["UPDATE samples SET sha256 = ? WHERE id = ?", [digest(bytes), id]]]);
}

/** Replaces the bytes of a sample, as if they had been sent. */
export function replace(collector, id, bytes) {
  writeFileSync(objectOf(collector, id), bytes);
  change(collector, [["UPDATE samples SET sha256 = ?, bytes = ? WHERE id = ?", [digest(bytes), bytes.length, id]]]);
}

/** Copies a sample with modified manifests and returns the new ids. Each of `changes` maps a manifest to another; in its
 * result `arrived` is the week of arrival, `sound` another FLAC, and `files` additional files. */
export async function copies(collector, id, changes) {
  const { identity, plan } = collector.organization;
  const key = readFileSync(identity, "utf8").split("\n").find((line) => line.startsWith("AGE-SECRET-KEY-"));
  const [recipient] = JSON.parse(readFileSync(plan, "utf8")).recipients;
  const decrypter = new Decrypter();
  decrypter.addIdentity(key);
  const { manifest, audio } = untar(await decrypter.decrypt(readFileSync(objectOf(collector, id))));
  const statements = [];
  const ids = [];
  for (const of of changes) {
    const sample = randomBytes(16).toString("hex");
    const { arrived = manifest.week, sound = audio, files = {}, ...changed } = of({ ...structuredClone(manifest), sample });
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const sealed = await encrypter.encrypt(tar({ "manifest.json": Buffer.from(JSON.stringify(changed)), "audio.flac": sound, ...files }));
    writeFileSync(objectOf(collector, sample), sealed);
    statements.push(
      ["CREATE TEMP TABLE IF NOT EXISTS one AS SELECT * FROM samples LIMIT 0", []],
      ["DELETE FROM one", []],
      ["INSERT INTO one SELECT * FROM samples WHERE id = ?", [id]],
      ["UPDATE one SET sequence = (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'samples'), id = ?, bytes = ?, sha256 = ?, week = ?",
        [sample, sealed.length, digest(sealed), arrived]],
      ["INSERT INTO samples SELECT * FROM one", []],
      ["INSERT INTO sample_purposes SELECT id, 'quality-assurance', sequence, week FROM one", []],
    );
    ids.push(sample);
  }
  change(collector, statements);
  return ids;
}

function digest(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

function untar(archive) {
  const bytes = Buffer.from(archive);
  const files = {};
  for (let at = 0; bytes[at]; ) {
    const name = bytes.toString("latin1", at, at + 100).split("\0")[0];
    const length = Number.parseInt(bytes.toString("latin1", at + 124, at + 135), 8);
    files[name] = bytes.subarray(at + BLOCK, at + BLOCK + length);
    at += BLOCK + Math.ceil(length / BLOCK) * BLOCK;
  }
  return { manifest: JSON.parse(files["manifest.json"]), audio: files["audio.flac"] };
}

function tar(files) {
  const blocks = [];
  for (const [name, content] of Object.entries(files)) {
    const header = Buffer.alloc(BLOCK);
    header.write(name, 0);
    header.write("0000644\0" + "0000000\0" + "0000000\0", 100);
    header.write(`${content.length.toString(8).padStart(11, "0")}\0${"0".repeat(11)}\0        0`, 124);
    header.write("ustar\0" + "00", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    blocks.push(header, content, Buffer.alloc(-content.length & (BLOCK - 1)));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}
