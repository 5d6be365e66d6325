// What the page knows: the samples that are listed, what is opened of them, what was said of them. All of it in
// memory. Views are told when it changes.

import type { Bytes } from "./bytes";
import { Collector, Refused, Unreachable, type Listed, type StoredReview, type VerdictsSetting } from "./collector";
import { Drafts } from "./drafts";
import { SealedToOthers, type Keyring } from "./keys";
import type { Manifest } from "./manifest";
import { compare, type Comparison } from "./notes";
import { open, type Opened } from "./open";
import { keep, read, weekOf, type Review, type Verdict } from "./verdicts";

export interface Entry {
  readonly listed: Listed;
  /** Its place in the order of arrival. */
  readonly place: number;
  state: "waiting" | "open" | "unreadable";
  /** Why it is not open. */
  why: string;
  manifest: Manifest | undefined;
  comparison: Comparison | undefined;
  readonly reviews: Map<string, Review>;
  assignee: string | undefined;
}

/** Samples that are opened at a time: enough to fill the line, few enough to keep the page quick. */
const AT_ONCE = 4;
/** How often withdrawals and verdicts of others are asked for: thrice within the promised minute. */
const POLL_MS = 20_000;
/** Sealed samples that are kept, so that looking at one does not fetch it again, in bytes. */
const KEPT_BYTES = 48 << 20;

type Change = "list" | "verdicts" | "gone" | "line";

export class Desk {
  readonly entries = new Map<string, Entry>();
  /** Whether all that is listed has been looked into. */
  settled = false;
  /** What is wrong with the line to the collector, while it is. */
  trouble = "";
  setting: VerdictsSetting = "sealed";
  reader = "";
  /** What the reader has written and not saved; known once {@link begin} has ended. */
  drafts!: Drafts;
  readonly #sealed = new Map<string, Bytes>();
  #sealedBytes = 0;
  readonly #listeners = new Set<(change: Change, ids: readonly string[]) => void>();
  readonly #cursors: { samples?: string; withdrawn?: string; reviews?: string } = {};
  #recipients: Promise<readonly string[]> | undefined;
  #stopped = false;
  #place = 0;

  constructor(readonly collector: Collector, readonly keyring: Keyring) {}

  onChange(listener: (change: Change, ids: readonly string[]) => void): void {
    this.#listeners.add(listener);
  }

  /** Reads the lists once; from then on they are kept up to date.
   * @throws {Refused} where the token is not taken. */
  async begin(): Promise<void> {
    await this.#readReviews();
    await this.#readWithdrawn();
    await this.#readSamples();
    this.drafts = new Drafts(this.keyring, this.collector.purpose, this.reader);
    await this.drafts.restore((sample) => this.entries.has(sample));
    void this.#look();
    void this.#poll();
  }

  /** Keeps what the reader has written of a sample, or forgets it where that is nothing new. */
  draft(entry: Entry, verdict: Verdict | undefined, note: string): void {
    const { id } = entry.listed;
    const saved = entry.reviews.get(this.reader);
    const isNew = verdict !== saved?.verdict || note.trim() !== (saved?.note ?? "");
    if (isNew) this.drafts.keep(id, { verdict, note });
    else this.drafts.forget(id);
    this.#tell("verdicts", [id]);
  }

  stop(): void {
    this.#stopped = true;
    this.#sealed.clear();
    this.entries.clear();
  }

  async open(entry: Entry): Promise<Opened> {
    const { listed } = entry;
    const sealed = this.#sealed.get(listed.id) ?? (await this.collector.sample(listed));
    this.#keep(listed.id, sealed);
    const opened = await open(sealed, listed, this.collector.purpose, this.keyring);
    if (!this.entries.has(listed.id)) {
      opened.wipe();
      throw new Error("it was withdrawn meanwhile");
    }
    return opened;
  }

  async say(entry: Entry, verdict: Verdict, note: string): Promise<void> {
    await keep(this.collector, this.setting, () => this.#recipientsOfPlan(), entry.listed.id, verdict, note);
    entry.reviews.set(this.reader, { reader: this.reader, week: weekOf(new Date()), verdict, note });
    // What was written meanwhile stays a draft.
    const draft = this.drafts.of(entry.listed.id);
    if (draft?.verdict === verdict && draft.note.trim() === note) this.drafts.forget(entry.listed.id);
    this.#tell("verdicts", [entry.listed.id]);
  }

  async assign(entry: Entry, reader: string | undefined): Promise<void> {
    await this.collector.assign(entry.listed.id, reader ?? null);
    entry.assignee = reader;
    this.#tell("verdicts", [entry.listed.id]);
  }

  /** A voice was heard in it: it is gone for everybody. */
  async quarantine(entry: Entry, manifest: Manifest): Promise<void> {
    await this.collector.quarantine(entry.listed.id, manifest.anonymizer.version);
    this.#drop([entry.listed.id]);
  }

  async #recipientsOfPlan(): Promise<readonly string[]> {
    this.#recipients ??= this.collector.recipients();
    try {
      return await this.#recipients;
    } catch (error) {
      this.#recipients = undefined;
      if (error instanceof Refused && error.problem === "no-plan") {
        throw new Error("The collector serves no plan, so there is nobody to seal a verdict to. Its operator can load one, or set `--verdicts plain`.");
      }
      throw error;
    }
  }

  async #readSamples(): Promise<void> {
    for (;;) {
      const { samples, next } = await this.collector.samples(this.#cursors.samples);
      this.#cursors.samples = next;
      if (samples.length === 0) return;
      for (const listed of samples) {
        const early = this.#early.get(listed.id);
        this.#early.delete(listed.id);
        this.entries.set(listed.id, {
          listed,
          place: this.#place++,
          state: "waiting",
          why: "",
          manifest: undefined,
          comparison: undefined,
          reviews: early?.reviews ?? new Map(),
          assignee: early?.assignee,
        });
      }
      this.settled = false;
      this.#tell("list", samples.map(({ id }) => id));
    }
  }

  /** What was said of samples that are not listed yet. */
  readonly #early = new Map<string, { reviews: Map<string, Review>; assignee: string | undefined }>();

  #toldOf(sample: string): { reviews: Map<string, Review>; assignee: string | undefined } {
    const entry = this.entries.get(sample) ?? this.#early.get(sample);
    if (entry) return entry;
    const early = { reviews: new Map<string, Review>(), assignee: undefined };
    this.#early.set(sample, early);
    return early;
  }

  async #readReviews(): Promise<void> {
    for (;;) {
      const page = await this.collector.reviews(this.#cursors.reviews);
      this.#cursors.reviews = page.next;
      this.setting = page.verdicts;
      this.reader = page.reader;
      if (page.reviews.length + page.assignments.length === 0) return;
      for (const { sample, reader } of page.assignments) this.#toldOf(sample).assignee = reader ?? undefined;
      await Promise.all(page.reviews.map((stored) => this.#readReview(stored)));
      this.#tell("verdicts", page.reviews.map(({ sample }) => sample));
    }
  }

  async #readReview(stored: StoredReview): Promise<void> {
    const review = await read(stored, this.keyring);
    this.#toldOf(stored.sample).reviews.set(stored.reader, review);
  }

  async #readWithdrawn(): Promise<void> {
    for (;;) {
      const { ids, next } = await this.collector.withdrawn(this.#cursors.withdrawn);
      this.#cursors.withdrawn = next;
      if (ids.length === 0) return;
      this.#drop(ids);
    }
  }

  #drop(ids: readonly string[]): void {
    const gone = ids.filter((id) => this.entries.delete(id));
    for (const id of ids) {
      this.drafts?.forget(id);
      this.#sealedBytes -= this.#sealed.get(id)?.length ?? 0;
      this.#sealed.delete(id);
      this.#early.delete(id);
    }
    if (gone.length > 0) this.#tell("gone", gone);
  }

  async #poll(): Promise<void> {
    while (!this.#stopped) {
      await pause(POLL_MS);
      if (this.#stopped) return;
      try {
        // Withdrawals first: nothing is worth more than that they take effect.
        await this.#readWithdrawn();
        await this.#readReviews();
        await this.#readSamples();
        this.#say("");
        void this.#look();
      } catch (error) {
        this.#say(error instanceof Error ? error.message : String(error));
      }
    }
  }

  #looking = false;

  /** Looks into each sample that is waiting, a few at a time. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const waiting = [...this.entries.values()].filter(({ state }) => state === "waiting").values();
    const worker = async () => {
      for (const entry of waiting) {
        if (this.#stopped) return;
        await this.#lookInto(entry);
        // Lets the page draw and answer keys between two samples.
        await pause(0);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    this.#looking = false;
    this.settled = ![...this.entries.values()].some(({ state }) => state === "waiting");
    this.#tell("list", []);
  }

  async #lookInto(entry: Entry): Promise<void> {
    const { id } = entry.listed;
    if (!this.entries.has(id)) return;
    try {
      const opened = await this.open(entry);
      entry.manifest = opened.manifest;
      entry.comparison = compare(opened.manifest.annotation, opened.manifest.kept);
      entry.state = "open";
      opened.wipe();
    } catch (error) {
      // It stays waiting, and the next round tries again.
      if (error instanceof Unreachable || (error instanceof Refused && (error.status > 500 || error.status === 429))) return;
      if (error instanceof Refused && error.status === 410) return this.#drop([id]);
      entry.state = "unreadable";
      entry.why = whyNot(error);
      if (error instanceof SealedToOthers) this.sealedToOthers += 1;
    }
    this.#tell("list", [id]);
  }

  /** How many samples do not open with this key. */
  sealedToOthers = 0;

  #keep(id: string, sealed: Bytes): void {
    if (this.#sealed.has(id)) return;
    this.#sealed.set(id, sealed);
    this.#sealedBytes += sealed.length;
    for (const [oldest, { length }] of this.#sealed) {
      if (this.#sealedBytes <= KEPT_BYTES) break;
      this.#sealed.delete(oldest);
      this.#sealedBytes -= length;
    }
  }

  #say(trouble: string): void {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    this.#tell("line", []);
  }

  #tell(change: Change, ids: readonly string[]): void {
    for (const listener of this.#listeners) listener(change, ids);
  }
}

function whyNot(error: unknown): string {
  if (error instanceof Refused && error.status === 500) return "the collector cannot hand it out; its log says why";
  return error instanceof Error ? error.message : String(error);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
