// What was asked for beside what was recognized: counted as `sordino report` counts it, and told in words.

import { align } from "./alignment";
import type { Annotation, Note, Span } from "./manifest";

/** How far apart the onsets of a missed and an extra note of one pitch may be to be drawn as late, or early, in seconds. */
const LATE_S = 0.6;

export type Fate = "right" | "wrong" | "missed" | "extra";
export interface Judged {
  readonly note: Note;
  readonly fate: Fate;
  /** A missed note that was recognized late or early, or the extra note that is it. */
  readonly late: boolean;
}
export interface Comparison {
  readonly expected: readonly Judged[];
  readonly recognized: readonly Judged[];
  readonly counts: Readonly<Record<Fate, number>>;
  /** How many of the missed notes are among the extra ones, at another time. */
  readonly late: number;
  /** Errors: missed, extra and wrong notes. */
  readonly errors: number;
  /** Errors over right notes and errors: 0 all right, 1 nothing right. */
  readonly share: number;
  /** How many notes of both lists began in a part that was taken out, where nobody can hear them. */
  readonly unheard: number;
}

export const FATES: readonly Fate[] = ["missed", "extra", "wrong", "right"];

/** All notes count, also those that began in a part that was taken out: the app heard them. */
export function compare({ expected, recognized }: Annotation, kept: readonly Span[]): Comparison {
  const { right, wrong, missed, extra } = align(expected, recognized);
  const asked: Fate[] = expected.map(() => "missed");
  const heard: Fate[] = recognized.map(() => "extra");
  for (const [fate, pairs] of [["right", right], ["wrong", wrong]] as const) {
    for (const [left, other] of pairs) [asked[left], heard[other]] = [fate, fate];
  }
  const late = lateOnes(expected, recognized, missed, extra);
  const judged = (notes: readonly Note[], fates: readonly Fate[], places: ReadonlySet<number>) =>
    notes.map((note, at): Judged => ({ note: cut(note, kept), fate: fates[at]!, late: places.has(at) }));
  const counts = { right: right.length, wrong: wrong.length, missed: missed.length, extra: extra.length };
  const errors = counts.wrong + counts.missed + counts.extra;
  return {
    expected: judged(expected, asked, new Set(late.map(([left]) => left))),
    recognized: judged(recognized, heard, new Set(late.map(([, other]) => other))),
    counts,
    late: late.length,
    errors,
    share: errors / Math.max(1, counts.right + errors),
    unheard: [...expected, ...recognized].filter(({ onset }) => partOf(onset, kept) === undefined).length,
  };
}

/** Each missed note with the nearest extra one of its pitch. */
function lateOnes(expected: readonly Note[], recognized: readonly Note[], missed: readonly number[], extra: readonly number[]): [number, number][] {
  const free = new Set(extra);
  return missed.flatMap((left): [number, number][] => {
    const { midi, onset } = expected[left]!;
    const apart = (other: number) => Math.abs(recognized[other]!.onset - onset);
    const near = [...free].filter((other) => recognized[other]!.midi === midi && apart(other) <= LATE_S);
    const [nearest] = near.sort((a, b) => apart(a) - apart(b));
    if (nearest === undefined) return [];
    free.delete(nearest);
    return [[left, nearest]];
  });
}

/** A note that goes on into a part that was taken out ends there, as in docs/formats.md. */
function cut(note: Note, kept: readonly Span[]): Note {
  const part = partOf(note.onset, kept);
  return part && note.offset !== undefined ? { ...note, offset: Math.min(note.offset, part[1]) } : note;
}

function partOf(time: number, kept: readonly Span[]): Span | undefined {
  return kept.find(([start, end]) => time >= start && time <= end);
}

/** `3 missed (1 of them late or early), 1 extra`, or that nothing differs. */
export function summary({ counts, late, errors, expected, recognized }: Comparison): string {
  if (expected.length + recognized.length === 0) return "no notes";
  if (errors === 0) return "all right";
  const words: Record<Fate, string> = { missed: "missed", extra: "extra", wrong: "wrong", right: "right" };
  const detail = (fate: Fate) => (fate === "missed" && late > 0 ? ` (${late} late or early)` : "");
  const parts = FATES.filter((fate) => fate !== "right" && counts[fate] > 0);
  return parts.map((fate) => `${counts[fate]} ${words[fate]}${detail(fate)}`).join(", ");
}

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** A note's name in scientific pitch notation: 60 is C4. */
export function pitchName(midi: number): string {
  return `${NAMES[midi % 12]}${Math.floor(midi / 12) - 1}`;
}
