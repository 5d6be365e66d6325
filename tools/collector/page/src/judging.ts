// What the reader says of a sample: verdict, note, whose it is, and that a voice was heard.

import { say, sayAtOnce } from "./announce";
import type { Desk, Entry } from "./desk";
import { focusHeading, h } from "./dom";
import type { Manifest } from "./manifest";
import { LONGEST_NOTE, VERDICTS, type Verdict } from "./verdicts";

export class Judging {
  readonly element: HTMLElement;
  readonly dialog: HTMLDialogElement;
  readonly #radios = new Map<Verdict, HTMLInputElement>();
  readonly #note: HTMLTextAreaElement;
  readonly #outcome = h("p", { class: "outcome" });
  readonly #unsaved: HTMLElement;
  readonly #others = h("ul", { class: "others", "aria-label": "What others said" });
  readonly #assignee: HTMLInputElement;
  readonly #known = h("datalist", { id: "readers" });

  constructor(readonly desk: Desk, readonly entry: Entry, readonly manifest: Manifest) {
    const names = Object.entries(VERDICTS) as [Verdict, string][];
    const choices = names.map(([verdict, words], at) => {
      const radio = h("input", { type: "radio", name: "verdict", id: `verdict-${verdict}`, value: verdict, onchange: () => this.#draft() });
      this.#radios.set(verdict, radio);
      return h("div", { class: "choice" }, radio, h("label", { for: radio.id }, words, " ", h("kbd", { "aria-hidden": "true" }, String(at + 1))));
    });
    this.#note = h("textarea", { id: "note", rows: 3, maxlength: LONGEST_NOTE, oninput: () => this.#draft() });
    this.#unsaved = h("p", { class: "unsaved", hidden: true }, "Not saved yet. It is kept in this tab, sealed to your key, until you save or sign out. ",
      h("button", { type: "button", onclick: () => this.#discard() }, "Discard"));
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
      this.#unsaved,
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
    this.#fill();
    this.draw();
  }

  draw(): void {
    const { reviews, assignee, listed } = this.entry;
    this.#unsaved.hidden = this.desk.drafts.of(listed.id) === undefined;
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
    this.#draft();
    void this.save();
  }

  focusNote(): void {
    this.#note.focus();
  }

  async save(): Promise<void> {
    const [chosen, note] = [this.#chosen(), this.#note.value.trim()];
    if (!chosen) {
      this.#radios.values().next().value?.focus();
      return this.#tell("Choose a verdict first.", true);
    }
    await this.#try(async () => {
      await this.desk.say(this.entry, chosen, note);
      this.#leaveField();
    }, `Saved: ${VERDICTS[chosen]}.`);
  }

  #chosen(): Verdict | undefined {
    return [...this.#radios].find(([, radio]) => radio.checked)?.[0];
  }

  /** Shows the draft, or else what was saved. */
  #fill(): void {
    const { entry, desk } = this;
    const shown = desk.drafts.of(entry.listed.id) ?? entry.reviews.get(desk.reader);
    for (const [verdict, radio] of this.#radios) radio.checked = verdict === shown?.verdict;
    this.#note.value = shown?.note ?? "";
  }

  #draft(): void {
    // Of a sample that is gone there is nothing to be kept.
    if (this.desk.entries.has(this.entry.listed.id)) this.desk.draft(this.entry, this.#chosen(), this.#note.value);
  }

  #discard(): void {
    const saved = this.entry.reviews.get(this.desk.reader);
    this.desk.draft(this.entry, saved?.verdict, saved?.note ?? "");
    this.#fill();
    this.#tell("Discarded.", false);
    this.#note.focus();
  }

  /** Has the page's keys work again after a text was sent by keyboard. */
  #leaveField(): void {
    const { activeElement } = document;
    if (activeElement === this.#note || activeElement === this.#assignee) focusHeading();
  }

  assign(reader: string | undefined): void {
    void this.#try(async () => {
      await this.desk.assign(this.entry, reader);
      this.#assignee.value = reader ?? "";
      this.#leaveField();
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
      h("p", { id: "voice-text" }, "The sample is taken away from everybody at once, and every pull removes its copies. It counts against the anonymizer. Whoever runs the collector can release or delete it."),
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
