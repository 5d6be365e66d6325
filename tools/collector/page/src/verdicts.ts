// Writes, seals and reads reviews.

import { fromBase64 } from "./bytes";
import type { Collector, StoredReview, VerdictsSetting } from "./collector";
import { seal, type Keyring } from "./keys";

export const VERDICTS = {
  "recogniser-wrong": "Recognizer wrong",
  "expectation-wrong": "App’s expectation wrong",
  "player-wrong": "Player wrong",
  unusable: "Unusable",
} as const;
export type Verdict = keyof typeof VERDICTS;

export interface Review {
  readonly reader: string;
  readonly week: string;
  /** Undefined if it is sealed to other keys or invalid. */
  readonly verdict: Verdict | undefined;
  readonly note: string;
}

export const MAX_NOTE_CHARS = 2000;
/** Sealed verdicts are padded to a multiple of this size, so that the size reveals neither verdict nor note. */
const PADDING_BYTES = 1024;

export async function saveReview(
  collector: Collector,
  setting: VerdictsSetting,
  recipients: () => Promise<readonly string[]>,
  sample: string,
  verdict: Verdict,
  note: string,
): Promise<void> {
  if (setting === "plain") {
    await collector.putReview(sample, JSON.stringify({ verdict, note }));
    return;
  }
  // The sealed text contains the sample's id, so that a verdict cannot be moved to another sample.
  const text = JSON.stringify({ schema: 1, sample, verdict, note });
  const length = new TextEncoder().encode(text).length;
  const padded = text + " ".repeat(Math.ceil(length / PADDING_BYTES) * PADDING_BYTES - length);
  await collector.putReview(sample, await seal(padded, await recipients()));
}

/** The ISO week of a day in UTC, as the collector stores it. */
export function weekOf(date: Date): string {
  const weekday = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() - weekday + 3));
  const year = thursday.getUTCFullYear();
  const days = (thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000;
  return `${year}-W${String(Math.floor(days / 7) + 1).padStart(2, "0")}`;
}

export async function readReview(stored: StoredReview, keyring: Keyring): Promise<Review> {
  const { sample, reader, week } = stored;
  const unreadable: Review = { reader, week, verdict: undefined, note: "" };
  try {
    const content = stored.sealed === undefined
      ? stored.plain
      : JSON.parse(new TextDecoder().decode(await keyring.open(fromBase64(stored.sealed))));
    const { verdict, note, sample: of } = content as { verdict: string; note: string; sample?: string };
    const isValid = Object.hasOwn(VERDICTS, verdict) && typeof note === "string";
    if (!isValid || (stored.sealed !== undefined && of !== sample)) return unreadable;
    return { reader, week, verdict: verdict as Verdict, note: note.slice(0, MAX_NOTE_CHARS) };
  } catch {
    return unreadable;
  }
}
