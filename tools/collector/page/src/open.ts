// From what the collector hands out to what can be shown: opened, unpacked, checked. All in memory.

import type { Bytes } from "./bytes";
import type { Listed, Purpose } from "./collector";
import type { Keyring } from "./keys";
import { checkFlac, MAX_MANIFEST_BYTES } from "./limits";
import { readManifest, type Manifest } from "./manifest";
import { untar } from "./tar";

export interface Opened {
  readonly manifest: Manifest;
  /** FLAC: a view of the opened bytes, within the limits of samples. */
  readonly audio: Bytes;
  /** How many samples of sound it states; 0 where it states none. */
  readonly stated: number;
  /** Overwrites everything that was opened. */
  wipe(): void;
}

/** @throws with what is wrong with the sample. */
export async function open(sealed: Bytes, listed: Listed, purpose: Purpose, keyring: Keyring): Promise<Opened> {
  const archive = await keyring.open(sealed);
  try {
    const files = untar(archive, 2);
    const [json, audio] = [files.get("manifest.json"), files.get("audio.flac")];
    if (!json || !audio || files.size !== 2) throw new Error("it holds other files than a manifest and a sound");
    if (json.length > MAX_MANIFEST_BYTES) throw new Error(`its manifest is larger than ${MAX_MANIFEST_BYTES} bytes`);
    const manifest = readManifest(new TextDecoder("utf-8", { fatal: true }).decode(json));
    // Who runs the collector could put one sample in another's place, or say that it may be used for more.
    if (manifest.sample !== listed.id) throw new Error("its manifest is another sample's; the collector mixed them up");
    if (manifest.consent !== listed.consent) throw new Error("its manifest names another consent record than was listed");
    if (!manifest.purposes.includes(purpose)) throw new Error(`it may not be used for ${purpose}`);
    const stated = checkFlac(audio, manifest.rate);
    return { manifest, audio, stated, wipe: () => void archive.fill(0) };
  } catch (error) {
    archive.fill(0);
    throw error;
  }
}
