// One sample: its picture, its player, its notes, its manifest, and the reader's verdict.

import type { Desk, Entry } from "./desk";
import { h } from "./dom";
import { Judging } from "./judging";
import type { Manifest } from "./manifest";
import { compare, pitchName, summary, type Comparison, type Judged } from "./notes";
import type { Opened } from "./open";
import { MARKS, Picture } from "./picture";
import { Player, STEP_S, type Region } from "./player";
import { decode, type Sound } from "./sound";

export class SampleView {
  readonly element: HTMLElement;
  readonly judging: Judging;
  readonly #sound: Sound;
  readonly #player: Player;
  readonly #picture: Picture;
  readonly #play = h("button", { type: "button", class: "primary", onclick: () => this.togglePlay() });
  readonly #loop = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggleLoop() }, "Loop");
  readonly #slow = h("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggleSlow() }, "Half speed");
  readonly #whole = h("button", { type: "button", onclick: () => this.#select(undefined) }, "Whole sample");
  readonly #overlay = h("button", { type: "button", "aria-pressed": "true", onclick: () => this.toggleNotes() }, "Notes");
  readonly #position: HTMLInputElement;
  readonly #clock = h("output", { class: "clock" });
  #notesShown = true;

  /** @throws where the sample is not what it should be. */
  static async of(desk: Desk, entry: Entry): Promise<SampleView> {
    const opened = await desk.open(entry);
    try {
      const sound = await decode(opened);
      return new SampleView(desk, entry, opened, sound);
    } finally {
      opened.wipe();
    }
  }

  private constructor(desk: Desk, readonly entry: Entry, { manifest }: Opened, sound: Sound) {
    const comparison = compare(manifest.annotation, manifest.kept);
    this.#sound = sound;
    this.#player = new Player(sound, manifest.removed, () => this.#draw());
    this.#position = h("input", {
      type: "range", min: 0, max: sound.seconds.toFixed(2), step: 0.01, value: 0, "aria-label": "Position",
      oninput: () => this.#player.seek(Number(this.#position.value)),
    });
    this.judging = new Judging(desk, entry, manifest);
    this.element = h("article", { class: "sample", "aria-labelledby": "sample-heading" });
    // In the document before the picture is drawn: it is as wide as its place.
    document.querySelector("#sample")?.replaceChildren(this.element);
    const title = manifest.annotation.tag ?? "No exercise";
    const figure = h("figure", { "aria-label": "Spectrogram and notes" });
    this.element.append(
      h("header", {}, h("h2", { id: "sample-heading", tabindex: -1 }, title), h("p", { class: "facts" }, facts(manifest))),
      figure,
      this.judging.element,
      notesTable(comparison),
      manifestTable(manifest),
    );
    this.#picture = new Picture(sound, manifest, comparison, this.#player, (region) => this.#select(region));
    figure.append(
      this.#picture.element,
      h("div", { class: "seek" }, this.#position, this.#clock),
      h("div", { class: "buttons", role: "group", "aria-label": "Playing" }, this.#play, this.#loop, this.#slow, this.#whole, this.#overlay),
      h("figcaption", {}, described(sound, manifest, comparison)),
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
    this.#picture.showNotes(this.#notesShown);
    this.#draw();
  }

  step(direction: -1 | 1): void {
    this.#player.seek(this.#player.time + direction * STEP_S);
  }

  /** Begins or ends the chosen part at where it plays. */
  cut(edge: "start" | "end"): void {
    const { time, region } = this.#player;
    const [start, end] = edge === "start" ? [time, region?.end ?? this.#sound.seconds] : [region?.start ?? 0, time];
    if (end - start > 0.02) this.#select({ start, end });
  }

  chooseWhole(): void {
    this.#select(undefined);
  }

  /** Stops, and overwrites the sound. */
  close(): void {
    this.judging.dialog.close();
    this.#player.close();
    this.#picture.close();
    this.#sound.wipe();
    this.element.remove();
  }

  #select(region: Region | undefined): void {
    this.#player.region = region;
    this.#draw();
  }

  #draw(): void {
    const player = this.#player;
    text(this.#play, player.isPlaying ? "Pause" : "Play");
    this.#loop.setAttribute("aria-pressed", String(player.loops));
    this.#slow.setAttribute("aria-pressed", String(player.isSlow));
    this.#overlay.setAttribute("aria-pressed", String(this.#notesShown));
    this.#whole.disabled = player.region === undefined;
    const { region, time } = player;
    this.#position.value = String(time);
    this.#position.setAttribute("aria-valuetext", `${time.toFixed(1)} of ${this.#sound.seconds.toFixed(1)} seconds`);
    const part = region ? `, ${region.start.toFixed(2)} to ${region.end.toFixed(2)} s chosen` : "";
    text(this.#clock, `${time.toFixed(2)} of ${this.#sound.seconds.toFixed(2)} s${part}`);
    this.#picture?.draw();
  }
}

function facts({ week, trigger, sdkVersion, platform }: Manifest): string {
  return `${week} · ${trigger === "mark" ? "marked by the app" : "drawn at random"} · SDK ${sdkVersion} · ${platform}`;
}

/** What the picture shows, in words. */
function described(sound: Sound, { removed, erased }: Manifest, comparison: Comparison): string {
  const parts = removed.map(({ start, end, reason }) => `${start.toFixed(2)} to ${end.toFixed(2)} s (${reason})`);
  const gone = parts.length > 0 ? ` Taken out: ${parts.join(", ")}.` : " Nothing was taken out.";
  const thinned = erased.length > 0 ? ` A voice was erased from ${erased.map(([start, end]) => `${start.toFixed(2)} to ${end.toFixed(2)} s`).join(", ")}.` : "";
  const { expected, recognized, unheard } = comparison;
  const silent = unheard === 0 ? "" : ` ${unheard} ${unheard === 1 ? "note" : "notes"} of both lists began where sound was taken out: counted, since the app heard ${unheard === 1 ? "it" : "them"}, but not to be heard here.`;
  return `${sound.seconds.toFixed(1)} s. ${expected.length} notes expected, ${recognized.length} recognized: ${summary(comparison)}.${gone}${silent}${thinned}`;
}

function legend({ removed, erased }: Manifest, { expected, recognized, counts, late }: Comparison): HTMLElement {
  const key = (looks: string, mark: string, words: string) =>
    h("li", {}, h("span", { class: looks, "aria-hidden": "true" }, mark !== "" && h("span", { class: "mark" }, mark)), ` ${words}`);
  const entries = [];
  if (expected.length > 0) entries.push(key("key note expected", "", "expected"));
  if (recognized.length > 0) {
    entries.push(key("key note recognized right", MARKS.right, "recognised"));
    if (counts.wrong > 0) entries.push(key("key note recognized wrong", MARKS.wrong, "wrong: another note was expected"));
    if (late > 0) entries.push(key("key note recognized late", MARKS.late, "extra: a missed note, late or early"));
    if (counts.extra > late) entries.push(key("key note recognized extra", MARKS.extra, "extra: nothing was expected"));
  }
  if (counts.missed > 0) entries.push(key("key note expected missed", MARKS.missed, "missed"));
  for (const reason of new Set(removed.map((removal) => removal.reason))) {
    entries.push(key("key gap removed", "", reason === "voice" ? "removed: voice" : `removed: ${reason}, too short between two removed parts`));
  }
  if (erased.length > 0) entries.push(key("key gap erased", "", "a voice was erased here, the music thinned"));
  return h("ul", { class: "legend", "aria-label": "Legend" }, ...entries);
}

function notesTable({ expected, recognized }: Comparison): HTMLElement {
  const row = (list: string) => ({ note, fate, late }: Judged) =>
    ({ note, cells: [note.onset.toFixed(2), pitchName(note.midi), list, late ? `${fate}, late or early` : fate] });
  const rows = [...expected.map(row("expected")), ...recognized.map(row("recognised"))].sort((a, b) => a.note.onset - b.note.onset);
  return h("details", {}, h("summary", {}, "Notes as a table"),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Notes" }, h("table", {},
      h("thead", {}, h("tr", {}, ...["Seconds", "Note", "List", "Fate"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows.map(({ cells }) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))))))));
}

function manifestTable(manifest: Manifest): HTMLElement {
  const { anonymizer } = manifest;
  const rows: [string, string][] = [
    ["Sample", manifest.sample],
    ["Consent record", manifest.consent],
    ["Purposes", manifest.purposes.join(", ")],
    ["Probability", String(manifest.probability)],
    ["Rates", `${manifest.inputRate} Hz heard, ${manifest.rate} Hz kept`],
    ["Anonymizer", `${anonymizer.version} (${anonymizer.detector}; gate ${anonymizer.gate})`],
  ];
  return h("details", {}, h("summary", {}, "Manifest"),
    h("dl", { class: "manifest" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

function text(element: HTMLElement, words: string): void {
  if (element.textContent !== words) element.textContent = words;
}
