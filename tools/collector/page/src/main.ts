// The review page: the sign-in form, then the queue and the open sample.

import { announce, announceUrgent, regions } from "./announce";
import { connectView } from "./connect";
import type { Store, Entry } from "./store";
import { h } from "./dom";
import { Queue } from "./queue";
import { SampleView } from "./sample";
import { Shortcuts } from "./shortcuts";
import { restrictHtmlToWaveform } from "./trusted-types";
import { VERDICTS, type Verdict } from "./verdicts";

restrictHtmlToWaveform();
const page = document.querySelector("#page")!;
page.append(...regions, connectView((store) => new ReviewApp(store)));

class ReviewApp {
  readonly #queue: Queue;
  readonly #pane = h("main", { id: "sample", class: "pane" });
  readonly #connectionProblem = h("p", { class: "connection problem", role: "status" });
  readonly #signOutText = h("p", { id: "sign-out-text" });
  readonly #signOutDialog = this.#createSignOutDialog();
  #view: SampleView | undefined;
  /** Counts calls of `#open`, so that the result of an outdated one is discarded. */
  #opening = 0;

  constructor(readonly store: Store) {
    this.#queue = new Queue(store, (entry) => void this.#open(entry));
    const shortcuts = this.#shortcuts();
    const header = h("header", { class: "top" },
      h("h1", {}, "Sordino review"),
      h("p", {}, `${store.collector.purpose} · you are ${store.reader}`),
      this.#connectionProblem,
      h("div", { class: "buttons" },
        h("button", { type: "button", onclick: () => shortcuts.toggle() }, "Keyboard ", h("kbd", { "aria-hidden": "true" }, "?")),
        h("button", { type: "button", onclick: () => this.#signOut() }, "Sign out")));
    page.replaceChildren(...regions, header, h("div", { class: "layout" }, this.#queue.element, this.#pane), shortcuts.dialog, this.#signOutDialog);
    this.#showMessage("Choose a sample from the queue.");
    this.#queue.focusHeading();
    announce(`${store.entries.size} samples listed.`);
    store.onChange((change, ids) => this.#onChange(change, ids));
    window.addEventListener("beforeunload", (event) => {
      if (store.drafts.size > 0) event.preventDefault();
    });
  }

  #signOut(): void {
    const { size } = this.store.drafts;
    if (size === 0) return this.#discardAndReload();
    this.#signOutText.textContent = `${size === 1 ? "One verdict or note is" : `${size} verdicts or notes are`} not saved and will be lost.`;
    this.#signOutDialog.showModal();
  }

  /** Discards token, key, samples and drafts. */
  #discardAndReload(): void {
    this.#close();
    this.store.drafts.clear();
    this.store.stop();
    location.reload();
  }

  #createSignOutDialog(): HTMLDialogElement {
    const dialog: HTMLDialogElement = h("dialog", { class: "confirm", "aria-labelledby": "sign-out-heading", "aria-describedby": "sign-out-text" },
      h("h2", { id: "sign-out-heading" }, "Sign out?"),
      this.#signOutText,
      h("div", { class: "buttons" },
        h("button", { type: "button", onclick: () => dialog.close() }, "Stay"),
        h("button", { type: "button", class: "danger", onclick: () => this.#discardAndReload() }, "Discard and sign out")));
    return dialog;
  }

  #onChange(change: "list" | "reviews" | "removed" | "connection", ids: readonly string[]): void {
    if (change === "connection") this.#connectionProblem.textContent = this.store.connectionProblem;
    if (change === "reviews") this.#view?.reviewForm.draw();
    if (change !== "removed") return;
    const open = this.#view?.entry.listed.id;
    const number = ids.length === 1 ? "A sample was" : `${ids.length} samples were`;
    if (open !== undefined && ids.includes(open)) {
      this.#close();
      this.#showMessage("This sample was withdrawn or quarantined. Its audio was stopped and removed from this page.");
      announceUrgent("The open sample was withdrawn or quarantined. Its audio was stopped and removed from this page.");
      this.#queue.focusHeading();
    } else {
      announce(`${number} withdrawn or quarantined.`);
    }
  }

  async #open(entry: Entry): Promise<void> {
    const opening = ++this.#opening;
    this.#close();
    this.#showMessage("Opening …");
    this.#queue.mark(entry.listed.id);
    try {
      const view = await SampleView.create(this.store, entry);
      const isStillWanted = opening === this.#opening && this.store.entries.has(entry.listed.id);
      if (!isStillWanted) return view.close();
      this.#view = view;
      view.element.querySelector("h2")?.focus();
    } catch (error) {
      if (opening !== this.#opening) return;
      const reason = error instanceof Error ? error.message : String(error);
      const line = `The sample cannot be opened: ${reason}.`.replace("..", ".");
      this.#showMessage(line, true);
      announceUrgent(line);
    }
  }

  #close(): void {
    this.#view?.close();
    this.#view = undefined;
    this.#queue.mark(undefined);
  }

  #showMessage(text: string, isProblem = false): void {
    this.#pane.replaceChildren(h("p", { class: isProblem ? "message problem" : "message" }, text));
  }

  #shortcuts(): Shortcuts {
    const neighbor = (steps: number) => () => {
      const entry = this.#queue.neighbor(steps);
      if (entry) void this.#open(entry);
    };
    const forSample = (action: (view: SampleView) => void) => () => {
      if (this.#view) action(this.#view);
    };
    const verdicts = (Object.entries(VERDICTS) as [Verdict, string][]).map(([verdict, words], at) => ({
      keys: [String(at + 1)], description: `Verdict: ${words}`, run: forSample(({ reviewForm }) => reviewForm.choose(verdict)),
    }));
    return new Shortcuts([
      { keys: ["j"], description: "Next sample in the queue", run: neighbor(1) },
      { keys: ["k"], description: "Previous sample", run: neighbor(-1) },
      { keys: [" ", "p"], description: "Play or pause", run: forSample((view) => view.togglePlay()) },
      { keys: ["ArrowLeft"], description: "Half a second backward", run: forSample((view) => view.step(-1)) },
      { keys: ["ArrowRight"], description: "Half a second forward", run: forSample((view) => view.step(1)) },
      { keys: ["l"], description: "Loop", run: forSample((view) => view.toggleLoop()) },
      { keys: ["s"], description: "Half speed", run: forSample((view) => view.toggleSlow()) },
      { keys: ["["], description: "Set the start of the selection", run: forSample((view) => view.setSelectionEdge("start")) },
      { keys: ["]"], description: "Set the end of the selection", run: forSample((view) => view.setSelectionEdge("end")) },
      { keys: ["w"], description: "Clear the selection", run: forSample((view) => view.clearSelection()) },
      { keys: ["o"], description: "Show or hide notes", run: forSample((view) => view.toggleNotes()) },
      ...verdicts,
      { keys: ["v"], description: "Voice heard!", run: forSample(({ reviewForm }) => reviewForm.askAboutVoice()) },
      { keys: ["n"], description: "Write a note", run: forSample(({ reviewForm }) => reviewForm.focusNote()) },
      { keys: ["Ctrl+Enter"], description: "Save", run: forSample(({ reviewForm }) => void reviewForm.save()) },
      { keys: ["a"], description: "Assign to me", run: forSample(({ reviewForm }) => reviewForm.assign(this.store.reader)) },
      { keys: ["f"], description: "Filters", run: () => this.#queue.focusFilters() },
      { keys: ["q"], description: "Queue", run: () => this.#queue.focusHeading() },
    ]);
  }
}
