// What a reader says of a sample: as it is written, sealed, and read back.

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
  /** None where it is sealed to others or is not what a verdict should be. */
  readonly verdict: Verdict | undefined;
  readonly note: string;
}

export const LONGEST_NOTE = 2000;
/** Sealed verdicts are filled up to a multiple of this, so that the size tells neither verdict nor note. */
const STEP = 1024;

export async function keep(
  collector: Collector,
  setting: VerdictsSetting,
  recipients: () => Promise<readonly string[]>,
  sample: string,
  verdict: Verdict,
  note: string,
): Promise<void> {
  if (setting === "plain") {
    await collector.keepReview(sample, JSON.stringify({ verdict, note }));
    return;
  }
  // The sample's id is inside, so that nobody can lay one verdict beside another sample.
  const text = JSON.stringify({ schema: 1, sample, verdict, note });
  const length = new TextEncoder().encode(text).length;
  const filled = text + " ".repeat(Math.ceil(length / STEP) * STEP - length);
  await collector.keepReview(sample, await seal(filled, await recipients()));
}

/** The ISO week of a day, in UTC, as the collector notes it: that of its Thursday. */
export function weekOf(date: Date): string {
  const weekday = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() - weekday + 3));
  const year = thursday.getUTCFullYear();
  const days = (thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000;
  return `${year}-W${String(Math.floor(days / 7) + 1).padStart(2, "0")}`;
}

export async function read(stored: StoredReview, keyring: Keyring): Promise<Review> {
  const { sample, reader, week } = stored;
  const unread: Review = { reader, week, verdict: undefined, note: "" };
  try {
    const said = stored.sealed === undefined
      ? stored.plain
      : JSON.parse(new TextDecoder().decode(await keyring.open(fromBase64(stored.sealed))));
    const { verdict, note, sample: of } = said as { verdict: string; note: string; sample?: string };
    const isOurs = Object.hasOwn(VERDICTS, verdict) && typeof note === "string";
    if (!isOurs || (stored.sealed !== undefined && of !== sample)) return unread;
    return { reader, week, verdict: verdict as Verdict, note: note.slice(0, LONGEST_NOTE) };
  } catch {
    return unread;
  }
}
