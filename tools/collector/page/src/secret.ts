// What is pasted, dropped and chosen at the door: a token and a key, from whatever text holds them.

/** As `sordino keygen` and `age-keygen` write it. */
const KEY = /^AGE-SECRET-KEY-1[0-9A-Z]{58}$/i;
/** As `sordino-collector token create` prints it, in a line that says what it is for. */
const TOKEN = /sordino_[0-9a-f]{64}/g;

/** Whether a key stands in the text, which must then be sent nowhere. */
export function holdsKey(text: string): boolean {
  return /AGE-SECRET-KEY-/i.test(text);
}

/** The token in a text: what has its form, or else the last word.
 * @throws where there is none that could be sent. */
export function tokenIn(text: string): string {
  if (holdsKey(text)) throw new Error("That is the key, not the token; it was sent nowhere. Clear the field and paste the token there.");
  const token = text.match(TOKEN)?.at(-1) ?? text.trim().split(/\s+/).at(-1) ?? "";
  if (token === "") throw new Error("Type the token first.");
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error("That is no token: it has characters that no token has.");
  return token;
}

/** The keys in an identity file, or in a part of it that was pasted.
 * @throws with one clear line where it holds none, or anything but comments beside them. */
export function keysIn(text: string): string[] {
  const foreign = kindOf(text);
  if (foreign) throw new Error(foreign);
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const areKeys = keys.length > 0 && keys.every((key) => KEY.test(key));
  if (!areKeys) throw new Error("That holds no age key. Give the file that `sordino keygen` wrote; it has a line AGE-SECRET-KEY-1…");
  return keys;
}

/** What a file of another kind is, and what to do about it. */
function kindOf(text: string): string | undefined {
  if (/^\s*(age-encryption\.org\/v1|-----BEGIN AGE ENCRYPTED FILE-----)/.test(text)) {
    return "That key file is encrypted with a passphrase: decrypt it with `age -d` first, and give what comes out.";
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return "That is an SSH or TLS key; samples open with an age key, AGE-SECRET-KEY-1…";
  if (/AGE-PLUGIN-/i.test(text)) return "That key is held by a plugin of age, which no browser can ask; use `sordino pull` with a key AGE-SECRET-KEY-1…";
  if (/AGE-SECRET-KEY-PQ-/i.test(text)) return "That is a post-quantum key of age; samples are sealed to keys AGE-SECRET-KEY-1…";
  return undefined;
}
