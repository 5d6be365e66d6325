// Parses the token and the key from pasted, dropped or chosen text.

/** An identity as `sordino keygen` and `age-keygen` write it. */
const KEY = /^AGE-SECRET-KEY-1[0-9A-Z]{58}$/i;
/** A token as `sordino-collector token create` prints it within a line. */
const TOKEN = /sordino_[0-9a-f]{64}/g;

/** Whether the text contains a key and so must not be sent. */
export function containsKey(text: string): boolean {
  return /AGE-SECRET-KEY-/i.test(text);
}

/** Extracts the token from a text: the last match of its format, or else the last word.
 * @throws if there is no usable token. */
export function parseToken(text: string): string {
  if (containsKey(text)) throw new Error("That is the key, not the token; it was not sent. Clear the field and paste the token.");
  const token = text.match(TOKEN)?.at(-1) ?? text.trim().split(/\s+/).at(-1) ?? "";
  if (token === "") throw new Error("Type the token first.");
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error("Invalid token: it contains characters that no token has.");
  return token;
}

/** Extracts the keys from an identity file or from pasted lines of one.
 * @throws if it contains no key, or anything except keys and comments. */
export function parseKeys(text: string): string[] {
  const unsupported = describeOtherKey(text);
  if (unsupported) throw new Error(unsupported);
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const areKeys = keys.length > 0 && keys.every((key) => KEY.test(key));
  if (!areKeys) throw new Error("No age key found. Choose the file that `sordino keygen` wrote; it has a line AGE-SECRET-KEY-1…");
  return keys;
}

/** An error message for a key of an unsupported kind. */
function describeOtherKey(text: string): string | undefined {
  if (/^\s*(age-encryption\.org\/v1|-----BEGIN AGE ENCRYPTED FILE-----)/.test(text)) {
    return "That key file is encrypted with a passphrase: decrypt it with `age -d` and choose the result.";
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return "That is an SSH or TLS key; samples are decrypted with an age key, AGE-SECRET-KEY-1…";
  if (/AGE-PLUGIN-/i.test(text)) return "That key belongs to an age plugin, which a browser cannot run; use `sordino pull` with a key AGE-SECRET-KEY-1…";
  if (/AGE-SECRET-KEY-PQ-/i.test(text)) return "That is a post-quantum age key; samples are sealed to keys AGE-SECRET-KEY-1…";
  return undefined;
}
