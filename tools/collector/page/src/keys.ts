// Decrypts and encrypts with the QA key. The key never leaves the page and is never stored: if the browser supports it, it
// becomes a CryptoKey that cannot be exported.

import { bech32 } from "@scure/base";
import { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import type { Bytes } from "./bytes";
import { checkAgeHeader } from "./limits";
import { parseKeys } from "./credentials";

/** The prefix of a 32-byte X25519 key in PKCS #8 (RFC 8410). */
const PKCS8 = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20];
/** An identity file has a few lines; a larger file is something else. */
const MAX_FILE_BYTES = 64 << 10;

export class Keyring {
  readonly #decrypter: Decrypter;
  /** The public halves, `age1…`. */
  readonly recipients: readonly string[];

  private constructor(decrypter: Decrypter, recipients: readonly string[]) {
    this.#decrypter = decrypter;
    this.recipients = recipients;
  }

  /** Reads an identity file, or the text of one.
   * @throws if it contains no age key. */
  static async fromFile(file: Blob): Promise<Keyring> {
    const isText = file.size <= MAX_FILE_BYTES;
    const decrypter = new Decrypter();
    const recipients: string[] = [];
    for (const key of parseKeys(isText ? await decodeText(file) : "")) {
      let identity: CryptoKey | string;
      try {
        identity = await importKey(key);
      } catch {
        throw new Error("The age key is damaged: its checksum does not match. Choose the file that `sordino keygen` wrote.");
      }
      recipients.push(await identityToRecipient(identity));
      decrypter.addIdentity(identity);
    }
    return new Keyring(decrypter, recipients);
  }

  /** @throws if the file is damaged or sealed to other keys. */
  async open(sealed: Bytes): Promise<Bytes> {
    checkAgeHeader(sealed);
    try {
      return (await this.#decrypter.decrypt(sealed)) as Bytes;
    } catch (error) {
      const isOthers = error instanceof Error && error.message.includes("no identity matched");
      throw isOthers ? new WrongKeyError() : new Error("it is damaged or not an age file");
    }
  }
}

export class WrongKeyError extends Error {
  constructor() {
    super("it is sealed to other keys");
  }
}

export async function seal(text: string, recipients: readonly string[]): Promise<Bytes> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return (await encrypter.encrypt(text)) as Bytes;
}

/** Decodes a file without its byte order mark: UTF-8, or UTF-16 as PowerShell writes it. */
async function decodeText(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  const text = new TextDecoder(isUtf16 ? "utf-16le" : "utf-8").decode(bytes);
  bytes.fill(0);
  return text;
}

async function importKey(key: string): Promise<CryptoKey | string> {
  const { prefix, bytes } = bech32.decodeToBytes(key);
  if (prefix.toUpperCase() !== "AGE-SECRET-KEY-" || bytes.length !== 32) throw new Error("not an X25519 identity");
  const encoded = Uint8Array.from([...PKCS8, ...bytes]);
  try {
    return await crypto.subtle.importKey("pkcs8", encoded, { name: "X25519" }, false, ["deriveBits"]);
  } catch {
    // Browsers without X25519 in WebCrypto: the library uses the bytes.
    return key.toUpperCase();
  } finally {
    bytes.fill(0);
    encoded.fill(0);
  }
}
