// The QA key, and what is opened and sealed with it. The key never leaves the page: where the browser can, it
// becomes a CryptoKey that not even this page can read back; it is stored nowhere and sent nowhere.

import { bech32 } from "@scure/base";
import { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import type { Bytes } from "./bytes";
import { checkAgeHeader } from "./limits";
import { keysIn } from "./secret";

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

  /** Of an identity file, or the text of one.
   * @throws with one clear line where it holds no age key. */
  static async of(file: Blob): Promise<Keyring> {
    const isText = file.size <= LONGEST_FILE;
    const decrypter = new Decrypter();
    const recipients: string[] = [];
    for (const key of keysIn(isText ? await textOf(file) : "")) {
      let identity: CryptoKey | string;
      try {
        identity = await unreadable(key);
      } catch {
        throw new Error("That age key is damaged: a letter of it was changed or lost. Give the file that `sordino keygen` wrote.");
      }
      recipients.push(await identityToRecipient(identity));
      decrypter.addIdentity(identity);
    }
    return new Keyring(decrypter, recipients);
  }

  /** @throws where the file is damaged or sealed to others. */
  async open(sealed: Bytes): Promise<Bytes> {
    checkAgeHeader(sealed);
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

/** What a file says, without its byte order mark: UTF-8, or UTF-16 as PowerShell writes it. */
async function textOf(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  const text = new TextDecoder(isUtf16 ? "utf-16le" : "utf-8").decode(bytes);
  bytes.fill(0);
  return text;
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
