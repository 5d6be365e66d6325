// The QA key, and what is opened and sealed with it. The key never leaves the page: where the browser can, it
// becomes a CryptoKey that not even this page can read back; it is stored nowhere and sent nowhere.

import { bech32 } from "@scure/base";
import { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import type { Bytes } from "./bytes";

/** What stands before a key of 32 bytes in PKCS #8: RFC 8410. */
const PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20];
/** A file of keys is a few lines; more is another file. */
const LONGEST_FILE = 64 << 10;

export class Keyring {
  readonly #decrypter: Decrypter;
  /** The public halves, `age1…`. */
  readonly recipients: readonly string[];

  private constructor(decrypter: Decrypter, recipients: readonly string[]) {
    this.#decrypter = decrypter;
    this.recipients = recipients;
  }

  /** @throws with one clear line where the file holds no age key. */
  static async of(file: Blob): Promise<Keyring> {
    const none = "That file holds no age key. Drop the file that `sordino keygen` wrote; it has a line AGE-SECRET-KEY-1…";
    if (file.size > LONGEST_FILE) throw new Error(none);
    const lines = (await file.text()).split(/\r?\n/).map((line) => line.trim());
    const keys = lines.filter((line) => line !== "" && !line.startsWith("#"));
    if (keys.length === 0) throw new Error(none);
    const decrypter = new Decrypter();
    const recipients: string[] = [];
    for (const key of keys) {
      try {
        const identity = await unreadable(key);
        recipients.push(await identityToRecipient(identity));
        decrypter.addIdentity(identity);
      } catch {
        throw new Error(none);
      }
    }
    return new Keyring(decrypter, recipients);
  }

  /** @throws where the file is damaged or sealed to others. */
  async open(sealed: Bytes): Promise<Bytes> {
    try {
      return (await this.#decrypter.decrypt(sealed)) as Bytes;
    } catch (error) {
      const isOthers = error instanceof Error && error.message.includes("no identity matched");
      throw isOthers ? new SealedToOthers() : new Error("it is damaged, or no age file");
    }
  }
}

export class SealedToOthers extends Error {
  constructor() {
    super("it is sealed to other keys than yours");
  }
}

export async function seal(text: string, recipients: readonly string[]): Promise<Bytes> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return (await encrypter.encrypt(text)) as Bytes;
}

async function unreadable(key: string): Promise<CryptoKey | string> {
  const { prefix, bytes } = bech32.decodeToBytes(key);
  if (prefix.toUpperCase() !== "AGE-SECRET-KEY-" || bytes.length !== 32) throw new Error("no X25519 identity");
  const encoded = Uint8Array.from([...PKCS8, ...bytes]);
  try {
    return await crypto.subtle.importKey("pkcs8", encoded, { name: "X25519" }, false, ["deriveBits"]);
  } catch {
    // Browsers before X25519 in WebCrypto: the library computes with the bytes.
    return key.toUpperCase();
  } finally {
    bytes.fill(0);
    encoded.fill(0);
  }
}
