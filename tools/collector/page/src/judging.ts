// What the reader says of a sample: verdict, note, whose it is, and that a voice was heard.

import { say, sayAtOnce } from "./announce";
import type { Desk, Entry } from "./desk";
import { h } from "./dom";
import type { Manifest } from "./manifest";
import { LONGEST_NOTE, VERDICTS, type Verdict } from "./verdicts";

export class Judging {
  readonly element: HTMLElement;
  readonly dialog: HTMLDialogElement;
  readonly #radios = new Map<Verdict, HTMLInputElement>();
  readonly #note: HTMLTextAreaElement;
  readonly #outcome = h("p", { class: "outcome" });
  readonly #others = h("ul", { class: "others", "aria-label": "What others said" });
  readonly #assignee: HTMLInputElement;
  readonly #known = h("datalist", { id: "readers" });

  constructor(readonly desk: Desk, readonly entry: Entry, readonly manifest: Manifest) {
    const names = Object.entries(VERDICTS) as [Verdict, string][];
    const choices = names.map(([verdict, words], at) => {
      const radio = h("input", { type: "radio", name: "verdict", id: `verdict-${verdict}`, value: verdict });
      this.#radios.set(verdict, radio);
      return h("div", { class: "choice" }, radio, h("label", { for: radio.id }, words, " ", h("kbd", { "aria-hidden": "true" }, String(at + 1))));
    });
    this.#note = h("textarea", { id: "note", rows: 3, maxlength: LONGEST_NOTE });
    this.#assignee = h("input", { id: "assignee", list: "readers", maxlength: 100, autocomplete: "off" });
    const sealed = desk.setting === "sealed"
      ? "Sealed to the QA recipients before it leaves this page."
      : "Kept at the collector as it is written: whoever runs it can read it.";
    const form = h(
      "form",
      { novalidate: true },
      h("fieldset", {}, h("legend", {}, "Verdict"), ...choices),
      h("label", { for: "note" }, "Note"),
      this.#note,
      h("p", { class: "hint" }, sealed),
      h("div", { class: "buttons" },
        h("button", { class: "primary" }, "Save"),
        h("button", { type: "button", class: "danger", onclick: () => this.askAboutVoice() }, "Voice heard!")),
      this.#outcome,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
    const assignment = h(
      "form",
      { class: "assignment", novalidate: true },
      h("label", { for: "assignee" }, "Assigned to"),
      h("div", { class: "buttons" }, this.#assignee, this.#known, h("button", {}, "Assign"),
        h("button", { type: "button", onclick: () => this.assign(desk.reader) }, "To me")),
    );
    assignment.addEventListener("submit", (event) => {
      event.preventDefault();
      this.assign(this.#assignee.value.trim() || undefined);
    });
    this.dialog = this.#voiceDialog();
    this.element = h("section", { class: "judging", "aria-labelledby": "judging-heading" },
      h("h3", { id: "judging-heading" }, "Your verdict"), form, this.#others, assignment, this.dialog);
    const own = entry.reviews.get(desk.reader);
    if (own?.verdict) this.#radios.get(own.verdict)!.checked = true;
    this.#note.value = own?.note ?? "";
    this.draw();
  }

  draw(): void {
    const { reviews, assignee } = this.entry;
    const others = [...reviews.values()].filter(({ reader }) => reader !== this.desk.reader);
    this.#others.hidden = others.length === 0;
    this.#others.replaceChildren(...others.map(({ reader, verdict, note, week }) =>
      h("li", {}, h("b", {}, reader), `, ${week}: ${verdict ? VERDICTS[verdict] : "sealed to others"}`, note && h("q", {}, note) || "")));
    if (document.activeElement !== this.#assignee) this.#assignee.value = assignee ?? "";
    const readers = new Set([this.desk.reader]);
    for (const entry of this.desk.entries.values()) {
      if (entry.assignee) readers.add(entry.assignee);
      for (const reader of entry.reviews.keys()) readers.add(reader);
    }
    this.#known.replaceChildren(...[...readers].map((value) => h("option", { value })));
  }

  /** Chooses a verdict and saves it. */
  choose(verdict: Verdict): void {
    this.#radios.get(verdict)!.checked = true;
    void this.save();
  }

  focusNote(): void {
    this.#note.focus();
  }

  async save(): Promise<void> {
    const chosen = [...this.#radios].find(([, radio]) => radio.checked)?.[0];
    if (!chosen) return this.#tell("Choose a verdict first.", true);
    await this.#try(() => this.desk.say(this.entry, chosen, this.#note.value.trim()), `Saved: ${VERDICTS[chosen]}.`);
  }

  assign(reader: string | undefined): void {
    void this.#try(async () => {
      await this.desk.assign(this.entry, reader);
      this.#assignee.value = reader ?? "";
    }, reader ? `Assigned to ${reader}.` : "Assigned to nobody.");
  }

  askAboutVoice(): void {
    this.dialog.showModal();
  }

  #voiceDialog(): HTMLDialogElement {
    const dialog: HTMLDialogElement = h(
      "dialog",
      { class: "confirm", "aria-labelledby": "voice-heading", "aria-describedby": "voice-text" },
      h("h2", { id: "voice-heading" }, "You heard a voice?"),
      h("p", { id: "voice-text" }, "The sample is taken away from everybody at once, and every pull removes its copies. It counts against the anonymiser. Whoever runs the collector can release or delete it."),
      h("div", { class: "buttons" },
        h("button", { type: "button", class: "danger", onclick: () => void this.#quarantine() }, "Yes, take it away"),
        h("button", { type: "button", onclick: () => dialog.close() }, "No, keep it")),
    );
    return dialog;
  }

  async #quarantine(): Promise<void> {
    this.dialog.close();
    await this.#try(() => this.desk.quarantine(this.entry, this.manifest), "Taken away from everybody.");
  }

  async #try(act: () => Promise<void>, done: string): Promise<void> {
    try {
      await act();
      this.#tell(done, false);
    } catch (error) {
      this.#tell(`Not done: ${error instanceof Error ? error.message : String(error)}`, true);
    }
  }

  #tell(line: string, isProblem: boolean): void {
    this.#outcome.textContent = line;
    this.#outcome.classList.toggle("problem", isProblem);
    (isProblem ? sayAtOnce : say)(line);
  }
}
