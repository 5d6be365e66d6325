// What was asked for beside what was recognised. The same rule as `sordino report` for what is right; what is
// wrong is told apart further.

import type { Annotation, Note, Span } from "./manifest";

/** How far apart two onsets of one note may be, in seconds: what a beginner and a recogniser together are off. */
const NEAR_S = 0.2;
/** How late, or early, a note may be and still be told for the same one, in seconds. */
const LATE_S = 0.6;

export type Fate = "right" | "late" | "wrong" | "missed" | "extra";
export interface Judged { readonly note: Note; readonly fate: Fate; readonly other: Note | undefined }
export interface Comparison {
  readonly expected: readonly Judged[];
  readonly recognised: readonly Judged[];
  readonly counts: Readonly<Record<Fate, number>>;
  /** Errors: missed, extra, wrong and late notes. */
  readonly errors: number;
  /** Errors over the longer of both lists: 0 all right, 1 nothing right. */
  readonly share: number;
  /** How many notes of both lists began in a part that was taken out, where nobody can tell. */
  readonly leftOut: number;
}

export const FATES: readonly Fate[] = ["missed", "extra", "wrong", "late", "right"];

/** Pairs each expected note with the nearest recognised one that is still free: the same pitch near, the same
 * pitch off in time, another pitch near. Only notes that begin in a part that was kept count. */
export function compare(annotation: Annotation, kept: readonly Span[]): Comparison {
  const expected = heardNotes(annotation.expected, kept);
  const recognised = heardNotes(annotation.recognised, kept);
  const leftOut = annotation.expected.length + annotation.recognised.length - expected.length - recognised.length;
  const asked: Judged[] = expected.map((note) => ({ note, fate: "missed", other: undefined }));
  const heard: Judged[] = recognised.map((note) => ({ note, fate: "extra", other: undefined }));
  const samePitch = (a: Note, b: Note) => a.midi === b.midi;
  pair(asked, heard, "right", NEAR_S, samePitch);
  pair(asked, heard, "late", LATE_S, samePitch);
  pair(asked, heard, "wrong", NEAR_S, () => true);
  const counts: Record<Fate, number> = { right: 0, late: 0, wrong: 0, missed: 0, extra: 0 };
  for (const { fate } of asked) counts[fate] += 1;
  for (const { fate } of heard) if (fate === "extra") counts.extra += 1;
  const errors = counts.late + counts.wrong + counts.missed + counts.extra;
  const share = errors / Math.max(1, expected.length + counts.extra);
  return { expected: asked, recognised: heard, counts, errors, share, leftOut };
}

/** Those that begin in a part that was kept. One that goes on into a part that was taken out ends there, as in
 * docs/formats.md. */
function heardNotes(notes: readonly Note[], kept: readonly Span[]): Note[] {
  return notes.flatMap((note) => {
    const part = kept.find(([start, end]) => note.onset >= start && note.onset <= end);
    if (!part) return [];
    return [{ ...note, offset: note.offset === undefined ? undefined : Math.min(note.offset, part[1]) }];
  });
}

function pair(asked: Judged[], heard: Judged[], fate: Fate, within: number, fits: (a: Note, b: Note) => boolean): void {
  for (const [at, { note, fate: before }] of asked.entries()) {
    if (before !== "missed") continue;
    let nearest = -1;
    let distance = within;
    for (const [place, candidate] of heard.entries()) {
      const apart = Math.abs(candidate.note.onset - note.onset);
      if (candidate.fate === "extra" && fits(note, candidate.note) && apart <= distance) {
        [nearest, distance] = [place, apart];
      }
    }
    const found = heard[nearest];
    if (!found) continue;
    asked[at] = { note, fate, other: found.note };
    heard[nearest] = { note: found.note, fate, other: note };
  }
}

/** `3 missed, 1 extra`, or that nothing differs. */
export function summary({ counts, errors, expected, recognised }: Comparison): string {
  if (expected.length + recognised.length === 0) return "no notes";
  if (errors === 0) return "all right";
  const words: Record<Fate, string> = { missed: "missed", extra: "extra", wrong: "wrong note", late: "late", right: "right" };
  const parts = FATES.filter((fate) => fate !== "right" && counts[fate] > 0);
  return parts.map((fate) => `${counts[fate]} ${words[fate]}${fate === "wrong" && counts.wrong > 1 ? "s" : ""}`).join(", ");
}

const NAMES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];

/** A note's name in scientific pitch notation: 60 is C4. */
export function pitchName(midi: number): string {
  return `${NAMES[midi % 12]}${Math.floor(midi / 12) - 1}`;
}
