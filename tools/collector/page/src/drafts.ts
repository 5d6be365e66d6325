// What a reader has written of samples and not saved. It outlives the opening of another sample and a reload: it is kept
// in this tab's sessionStorage, sealed to the reader's own key, since browsers may write that to disk.

import { base64, fromBase64 } from "./bytes";
import { seal, type Keyring } from "./keys";
import { LONGEST_NOTE, VERDICTS, type Verdict } from "./verdicts";

export interface Draft {
  readonly verdict: Verdict | undefined;
  readonly note: string;
}

const PREFIX = "sordino-draft/";

export class Drafts {
  readonly #drafts = new Map<string, Draft>();
  readonly #keyring: Keyring;
  /** Drafts of another reader or purpose in the same tab are not this one's. */
  readonly #prefix: string;
  /** Writes under way, one after the other for each sample. */
  readonly #writes = new Map<string, Promise<void>>();

  constructor(keyring: Keyring, purpose: string, reader: string) {
    this.#keyring = keyring;
    this.#prefix = `${PREFIX}${purpose}/${encodeURIComponent(reader)}/`;
  }

  get size(): number {
    return this.#drafts.size;
  }

  of(sample: string): Draft | undefined {
    return this.#drafts.get(sample);
  }

  /** Takes in what an earlier load of the page left, and removes what is of samples that are gone. What another key
   * opens waits for it. */
  async restore(isListed: (sample: string) => boolean): Promise<void> {
    for (const name of names(this.#prefix)) {
      const sample = name.slice(this.#prefix.length);
      if (!isListed(sample)) {
        stored()?.removeItem(name);
        continue;
      }
      const draft = await this.#read(name);
      if (draft) this.#drafts.set(sample, draft);
    }
  }

  keep(sample: string, draft: Draft): void {
    this.#drafts.set(sample, draft);
    const before = this.#writes.get(sample) ?? Promise.resolve();
    this.#writes.set(sample, before.then(() => this.#write(sample, draft)));
  }

  /** It was saved or discarded, or its sample is gone. */
  forget(sample: string): void {
    this.#drafts.delete(sample);
    stored()?.removeItem(this.#prefix + sample);
  }

  /** Forgets every draft of this tab. */
  clear(): void {
    this.#drafts.clear();
    for (const name of names(PREFIX)) stored()?.removeItem(name);
  }

  async #write(sample: string, draft: Draft): Promise<void> {
    // Only the last one is worth it.
    if (this.#drafts.get(sample) !== draft) return;
    try {
      const sealed = await seal(JSON.stringify(draft), this.#keyring.recipients);
      if (this.#drafts.get(sample) === draft) stored()?.setItem(this.#prefix + sample, base64(sealed));
    } catch {
      // The storage is full or forbidden: the draft is in memory still, and leaving asks.
    }
  }

  async #read(name: string): Promise<Draft | undefined> {
    try {
      const sealed = fromBase64(stored()?.getItem(name) ?? "");
      const { verdict, note } = JSON.parse(new TextDecoder().decode(await this.#keyring.open(sealed))) as Record<string, unknown>;
      if (typeof note !== "string") return undefined;
      const known = typeof verdict === "string" && Object.hasOwn(VERDICTS, verdict);
      return { verdict: known ? (verdict as Verdict) : undefined, note: note.slice(0, LONGEST_NOTE) };
    } catch {
      return undefined;
    }
  }
}

/** The tab's storage; none where the browser forbids it. */
function stored(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

function names(prefix: string): string[] {
  return Object.keys(stored() ?? {}).filter((name) => name.startsWith(prefix));
}
