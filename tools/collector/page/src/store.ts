// The page's state: listed samples, their manifests and comparisons, and reviews. It is kept in memory only and notifies
// its listeners of changes.

import type { Bytes } from "./bytes";
import { Collector, ProblemError, UnreachableError, type ListedSample, type StoredReview, type VerdictsSetting } from "./collector";
import { Drafts } from "./drafts";
import { WrongKeyError, type Keyring } from "./keys";
import type { Manifest } from "./manifest";
import { compare, type Comparison } from "./notes";
import { open, type OpenedSample } from "./open";
import { readReview, saveReview, weekOf, type Review, type Verdict } from "./verdicts";

export interface Entry {
  readonly listed: ListedSample;
  /** Its index in the order of arrival. */
  readonly index: number;
  state: "waiting" | "open" | "unreadable";
  /** Why it cannot be opened. */
  reason: string;
  manifest: Manifest | undefined;
  comparison: Comparison | undefined;
  readonly reviews: Map<string, Review>;
  assignee: string | undefined;
}

/** How many samples are opened concurrently: enough to use the bandwidth, few enough to keep the page responsive. */
const CONCURRENCY = 4;
/** The poll interval for withdrawals and reviews: three times within the promised minute. */
const POLL_MS = 20_000;
/** The size of the cache of sealed samples, in bytes. */
const CACHE_BYTES = 48 << 20;

type Change = "list" | "reviews" | "removed" | "connection";

export class Store {
  readonly entries = new Map<string, Entry>();
  /** Whether every listed sample was opened or found unreadable. */
  isLoaded = false;
  /** The current problem with the connection to the collector, or an empty string. */
  connectionProblem = "";
  verdictsSetting: VerdictsSetting = "sealed";
  reader = "";
  /** The reader's unsaved verdicts and notes; set by {@link load}. */
  drafts!: Drafts;
  readonly #sealed = new Map<string, Bytes>();
  #sealedBytes = 0;
  readonly #listeners = new Set<(change: Change, ids: readonly string[]) => void>();
  readonly #cursors: { samples?: string; withdrawn?: string; reviews?: string } = {};
  #recipients: Promise<readonly string[]> | undefined;
  #stopped = false;
  #nextIndex = 0;

  constructor(readonly collector: Collector, readonly keyring: Keyring) {}

  onChange(listener: (change: Change, ids: readonly string[]) => void): void {
    this.#listeners.add(listener);
  }

  /** Loads the lists and starts polling for changes.
   * @throws {ProblemError} if the token is rejected. */
  async load(): Promise<void> {
    await this.#readReviews();
    await this.#readWithdrawn();
    await this.#readSamples();
    this.drafts = new Drafts(this.keyring, this.collector.purpose, this.reader);
    await this.drafts.restore((sample) => this.entries.has(sample));
    void this.#openWaiting();
    void this.#poll();
  }

  /** Stores the reader's draft for a sample, or deletes it if it equals the saved review. */
  setDraft(entry: Entry, verdict: Verdict | undefined, note: string): void {
    const { id } = entry.listed;
    const saved = entry.reviews.get(this.reader);
    const isNew = verdict !== saved?.verdict || note.trim() !== (saved?.note ?? "");
    if (isNew) this.drafts.set(id, { verdict, note });
    else this.drafts.delete(id);
    this.#notify("reviews", [id]);
  }

  stop(): void {
    this.#stopped = true;
    this.#sealed.clear();
    this.entries.clear();
  }

  async open(entry: Entry): Promise<OpenedSample> {
    const { listed } = entry;
    const sealed = this.#sealed.get(listed.id) ?? (await this.collector.sample(listed));
    this.#cache(listed.id, sealed);
    const opened = await open(sealed, listed, this.collector.purpose, this.keyring);
    if (!this.entries.has(listed.id)) {
      opened.wipe();
      throw new Error("it was withdrawn in the meantime");
    }
    return opened;
  }

  async submitReview(entry: Entry, verdict: Verdict, note: string): Promise<void> {
    await saveReview(this.collector, this.verdictsSetting, () => this.#recipientsOfPlan(), entry.listed.id, verdict, note);
    entry.reviews.set(this.reader, { reader: this.reader, week: weekOf(new Date()), verdict, note });
    // Changes made during the request stay a draft.
    const draft = this.drafts.get(entry.listed.id);
    if (draft?.verdict === verdict && draft.note.trim() === note) this.drafts.delete(entry.listed.id);
    this.#notify("reviews", [entry.listed.id]);
  }

  async assign(entry: Entry, reader: string | undefined): Promise<void> {
    await this.collector.assign(entry.listed.id, reader ?? null);
    entry.assignee = reader;
    this.#notify("reviews", [entry.listed.id]);
  }

  /** Quarantines a sample in which a voice was heard, which removes it for every reader. */
  async quarantine(entry: Entry, manifest: Manifest): Promise<void> {
    await this.collector.quarantine(entry.listed.id, manifest.anonymizer.version);
    this.#remove([entry.listed.id]);
  }

  async #recipientsOfPlan(): Promise<readonly string[]> {
    this.#recipients ??= this.collector.recipients();
    try {
      return await this.#recipients;
    } catch (error) {
      this.#recipients = undefined;
      if (error instanceof ProblemError && error.problem === "no-plan") {
        throw new Error("The collector serves no plan, so a verdict has no recipients. Ask its operator to load a plan or to set `--verdicts plain`.");
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
        const unlisted = this.#unlisted.get(listed.id);
        this.#unlisted.delete(listed.id);
        this.entries.set(listed.id, {
          listed,
          index: this.#nextIndex++,
          state: "waiting",
          reason: "",
          manifest: undefined,
          comparison: undefined,
          reviews: unlisted?.reviews ?? new Map(),
          assignee: unlisted?.assignee,
        });
      }
      this.isLoaded = false;
      this.#notify("list", samples.map(({ id }) => id));
    }
  }

  /** Reviews of samples that are not listed yet. */
  readonly #unlisted = new Map<string, { reviews: Map<string, Review>; assignee: string | undefined }>();

  #reviewsOf(sample: string): { reviews: Map<string, Review>; assignee: string | undefined } {
    const entry = this.entries.get(sample) ?? this.#unlisted.get(sample);
    if (entry) return entry;
    const unlisted = { reviews: new Map<string, Review>(), assignee: undefined };
    this.#unlisted.set(sample, unlisted);
    return unlisted;
  }

  async #readReviews(): Promise<void> {
    for (;;) {
      const page = await this.collector.reviews(this.#cursors.reviews);
      this.#cursors.reviews = page.next;
      this.verdictsSetting = page.verdicts;
      this.reader = page.reader;
      if (page.reviews.length + page.assignments.length === 0) return;
      for (const { sample, reader } of page.assignments) this.#reviewsOf(sample).assignee = reader ?? undefined;
      await Promise.all(page.reviews.map((stored) => this.#readReview(stored)));
      this.#notify("reviews", page.reviews.map(({ sample }) => sample));
    }
  }

  async #readReview(stored: StoredReview): Promise<void> {
    const review = await readReview(stored, this.keyring);
    this.#reviewsOf(stored.sample).reviews.set(stored.reader, review);
  }

  async #readWithdrawn(): Promise<void> {
    for (;;) {
      const { ids, next } = await this.collector.withdrawn(this.#cursors.withdrawn);
      this.#cursors.withdrawn = next;
      if (ids.length === 0) return;
      this.#remove(ids);
    }
  }

  #remove(ids: readonly string[]): void {
    const removed = ids.filter((id) => this.entries.delete(id));
    for (const id of ids) {
      this.drafts?.delete(id);
      this.#sealedBytes -= this.#sealed.get(id)?.length ?? 0;
      this.#sealed.delete(id);
      this.#unlisted.delete(id);
    }
    if (removed.length > 0) this.#notify("removed", removed);
  }

  async #poll(): Promise<void> {
    while (!this.#stopped) {
      await pause(POLL_MS);
      if (this.#stopped) return;
      try {
        // Withdrawals first, so that they take effect as soon as possible.
        await this.#readWithdrawn();
        await this.#readReviews();
        await this.#readSamples();
        this.#setConnectionProblem("");
        void this.#openWaiting();
      } catch (error) {
        this.#setConnectionProblem(error instanceof Error ? error.message : String(error));
      }
    }
  }

  #isOpening = false;

  /** Opens all waiting samples, a few at a time. */
  async #openWaiting(): Promise<void> {
    if (this.#isOpening) return;
    this.#isOpening = true;
    const waiting = [...this.entries.values()].filter(({ state }) => state === "waiting").values();
    const worker = async () => {
      for (const entry of waiting) {
        if (this.#stopped) return;
        await this.#openEntry(entry);
        // Lets the page draw and handle input between two samples.
        await pause(0);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
    this.#isOpening = false;
    this.isLoaded = ![...this.entries.values()].some(({ state }) => state === "waiting");
    this.#notify("list", []);
  }

  async #openEntry(entry: Entry): Promise<void> {
    const { id } = entry.listed;
    if (!this.entries.has(id)) return;
    try {
      const opened = await this.open(entry);
      entry.manifest = opened.manifest;
      entry.comparison = compare(opened.manifest.annotation, opened.manifest.kept);
      entry.state = "open";
      opened.wipe();
    } catch (error) {
      // The entry stays queued; the next poll retries.
      if (error instanceof UnreachableError || (error instanceof ProblemError && (error.status > 500 || error.status === 429))) return;
      if (error instanceof ProblemError && error.status === 410) return this.#remove([id]);
      entry.state = "unreadable";
      entry.reason = describeFailure(error);
      if (error instanceof WrongKeyError) this.wrongKeyCount += 1;
    }
    this.#notify("list", [id]);
  }

  /** The number of samples that are sealed to other keys. */
  wrongKeyCount = 0;

  #cache(id: string, sealed: Bytes): void {
    if (this.#sealed.has(id)) return;
    this.#sealed.set(id, sealed);
    this.#sealedBytes += sealed.length;
    for (const [oldest, { length }] of this.#sealed) {
      if (this.#sealedBytes <= CACHE_BYTES) break;
      this.#sealed.delete(oldest);
      this.#sealedBytes -= length;
    }
  }

  #setConnectionProblem(problem: string): void {
    if (problem === this.connectionProblem) return;
    this.connectionProblem = problem;
    this.#notify("connection", []);
  }

  #notify(change: Change, ids: readonly string[]): void {
    for (const listener of this.#listeners) listener(change, ids);
  }
}

function describeFailure(error: unknown): string {
  if (error instanceof ProblemError && error.status === 500) return "the collector cannot deliver it; see its log";
  return error instanceof Error ? error.message : String(error);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
