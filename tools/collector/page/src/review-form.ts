// The review form of a sample: verdict, note, assignment, and the report of a voice.

import { announce, announceUrgent } from "./announce";
import type { Store, Entry } from "./store";
import { focusHeading, h } from "./dom";
import type { Manifest } from "./manifest";
import { MAX_NOTE_CHARS, VERDICTS, type Verdict } from "./verdicts";

export class ReviewForm {
  readonly element: HTMLElement;
  readonly dialog: HTMLDialogElement;
  readonly #radios = new Map<Verdict, HTMLInputElement>();
  readonly #note: HTMLTextAreaElement;
  readonly #outcome = h("p", { class: "outcome" });
  readonly #unsaved: HTMLElement;
  readonly #others = h("ul", { class: "others", "aria-label": "Other reviews" });
  readonly #assignee: HTMLInputElement;
  readonly #readers = h("datalist", { id: "readers" });

  constructor(readonly store: Store, readonly entry: Entry, readonly manifest: Manifest) {
    const names = Object.entries(VERDICTS) as [Verdict, string][];
    const choices = names.map(([verdict, words], at) => {
      const radio = h("input", { type: "radio", name: "verdict", id: `verdict-${verdict}`, value: verdict, onchange: () => this.#draft() });
      this.#radios.set(verdict, radio);
      return h("div", { class: "choice" }, radio, h("label", { for: radio.id }, words, " ", h("kbd", { "aria-hidden": "true" }, String(at + 1))));
    });
    this.#note = h("textarea", { id: "note", rows: 3, maxlength: MAX_NOTE_CHARS, oninput: () => this.#draft() });
    this.#unsaved = h("p", { class: "unsaved", hidden: true }, "Not saved. The draft is kept in this tab, sealed to your key, until you save or sign out. ",
      h("button", { type: "button", onclick: () => this.#discard() }, "Discard"));
    this.#assignee = h("input", { id: "assignee", list: "readers", maxlength: 100, autocomplete: "off" });
    const sealed = store.verdictsSetting === "sealed"
      ? "Sealed to the QA recipients before it leaves this page."
      : "Stored unencrypted at the collector: its operator can read it.";
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
      h("div", { class: "buttons" }, this.#assignee, this.#readers, h("button", {}, "Assign"),
        h("button", { type: "button", onclick: () => this.assign(store.reader) }, "To me")),
    );
    assignment.addEventListener("submit", (event) => {
      event.preventDefault();
      this.assign(this.#assignee.value.trim() || undefined);
    });
    this.dialog = this.#createVoiceDialog();
    this.element = h("section", { class: "reviewForm", "aria-labelledby": "reviewForm-heading" },
      h("h3", { id: "reviewForm-heading" }, "Your verdict"), form, this.#others, assignment, this.dialog);
    this.#fill();
    this.draw();
  }

  draw(): void {
    const { reviews, assignee, listed } = this.entry;
    this.#unsaved.hidden = this.store.drafts.get(listed.id) === undefined;
    const others = [...reviews.values()].filter(({ reader }) => reader !== this.store.reader);
    this.#others.hidden = others.length === 0;
    this.#others.replaceChildren(...others.map(({ reader, verdict, note, week }) =>
      h("li", {}, h("b", {}, reader), `, ${week}: ${verdict ? VERDICTS[verdict] : "sealed to other keys"}`, note && h("q", {}, note) || "")));
    if (document.activeElement !== this.#assignee) this.#assignee.value = assignee ?? "";
    const readers = new Set([this.store.reader]);
    for (const entry of this.store.entries.values()) {
      if (entry.assignee) readers.add(entry.assignee);
      for (const reader of entry.reviews.keys()) readers.add(reader);
    }
    this.#readers.replaceChildren(...[...readers].map((value) => h("option", { value })));
  }

  /** Selects a verdict and saves it. */
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
      return this.#report("Choose a verdict first.", true);
    }
    await this.#try(async () => {
      await this.store.submitReview(this.entry, chosen, note);
      this.#leaveField();
    }, `Saved: ${VERDICTS[chosen]}.`);
  }

  #chosen(): Verdict | undefined {
    return [...this.#radios].find(([, radio]) => radio.checked)?.[0];
  }

  /** Shows the draft, or else the saved review. */
  #fill(): void {
    const { entry, store } = this;
    const shown = store.drafts.get(entry.listed.id) ?? entry.reviews.get(store.reader);
    for (const [verdict, radio] of this.#radios) radio.checked = verdict === shown?.verdict;
    this.#note.value = shown?.note ?? "";
  }

  #draft(): void {
    // No draft is kept for a removed sample.
    if (this.store.entries.has(this.entry.listed.id)) this.store.setDraft(this.entry, this.#chosen(), this.#note.value);
  }

  #discard(): void {
    const saved = this.entry.reviews.get(this.store.reader);
    this.store.setDraft(this.entry, saved?.verdict, saved?.note ?? "");
    this.#fill();
    this.#report("Discarded.", false);
    this.#note.focus();
  }

  /** Makes single-key shortcuts work again after a form was submitted by keyboard. */
  #leaveField(): void {
    const { activeElement } = document;
    if (activeElement === this.#note || activeElement === this.#assignee) focusHeading();
  }

  assign(reader: string | undefined): void {
    void this.#try(async () => {
      await this.store.assign(this.entry, reader);
      this.#assignee.value = reader ?? "";
      this.#leaveField();
    }, reader ? `Assigned to ${reader}.` : "Assignment removed.");
  }

  askAboutVoice(): void {
    this.dialog.showModal();
  }

  #createVoiceDialog(): HTMLDialogElement {
    const dialog: HTMLDialogElement = h(
      "dialog",
      { class: "confirm", "aria-labelledby": "voice-heading", "aria-describedby": "voice-text" },
      h("h2", { id: "voice-heading" }, "Did you hear a voice?"),
      h("p", { id: "voice-text" }, "The sample is quarantined: it is removed for every reader at once, and every pull deletes its copies. It counts as a failure of the anonymizer. The operator of the collector can release or delete it."),
      h("div", { class: "buttons" },
        h("button", { type: "button", class: "danger", onclick: () => void this.#quarantine() }, "Yes, quarantine it"),
        h("button", { type: "button", onclick: () => dialog.close() }, "No, keep it")),
    );
    return dialog;
  }

  async #quarantine(): Promise<void> {
    this.dialog.close();
    await this.#try(() => this.store.quarantine(this.entry, this.manifest), "Quarantined.");
  }

  async #try(action: () => Promise<void>, success: string): Promise<void> {
    try {
      await action();
      this.#report(success, false);
    } catch (error) {
      this.#report(`Failed: ${error instanceof Error ? error.message : String(error)}`, true);
    }
  }

  #report(line: string, isProblem: boolean): void {
    this.#outcome.textContent = line;
    this.#outcome.classList.toggle("problem", isProblem);
    (isProblem ? announceUrgent : announce)(line);
  }
}
