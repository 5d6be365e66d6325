// Parses manifest.json (docs/manifest.schema.json). Parsing is strict: an unknown or invalid member rejects the sample.

export type Span = readonly [start: number, end: number];
export interface Removal { readonly start: number; readonly end: number; readonly reason: string }
export interface Note { readonly midi: number; readonly onset: number; readonly offset: number | undefined }
export interface Annotation {
  readonly expected: readonly Note[];
  readonly recognized: readonly Note[];
  readonly tag: string | undefined;
}
export interface Manifest {
  readonly sample: string;
  readonly purposes: readonly string[];
  readonly consent: string;
  readonly week: string;
  readonly sdkVersion: string;
  readonly platform: string;
  readonly inputRate: number;
  readonly rate: number;
  /** Seconds of the input, in the order of the audio. */
  readonly kept: readonly Span[];
  readonly removed: readonly Removal[];
  readonly erased: readonly Span[];
  readonly trigger: string;
  readonly probability: number;
  readonly annotation: Annotation;
  readonly anonymizer: { readonly version: string; readonly detector: string; readonly gate: string; readonly keepTime: boolean };
}

const MAX_NOTES = 512;

/** @throws if the manifest is invalid. */
export function readManifest(json: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Error("its manifest is not JSON");
  }
  const m = new Members(value, "the manifest");
  if (m.integer("schema", 1, 1) !== 1) throw new Error("its manifest has an unsupported schema");
  const selection = m.object("selection");
  const anonymizer = m.object("anonymizer");
  const annotation = m.object("annotation");
  const manifest: Manifest = {
    sample: m.text("sample", /^[0-9a-f]{32}$/),
    purposes: m.list("purposes", 2).map((purpose) => String(purpose)),
    consent: m.text("consent", /^[0-9a-f]{32}$/),
    week: m.text("week", /^\d{4}-W\d\d$/),
    sdkVersion: m.text("sdk_version"),
    platform: m.text("platform"),
    inputRate: m.integer("input_rate", 8000, 384000),
    rate: m.integer("rate", 8000, 384000),
    kept: m.list("kept").map(span),
    removed: m.list("removed").map((entry) => {
      const removal = new Members(entry, "a removed part");
      const [start, end] = span([removal.number("start_s"), removal.number("end_s")]);
      const reason = removal.text("reason");
      removal.rejectUnknown();
      return { start, end, reason };
    }),
    erased: m.list("erased").map(span),
    trigger: selection.text("trigger"),
    probability: selection.number("probability"),
    annotation: {
      expected: annotation.optionalList("expected", MAX_NOTES).map(note),
      recognized: annotation.optionalList("recognised", MAX_NOTES).map(note),
      tag: annotation.optionalText("tag", /^[a-z0-9._/-]{0,64}$/) || undefined,
    },
    anonymizer: {
      version: anonymizer.text("version"),
      detector: anonymizer.text("detector"),
      gate: anonymizer.text("gate"),
      keepTime: anonymizer.boolean("keep_time"),
    },
  };
  m.integer("notice_version", 1, 0xffff_ffff);
  m.rejectUnknown();
  selection.rejectUnknown();
  annotation.rejectUnknown();
  return manifest;
}

function span(value: unknown): Span {
  if (!Array.isArray(value) || value.length !== 2) throw new Error("its manifest contains an invalid span");
  const [start, end] = value as [unknown, unknown];
  const holds = typeof start === "number" && typeof end === "number" && start >= 0 && end >= start && end <= 3600;
  if (!holds) throw new Error("its manifest contains an invalid span");
  return [start, end];
}

function note(value: unknown): Note {
  const members = new Members(value, "a note");
  const midi = members.integer("midi", 0, 127);
  const onset = members.number("onset", 3600);
  const offset = members.has("offset") ? members.number("offset", 3600) : undefined;
  members.rejectUnknown();
  return { midi, onset, offset };
}

/** The members of an object, each read once; unread members are rejected at the end. */
class Members {
  readonly #members: Map<string, unknown>;
  readonly #of: string;

  constructor(value: unknown, of: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${of} is not an object`);
    this.#members = new Map(Object.entries(value));
    this.#of = of;
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  text(name: string, pattern = /^.{1,200}$/): string {
    const value = this.#take(name);
    if (typeof value !== "string" || !pattern.test(value)) this.#refuse(name);
    return value as string;
  }

  optionalText(name: string, pattern: RegExp): string | undefined {
    return this.has(name) ? this.text(name, pattern) : undefined;
  }

  number(name: string, max = Number.MAX_VALUE): number {
    const value = this.#take(name);
    if (typeof value !== "number" || value < 0 || value > max) this.#refuse(name);
    return value as number;
  }

  integer(name: string, min: number, max: number): number {
    const value = this.number(name, max);
    if (!Number.isInteger(value) || value < min) this.#refuse(name);
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== "boolean") this.#refuse(name);
    return value as boolean;
  }

  list(name: string, max = 4096): unknown[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > max) this.#refuse(name);
    return value as unknown[];
  }

  optionalList(name: string, max: number): unknown[] {
    return this.has(name) ? this.list(name, max) : [];
  }

  object(name: string): Members {
    return new Members(this.#take(name), `\`${name}\` of ${this.#of}`);
  }

  rejectUnknown(): void {
    const [left] = this.#members.keys();
    if (left !== undefined) throw new Error(`${this.#of} has an unknown member \`${left.slice(0, 40)}\``);
  }

  #take(name: string): unknown {
    if (!this.#members.has(name)) throw new Error(`${this.#of} lacks \`${name}\``);
    const value = this.#members.get(name);
    this.#members.delete(name);
    return value;
  }

  #refuse(name: string): never {
    throw new Error(`\`${name}\` of ${this.#of} is invalid`);
  }
}
