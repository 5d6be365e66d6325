// The timeline of a sample: waveform, spectrogram with notes, removed parts and playhead on one time axis. The frequency
// axis of the spectrogram is logarithmic, so that it also serves as the piano roll.

import WaveSurfer from "wavesurfer.js";
import Spectrogram from "wavesurfer.js/dist/plugins/spectrogram.js";
import { h, style } from "./dom";
import { magma } from "./magma";
import type { Manifest } from "./manifest";
import { pitchName, type Comparison, type ScoredNote } from "./notes";
import type { Player, Region } from "./player";
import type { Sound } from "./sound";

/** Set by the build. */
declare const WAVEFORM_HEIGHT: number;

const SPECTRUM_HEIGHT = 260;
/** The drawn length of a note without an end, in seconds. */
const SHORT_S = 0.12;
/** Semitones shown below the lowest and above the highest note: a wrong octave and the first overtones are visible. */
const [MARGIN_BELOW, MARGIN_ABOVE] = [5, 14];
/** The range shown without notes: C2 to E7, which covers most instruments. */
const DEFAULT_RANGE = [36, 100] as const;
/** Half the sample rate, as a MIDI pitch. */
const MAX_PITCH = 118;
/** A drag shorter than this, in pixels, is a click. */
const CLICK_PX = 5;

/** The symbol that marks a note in addition to its color. */
export const MARKS: Record<ScoredNote["disposition"] | "expected" | "late", string> = {
  expected: "", right: "✓", late: "→", wrong: "✗", missed: "○", extra: "+",
};

export class Timeline {
  readonly element: HTMLElement;
  readonly #player: Player;
  readonly #seconds: number;
  readonly #surfer: WaveSurfer;
  readonly #head = h("div", { class: "playhead" });
  readonly #region = h("div", { class: "region", hidden: true });
  readonly #notes: HTMLElement;

  constructor(sound: Sound, manifest: Manifest, comparison: Comparison, player: Player, selected: (region: Region | undefined) => void) {
    this.#player = player;
    this.#seconds = sound.seconds;
    const [low, high] = range(comparison);
    const wave = h("div", { class: "wave" });
    const spectrum = h("div", { class: "spectrum" });
    this.#notes = h("div", { class: "notes" }, ...drawNotes(comparison, sound.seconds, low, high));
    const stage = h("div", { class: "stage" }, wave, h("div", { class: "roll" }, spectrum, this.#notes),
      ...gaps(manifest, sound.seconds), this.#region, this.#head);
    this.element = h("div", { class: "timeline", "aria-hidden": "true" },
      h("div", { class: "pitches" }, ...pitches(low, high)), stage, h("div", { class: "times" }, ...ticks(sound.seconds)));
    this.#listen(stage, selected);
    const colors = getComputedStyle(document.documentElement);
    this.#surfer = WaveSurfer.create({
      container: wave,
      height: WAVEFORM_HEIGHT,
      media: player.media,
      peaks: [sound.samples],
      duration: sound.seconds,
      interact: false,
      cursorWidth: 0,
      hideScrollbar: true,
      waveColor: colors.getPropertyValue("--wave").trim(),
      progressColor: colors.getPropertyValue("--wave-played").trim(),
      plugins: [
        Spectrogram.create({
          container: spectrum,
          height: SPECTRUM_HEIGHT,
          // 128 ms tell neighboring semitones apart from C3 on; shorter ones would blur the notes into bands.
          fftSamples: 2048,
          fftSize: 4096,
          scale: "logarithmic",
          frequencyMin: hertz(low),
          frequencyMax: hertz(high),
          autoGain: true,
          rangeDB: 65,
          colorMap: magma,
          labels: false,
        }),
      ],
    });
  }

  draw(): void {
    style(this.#head, { left: percent(this.#player.time / this.#seconds) });
    const { region } = this.#player;
    this.#region.hidden = region === undefined;
    if (region) style(this.#region, { left: percent(region.start / this.#seconds), width: percent((region.end - region.start) / this.#seconds) });
  }

  showNotes(shown: boolean): void {
    this.#notes.hidden = !shown;
  }

  close(): void {
    this.#surfer.destroy();
    this.element.remove();
  }

  /** A click seeks, a drag selects a part. */
  #listen(stage: HTMLElement, selected: (region: Region | undefined) => void): void {
    let from: number | undefined;
    const at = (event: PointerEvent) => event.clientX - stage.getBoundingClientRect().left;
    const time = (x: number) => Math.max(0, Math.min(1, x / stage.clientWidth)) * this.#seconds;
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      from = at(event);
      stage.setPointerCapture(event.pointerId);
    });
    stage.addEventListener("pointermove", (event) => {
      if (from === undefined || Math.abs(at(event) - from) < CLICK_PX) return;
      const [a, b] = [time(from), time(at(event))];
      selected({ start: Math.min(a, b), end: Math.max(a, b) });
    });
    stage.addEventListener("pointerup", (event) => {
      if (from !== undefined && Math.abs(at(event) - from) < CLICK_PX) this.#player.seek(time(from));
      from = undefined;
    });
  }
}

function range({ expected, recognized }: Comparison): [number, number] {
  const all = [...expected, ...recognized].map(({ note }) => note.midi);
  if (all.length === 0) return [...DEFAULT_RANGE];
  return [Math.max(Math.min(...all) - MARGIN_BELOW, 12), Math.min(Math.max(...all) + MARGIN_ABOVE, MAX_PITCH)];
}

/** The frequency at the bottom of a note's row, half a semitone below the note. */
function hertz(midi: number): number {
  return 440 * 2 ** ((midi - 0.5 - 69) / 12);
}

function drawNotes(comparison: Comparison, seconds: number, low: number, high: number): HTMLElement[] {
  const row = 1 / (high - low);
  const draw = ({ note, disposition, late }: ScoredNote, list: "expected" | "recognized") => {
    const end = note.offset ?? note.onset + SHORT_S;
    const className = late && list === "recognized" ? "late" : disposition;
    const mark = list === "expected" && disposition !== "missed" ? "" : MARKS[className];
    const element = h("span", { class: `note ${list} ${className}` }, mark !== "" && h("span", { class: "mark" }, mark));
    return style(element, {
      left: percent(note.onset / seconds),
      width: percent(Math.max(end - note.onset, 0.03) / seconds),
      bottom: percent((note.midi - low) * row),
      height: percent(row),
    });
  };
  const inside = ({ note }: ScoredNote) => note.onset < seconds && note.midi >= low && note.midi < high;
  return [
    ...comparison.expected.filter(inside).map((judged) => draw(judged, "expected")),
    ...comparison.recognized.filter(inside).map((judged) => draw(judged, "recognized")),
  ];
}

function gaps({ removed, erased }: Manifest, seconds: number): HTMLElement[] {
  const part = (start: number, end: number, kind: string, label: string) =>
    style(h("div", { class: `gap ${kind}` }, h("span", {}, label)), {
      left: percent(start / seconds),
      width: percent((Math.min(end, seconds) - start) / seconds),
    });
  return [
    ...removed.filter(({ start }) => start < seconds).map(({ start, end, reason }) => part(start, end, "removed", reason)),
    ...erased.filter(([start]) => start < seconds).map(([start, end]) => part(start, end, "erased", "voice erased")),
  ];
}

function pitches(low: number, high: number): HTMLElement[] {
  const names = [];
  for (let midi = Math.ceil(low / 12) * 12; midi < high; midi += 12) {
    names.push(style(h("span", {}, pitchName(midi)), { bottom: percent((midi + 0.5 - low) / (high - low)) }));
  }
  return names;
}

function ticks(seconds: number): HTMLElement[] {
  const step = seconds > 20 ? 5 : seconds > 5 ? 1 : 0.5;
  const marks = [];
  for (let time = 0; time <= seconds - step / 3; time += step) {
    marks.push(style(h("span", {}, time === 0 ? "0 s" : String(time)), { left: percent(time / seconds) }));
  }
  return marks;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(3)}%`;
}
