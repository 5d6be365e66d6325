// Decrypts, unpacks and validates a sample, in memory only.

import type { Bytes } from "./bytes";
import type { ListedSample, Purpose } from "./collector";
import type { Keyring } from "./keys";
import { checkFlac, MAX_MANIFEST_BYTES } from "./limits";
import { readManifest, type Manifest } from "./manifest";
import { untar } from "./tar";

export interface OpenedSample {
  readonly manifest: Manifest;
  /** FLAC, as a view of the decrypted bytes, checked against the limits of samples. */
  readonly audio: Bytes;
  /** The number of audio samples that the FLAC declares, or 0. */
  readonly declaredLength: number;
  /** Overwrites the decrypted bytes. */
  wipe(): void;
}

/** @throws if the sample is invalid. */
export async function open(sealed: Bytes, listed: ListedSample, purpose: Purpose, keyring: Keyring): Promise<OpenedSample> {
  const archive = await keyring.open(sealed);
  try {
    const files = untar(archive, 2);
    const [json, audio] = [files.get("manifest.json"), files.get("audio.flac")];
    if (!json || !audio || files.size !== 2) throw new Error("its files are not a manifest and audio");
    if (json.length > MAX_MANIFEST_BYTES) throw new Error(`its manifest is larger than ${MAX_MANIFEST_BYTES} bytes`);
    const manifest = readManifest(new TextDecoder("utf-8", { fatal: true }).decode(json));
    // The operator of the collector could swap samples, or claim other purposes.
    if (manifest.sample !== listed.id) throw new Error("its manifest belongs to another sample");
    if (manifest.consent !== listed.consent) throw new Error("its manifest names a different consent record than the list");
    if (!manifest.purposes.includes(purpose)) throw new Error(`it may not be used for ${purpose}`);
    const declaredLength = checkFlac(audio, manifest.rate);
    return { manifest, audio, declaredLength, wipe: () => void archive.fill(0) };
  } catch (error) {
    archive.fill(0);
    throw error;
  }
}
