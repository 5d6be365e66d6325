// The view of one sample: timeline, player, notes, manifest and review form.

import type { Store, Entry } from "./store";
import { h } from "./dom";
import { ReviewForm } from "./review-form";
import type { Manifest } from "./manifest";
import { compare, pitchName, summary, type Comparison, type ScoredNote } from "./notes";
import type { OpenedSample } from "./open";
import { MARKS, Timeline } from "./timeline";
import { Player, STEP_S, type Region } from "./player";
import { decode, type Sound } from "./sound";

export class SampleView {
  readonly element: HTMLElement;
  readonly reviewForm: ReviewForm;
  readonly #sound: Sound;
  readonly #player: Player;
  readonly #timeline: Timeline;
  readonly #play = h("button", { type: "button", class: "primary", onclick: () => this.togglePlay() });
  readonly #loop = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggleLoop() }, "Loop");
  readonly #slow = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggleSlow() }, "Half speed");
  readonly #whole = h("button", { type: "button", onclick: () => this.#select(undefined) }, "Whole sample");
  readonly #overlay = h("button", { type: "button", "aria-pressed": "true", onclick: () => this.toggleNotes() }, "Notes");
  readonly #position: HTMLInputElement;
  readonly #clock = h("output", { class: "clock" });
  #notesShown = true;

  /** @throws if the sample is invalid. */
  static async create(store: Store, entry: Entry): Promise<SampleView> {
    const opened = await store.open(entry);
    try {
      const sound = await decode(opened);
      return new SampleView(store, entry, opened, sound);
    } finally {
      opened.wipe();
    }
  }

  private constructor(store: Store, readonly entry: Entry, { manifest }: OpenedSample, sound: Sound) {
    const comparison = compare(manifest.annotation, manifest.kept);
    this.#sound = sound;
    this.#player = new Player(sound, manifest.removed, () => this.#draw());
    this.#position = h("input", {
      type: "range", min: 0, max: sound.seconds.toFixed(2), step: 0.01, value: 0, "aria-label": "Position",
      oninput: () => this.#player.seek(Number(this.#position.value)),
    });
    this.reviewForm = new ReviewForm(store, entry, manifest);
    this.element = h("article", { class: "sample", "aria-labelledby": "sample-heading" });
    // The element is attached before the timeline is drawn, because the timeline takes its width.
    document.querySelector("#sample")?.replaceChildren(this.element);
    const title = manifest.annotation.tag ?? "No exercise";
    const figure = h("figure", { "aria-label": "Spectrogram and notes" });
    this.element.append(
      h("header", {}, h("h2", { id: "sample-heading", tabindex: -1 }, title), h("p", { class: "facts" }, facts(manifest))),
      figure,
      this.reviewForm.element,
      notesTable(comparison),
      manifestTable(manifest),
    );
    this.#timeline = new Timeline(sound, manifest, comparison, this.#player, (region) => this.#select(region));
    figure.append(
      this.#timeline.element,
      h("div", { class: "seek" }, this.#position, this.#clock),
      h("div", { class: "buttons", role: "group", "aria-label": "Playback" }, this.#play, this.#loop, this.#slow, this.#whole, this.#overlay),
      h("figcaption", {}, describe(sound, manifest, comparison)),
      legend(manifest, comparison),
    );
    this.#draw();
  }

  togglePlay(): void {
    this.#player.toggle();
  }

  toggleLoop(): void {
    this.#player.loops = !this.#player.loops;
    this.#draw();
  }

  toggleSlow(): void {
    this.#player.setSlow(!this.#player.isSlow);
    this.#draw();
  }

  toggleNotes(): void {
    this.#notesShown = !this.#notesShown;
    this.#timeline.showNotes(this.#notesShown);
    this.#draw();
  }

  step(direction: -1 | 1): void {
    this.#player.seek(this.#player.time + direction * STEP_S);
  }

  /** Sets the start or the end of the selection to the current position. */
  setSelectionEdge(edge: "start" | "end"): void {
    const { time, region } = this.#player;
    const [start, end] = edge === "start" ? [time, region?.end ?? this.#sound.seconds] : [region?.start ?? 0, time];
    if (end - start > 0.02) this.#select({ start, end });
  }

  clearSelection(): void {
    this.#select(undefined);
  }

  /** Stops playback and overwrites the audio in memory. */
  close(): void {
    this.reviewForm.dialog.close();
    this.#player.close();
    this.#timeline.close();
    this.#sound.wipe();
    this.element.remove();
  }

  #select(region: Region | undefined): void {
    this.#player.region = region;
    this.#draw();
  }

  #draw(): void {
    const player = this.#player;
    setText(this.#play, player.isPlaying ? "Pause" : "Play");
    this.#loop.setAttribute("aria-pressed", String(player.loops));
    this.#slow.setAttribute("aria-pressed", String(player.isSlow));
    this.#overlay.setAttribute("aria-pressed", String(this.#notesShown));
    this.#whole.disabled = player.region === undefined;
    const { region, time } = player;
    this.#position.value = String(time);
    this.#position.setAttribute("aria-valuetext", `${time.toFixed(1)} of ${this.#sound.seconds.toFixed(1)} seconds`);
    const part = region ? `, ${region.start.toFixed(2)} to ${region.end.toFixed(2)} s selected` : "";
    setText(this.#clock, `${time.toFixed(2)} of ${this.#sound.seconds.toFixed(2)} s${part}`);
    this.#timeline?.draw();
  }
}

function facts({ week, trigger, sdkVersion, platform }: Manifest): string {
  return `${week} · ${trigger === "mark" ? "marked by the app" : "sampled at random"} · SDK ${sdkVersion} · ${platform}`;
}

/** A text alternative for the timeline. */
function describe(sound: Sound, { removed, erased }: Manifest, comparison: Comparison): string {
  const parts = removed.map(({ start, end, reason }) => `${start.toFixed(2)} to ${end.toFixed(2)} s (${reason})`);
  const removedText = parts.length > 0 ? ` Removed: ${parts.join(", ")}.` : " Nothing was removed.";
  const erasedText = erased.length > 0 ? ` A voice was erased from ${erased.map(([start, end]) => `${start.toFixed(2)} to ${end.toFixed(2)} s`).join(", ")}.` : "";
  const { expected, recognized, inRemoved } = comparison;
  const inRemovedText = inRemoved === 0 ? "" : ` ${inRemoved} ${inRemoved === 1 ? "note begins" : "notes begin"} in a removed part: counted because the app heard ${inRemoved === 1 ? "it" : "them"}, but not audible here.`;
  return `${sound.seconds.toFixed(1)} s. ${expected.length} notes expected, ${recognized.length} recognized: ${summary(comparison)}.${removedText}${inRemovedText}${erasedText}`;
}

function legend({ removed, erased }: Manifest, { expected, recognized, counts, late }: Comparison): HTMLElement {
  const key = (className: string, mark: string, label: string) =>
    h("li", {}, h("span", { class: className, "aria-hidden": "true" }, mark !== "" && h("span", { class: "mark" }, mark)), ` ${label}`);
  const entries = [];
  if (expected.length > 0) entries.push(key("key note expected", "", "expected"));
  if (recognized.length > 0) {
    entries.push(key("key note recognized right", MARKS.right, "recognized"));
    if (counts.wrong > 0) entries.push(key("key note recognized wrong", MARKS.wrong, "wrong: a different note was expected"));
    if (late > 0) entries.push(key("key note recognized late", MARKS.late, "extra: a missed note, late or early"));
    if (counts.extra > late) entries.push(key("key note recognized extra", MARKS.extra, "extra: no note was expected"));
  }
  if (counts.missed > 0) entries.push(key("key note expected missed", MARKS.missed, "missed"));
  for (const reason of new Set(removed.map((removal) => removal.reason))) {
    entries.push(key("key gap removed", "", reason === "voice" ? "removed: voice" : `removed: ${reason}, too short a gap between two removed parts`));
  }
  if (erased.length > 0) entries.push(key("key gap erased", "", "a voice was erased from the music"));
  return h("ul", { class: "legend", "aria-label": "Legend" }, ...entries);
}

function notesTable({ expected, recognized }: Comparison): HTMLElement {
  const row = (list: string) => ({ note, disposition, late }: ScoredNote) =>
    ({ note, cells: [note.onset.toFixed(2), pitchName(note.midi), list, late ? `${disposition}, late or early` : disposition] });
  const rows = [...expected.map(row("expected")), ...recognized.map(row("recognized"))].sort((a, b) => a.note.onset - b.note.onset);
  return h("details", {}, h("summary", {}, "Notes as a table"),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Notes" }, h("table", {},
      h("thead", {}, h("tr", {}, ...["Seconds", "Note", "List", "Result"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows.map(({ cells }) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))))))));
}

function manifestTable(manifest: Manifest): HTMLElement {
  const { anonymizer } = manifest;
  const rows: [string, string][] = [
    ["Sample", manifest.sample],
    ["Consent record", manifest.consent],
    ["Purposes", manifest.purposes.join(", ")],
    ["Probability", String(manifest.probability)],
    ["Rates", `${manifest.inputRate} Hz recorded, ${manifest.rate} Hz stored`],
    ["Anonymizer", `${anonymizer.version} (${anonymizer.detector}; gate ${anonymizer.gate})`],
  ];
  return h("details", {}, h("summary", {}, "Manifest"),
    h("dl", { class: "manifest" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
