// Unsaved verdicts and notes. They survive opening another sample and a reload: they are kept in this tab's
// sessionStorage, sealed to the reader's own key because browsers may write that storage to disk.

import { base64, fromBase64 } from "./bytes";
import { seal, type Keyring } from "./keys";
import { MAX_NOTE_CHARS, VERDICTS, type Verdict } from "./verdicts";

export interface Draft {
  readonly verdict: Verdict | undefined;
  readonly note: string;
}

const PREFIX = "sordino-draft/";

export class Drafts {
  readonly #drafts = new Map<string, Draft>();
  readonly #keyring: Keyring;
  /** Separates drafts of other readers and purposes in the same tab. */
  readonly #prefix: string;
  /** Pending writes, serialized per sample. */
  readonly #writes = new Map<string, Promise<void>>();

  constructor(keyring: Keyring, purpose: string, reader: string) {
    this.#keyring = keyring;
    this.#prefix = `${PREFIX}${purpose}/${encodeURIComponent(reader)}/`;
  }

  get size(): number {
    return this.#drafts.size;
  }

  get(sample: string): Draft | undefined {
    return this.#drafts.get(sample);
  }

  /** Restores the drafts of an earlier load of the page and deletes those of removed samples. Drafts sealed to another key
   * are left in place. */
  async restore(isListed: (sample: string) => boolean): Promise<void> {
    for (const name of keysWithPrefix(this.#prefix)) {
      const sample = name.slice(this.#prefix.length);
      if (!isListed(sample)) {
        storage()?.removeItem(name);
        continue;
      }
      const draft = await this.#read(name);
      if (draft) this.#drafts.set(sample, draft);
    }
  }

  set(sample: string, draft: Draft): void {
    this.#drafts.set(sample, draft);
    const before = this.#writes.get(sample) ?? Promise.resolve();
    this.#writes.set(sample, before.then(() => this.#write(sample, draft)));
  }

  /** Deletes a draft that was saved or discarded, or whose sample was removed. */
  delete(sample: string): void {
    this.#drafts.delete(sample);
    storage()?.removeItem(this.#prefix + sample);
  }

  /** Deletes all drafts of this tab. */
  clear(): void {
    this.#drafts.clear();
    for (const name of keysWithPrefix(PREFIX)) storage()?.removeItem(name);
  }

  async #write(sample: string, draft: Draft): Promise<void> {
    // Only the latest draft is written.
    if (this.#drafts.get(sample) !== draft) return;
    try {
      const sealed = await seal(JSON.stringify(draft), this.#keyring.recipients);
      if (this.#drafts.get(sample) === draft) storage()?.setItem(this.#prefix + sample, base64(sealed));
    } catch {
      // The storage is full or disabled: the draft is still in memory, and leaving the page asks for confirmation.
    }
  }

  async #read(name: string): Promise<Draft | undefined> {
    try {
      const sealed = fromBase64(storage()?.getItem(name) ?? "");
      const { verdict, note } = JSON.parse(new TextDecoder().decode(await this.#keyring.open(sealed))) as Record<string, unknown>;
      if (typeof note !== "string") return undefined;
      const known = typeof verdict === "string" && Object.hasOwn(VERDICTS, verdict);
      return { verdict: known ? (verdict as Verdict) : undefined, note: note.slice(0, MAX_NOTE_CHARS) };
    } catch {
      return undefined;
    }
  }
}

/** The tab's storage; undefined if the browser disables it. */
function storage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

function keysWithPrefix(prefix: string): string[] {
  return Object.keys(storage() ?? {}).filter((name) => name.startsWith(prefix));
}
