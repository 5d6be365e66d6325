// Compares expected with recognized notes as `sordino report` does, and summarizes the result.

import { align } from "./alignment";
import type { Annotation, Note, Span } from "./manifest";

/** The maximum distance between the onsets of a missed and an extra note of one pitch to be shown as late or early, in seconds. */
const LATE_S = 0.6;

export type Disposition = "right" | "wrong" | "missed" | "extra";
export interface ScoredNote {
  readonly note: Note;
  readonly disposition: Disposition;
  /** Whether it is a missed note that was recognized late or early, or the extra note that it was recognized as. */
  readonly late: boolean;
}
export interface Comparison {
  readonly expected: readonly ScoredNote[];
  readonly recognized: readonly ScoredNote[];
  readonly counts: Readonly<Record<Disposition, number>>;
  /** The number of missed notes that were recognized late or early. */
  readonly late: number;
  /** Errors: missed, extra and wrong notes. */
  readonly errors: number;
  /** Errors over right notes and errors: 0 all right, 1 nothing right. */
  readonly share: number;
  /** The number of notes of both lists that begin in a removed part, where they are not audible. */
  readonly inRemoved: number;
}

export const DISPOSITIONS: readonly Disposition[] = ["missed", "extra", "wrong", "right"];

/** Counts all notes, including those that begin in a removed part: the app heard them. */
export function compare({ expected, recognized }: Annotation, kept: readonly Span[]): Comparison {
  const { right, wrong, missed, extra } = align(expected, recognized);
  const expectedDispositions: Disposition[] = expected.map(() => "missed");
  const recognizedDispositions: Disposition[] = recognized.map(() => "extra");
  for (const [disposition, pairs] of [["right", right], ["wrong", wrong]] as const) {
    for (const [left, other] of pairs) [expectedDispositions[left], recognizedDispositions[other]] = [disposition, disposition];
  }
  const late = pairLate(expected, recognized, missed, extra);
  const judged = (notes: readonly Note[], dispositions: readonly Disposition[], places: ReadonlySet<number>) =>
    notes.map((note, at): ScoredNote => ({ note: clip(note, kept), disposition: dispositions[at]!, late: places.has(at) }));
  const counts = { right: right.length, wrong: wrong.length, missed: missed.length, extra: extra.length };
  const errors = counts.wrong + counts.missed + counts.extra;
  return {
    expected: judged(expected, expectedDispositions, new Set(late.map(([left]) => left))),
    recognized: judged(recognized, recognizedDispositions, new Set(late.map(([, other]) => other))),
    counts,
    late: late.length,
    errors,
    share: errors / Math.max(1, counts.right + errors),
    inRemoved: [...expected, ...recognized].filter(({ onset }) => keptPart(onset, kept) === undefined).length,
  };
}

/** Pairs each missed note with the nearest extra note of its pitch. */
function pairLate(expected: readonly Note[], recognized: readonly Note[], missed: readonly number[], extra: readonly number[]): [number, number][] {
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

/** Ends a note where a removed part begins, as docs/formats.md defines. */
function clip(note: Note, kept: readonly Span[]): Note {
  const part = keptPart(note.onset, kept);
  return part && note.offset !== undefined ? { ...note, offset: Math.min(note.offset, part[1]) } : note;
}

function keptPart(time: number, kept: readonly Span[]): Span | undefined {
  return kept.find(([start, end]) => time >= start && time <= end);
}

/** For example `3 missed (1 late or early), 1 extra`. */
export function summary({ counts, late, errors, expected, recognized }: Comparison): string {
  if (expected.length + recognized.length === 0) return "no notes";
  if (errors === 0) return "all right";
  const words: Record<Disposition, string> = { missed: "missed", extra: "extra", wrong: "wrong", right: "right" };
  const detail = (disposition: Disposition) => (disposition === "missed" && late > 0 ? ` (${late} late or early)` : "");
  const parts = DISPOSITIONS.filter((disposition) => disposition !== "right" && counts[disposition] > 0);
  return parts.map((disposition) => `${counts[disposition]} ${words[disposition]}${detail(disposition)}`).join(", ");
}

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** A note's name in scientific pitch notation: 60 is C4. */
export function pitchName(midi: number): string {
  return `${NAMES[midi % 12]}${Math.floor(midi / 12) - 1}`;
}
