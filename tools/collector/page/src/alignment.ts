// Which note was taken for which: the definition of docs/evaluating.md, which `sordino query` and `sordino report` have
// too. tests/vectors/alignment at the root of the repository holds cases that the tests of all implementations run.

/** What of a note decides what becomes of it. */
export interface Timed {
  readonly midi: number;
  /** Seconds. */
  readonly onset: number;
}

/** What became of each note, as indices into both lists. Every expected note is right, wrong or missed; every recognized
 * one right, wrong or extra. */
export interface Alignment {
  readonly right: readonly Pair[];
  readonly wrong: readonly Pair[];
  readonly missed: readonly number[];
  readonly extra: readonly number[];
}
type Pair = readonly [expected: number, recognized: number];

/** How far apart two onsets of one note may be, in seconds: mir_eval's, and what the commands take unless told otherwise. */
export const ONSET_TOLERANCE_S = 0.05;

/** Lays both lists side by side; onsets of a pair are at most `tolerance` seconds apart.
 *
 * First as many notes as can be are paired with one of their pitch, in the order of time. Of what is left, those nearest
 * in pitch are taken for each other, then those nearest in time. */
export function align(expected: readonly Timed[], recognized: readonly Timed[], tolerance = ONSET_TOLERANCE_S): Alignment {
  const heard = new Set(byTime(recognized));
  const apart = (left: number, right: number) => tenthsOfMilliseconds(expected[left]!.onset - recognized[right]!.onset);
  const fits = (left: number, right: number) => apart(left, right) / 1e4 <= tolerance;

  const right: Pair[] = [];
  const asked = new Set(byTime(expected));
  for (const left of asked) {
    const found = [...heard].find((other) => expected[left]!.midi === recognized[other]!.midi && fits(left, other));
    if (found === undefined) continue;
    right.push([left, found]);
    asked.delete(left);
    heard.delete(found);
  }

  const pitches = ([left, other]: Pair) => Math.abs(expected[left]!.midi - recognized[other]!.midi);
  const candidates = [...asked].flatMap((left) => [...heard].filter((other) => fits(left, other)).map((other): Pair => [left, other]));
  // Stable: among equals the order of time decides.
  candidates.sort((a, b) => pitches(a) - pitches(b) || apart(...a) - apart(...b));
  const wrong: Pair[] = [];
  for (const [left, other] of candidates) {
    if (!asked.has(left) || !heard.has(other)) continue;
    asked.delete(left);
    heard.delete(other);
    wrong.push([left, other]);
  }
  return { right, wrong, missed: [...asked], extra: [...heard] };
}

/** Indices in the order of time, then of pitch. */
function byTime(notes: readonly Timed[]): number[] {
  const order = notes.map((_, index) => index);
  return order.sort((a, b) => notes[a]!.onset - notes[b]!.onset || notes[a]!.midi - notes[b]!.midi);
}

/** Rounded half to even, as mir_eval rounds, so that 50 ms are 50 ms however a float spells them. */
function tenthsOfMilliseconds(seconds: number): number {
  const exact = Math.abs(seconds) * 1e4;
  const rounded = Math.round(exact);
  return rounded - exact === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
