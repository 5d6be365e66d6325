// Aligns expected and recognized notes as docs/evaluating.md defines it; `sordino query` and `sordino report` implement
// the same. The cases in tests/vectors/alignment at the root of the repository are run by the tests of all implementations.

/** The properties of a note that alignment uses. */
export interface Timed {
  readonly midi: number;
  /** Seconds. */
  readonly onset: number;
}

/** The result, as indices into both lists. Every expected note is right, wrong or missed; every recognized note is right,
 * wrong or extra. */
export interface Alignment {
  readonly right: readonly Pair[];
  readonly wrong: readonly Pair[];
  readonly missed: readonly number[];
  readonly extra: readonly number[];
}
type Pair = readonly [expected: number, recognized: number];

/** The maximum distance between two onsets of one note, in seconds: the default of mir_eval and of the commands. */
export const ONSET_TOLERANCE_S = 0.05;

/** Aligns both lists; the onsets of a pair are at most `tolerance` seconds apart.
 *
 * Notes of equal pitch are paired first, in order of time. The remaining notes are paired by the smallest distance in
 * pitch, then in time. */
export function align(expected: readonly Timed[], recognized: readonly Timed[], tolerance = ONSET_TOLERANCE_S): Alignment {
  const freeRecognized = new Set(byTime(recognized));
  const apart = (left: number, right: number) => tenthsOfMilliseconds(expected[left]!.onset - recognized[right]!.onset);
  const fits = (left: number, right: number) => apart(left, right) / 1e4 <= tolerance;

  const right: Pair[] = [];
  const freeExpected = new Set(byTime(expected));
  for (const left of freeExpected) {
    const found = [...freeRecognized].find((other) => expected[left]!.midi === recognized[other]!.midi && fits(left, other));
    if (found === undefined) continue;
    right.push([left, found]);
    freeExpected.delete(left);
    freeRecognized.delete(found);
  }

  const pitches = ([left, other]: Pair) => Math.abs(expected[left]!.midi - recognized[other]!.midi);
  const candidates = [...freeExpected].flatMap((left) => [...freeRecognized].filter((other) => fits(left, other)).map((other): Pair => [left, other]));
  // The sort is stable: ties keep the order of time.
  candidates.sort((a, b) => pitches(a) - pitches(b) || apart(...a) - apart(...b));
  const wrong: Pair[] = [];
  for (const [left, other] of candidates) {
    if (!freeExpected.has(left) || !freeRecognized.has(other)) continue;
    freeExpected.delete(left);
    freeRecognized.delete(other);
    wrong.push([left, other]);
  }
  return { right, wrong, missed: [...freeExpected], extra: [...freeRecognized] };
}

/** Indices in the order of time, then of pitch. */
function byTime(notes: readonly Timed[]): number[] {
  const order = notes.map((_, index) => index);
  return order.sort((a, b) => notes[a]!.onset - notes[b]!.onset || notes[a]!.midi - notes[b]!.midi);
}

/** Rounds half to even as mir_eval does, so that 50 ms equals 50 ms despite floating-point error. */
function tenthsOfMilliseconds(seconds: number): number {
  const exact = Math.abs(seconds) * 1e4;
  const rounded = Math.round(exact);
  return rounded - exact === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
