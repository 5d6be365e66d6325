// The review page: token and key, then the queue beside the sample that is open.

import { regions, say, sayAtOnce } from "./announce";
import { connectView } from "./connect";
import type { Desk, Entry } from "./desk";
import { h } from "./dom";
import { Queue } from "./queue";
import { SampleView } from "./sample";
import { Shortcuts } from "./shortcuts";
import { allowOnlyTheWaveformsHtml } from "./trusted";
import { VERDICTS, type Verdict } from "./verdicts";

allowOnlyTheWaveformsHtml();
const page = document.querySelector("#page")!;
page.append(...regions, connectView((desk) => new Workplace(desk)));

class Workplace {
  readonly #queue: Queue;
  readonly #place = h("main", { id: "sample", class: "place" });
  readonly #line = h("p", { class: "line problem", role: "status" });
  readonly #leavingText = h("p", { id: "leaving-text" });
  readonly #leaving = this.#leavingDialog();
  #view: SampleView | undefined;
  /** Counts openings: one that was overtaken by the next is thrown away. */
  #opening = 0;

  constructor(readonly desk: Desk) {
    this.#queue = new Queue(desk, (entry) => void this.#open(entry));
    const shortcuts = this.#shortcuts();
    const header = h("header", { class: "top" },
      h("h1", {}, "Sordino review"),
      h("p", {}, `${desk.collector.purpose} · you are ${desk.reader}`),
      this.#line,
      h("div", { class: "buttons" },
        h("button", { type: "button", onclick: () => shortcuts.toggle() }, "Keyboard ", h("kbd", { "aria-hidden": "true" }, "?")),
        h("button", { type: "button", onclick: () => this.#signOut() }, "Sign out")));
    page.replaceChildren(...regions, header, h("div", { class: "desk" }, this.#queue.element, this.#place), shortcuts.dialog, this.#leaving);
    this.#nothingOpen("Choose a sample from the queue.");
    this.#queue.focusHeading();
    say(`${desk.entries.size} samples listed.`);
    desk.onChange((change, ids) => this.#follow(change, ids));
    window.addEventListener("beforeunload", (event) => {
      if (desk.drafts.size > 0) event.preventDefault();
    });
  }

  #signOut(): void {
    const { size } = this.desk.drafts;
    if (size === 0) return this.#leave();
    this.#leavingText.textContent = `${size === 1 ? "One verdict or note is" : `${size} verdicts or notes are`} not saved, and will be gone.`;
    this.#leaving.showModal();
  }

  /** Forgets token, key, samples and drafts. */
  #leave(): void {
    this.#close();
    this.desk.drafts.clear();
    this.desk.stop();
    location.reload();
  }

  #leavingDialog(): HTMLDialogElement {
    const dialog: HTMLDialogElement = h("dialog", { class: "confirm", "aria-labelledby": "leaving-heading", "aria-describedby": "leaving-text" },
      h("h2", { id: "leaving-heading" }, "Sign out?"),
      this.#leavingText,
      h("div", { class: "buttons" },
        h("button", { type: "button", onclick: () => dialog.close() }, "Stay"),
        h("button", { type: "button", class: "danger", onclick: () => this.#leave() }, "Discard and sign out")));
    return dialog;
  }

  #follow(change: "list" | "verdicts" | "gone" | "line", ids: readonly string[]): void {
    if (change === "line") this.#line.textContent = this.desk.trouble;
    if (change === "verdicts") this.#view?.judging.draw();
    if (change !== "gone") return;
    const open = this.#view?.entry.listed.id;
    const number = ids.length === 1 ? "A sample was" : `${ids.length} samples were`;
    if (open !== undefined && ids.includes(open)) {
      this.#close();
      this.#nothingOpen("This sample was withdrawn or taken away. Its sound was stopped and removed from this page.");
      sayAtOnce("The open sample was withdrawn or taken away. Its sound was stopped and removed from this page.");
      this.#queue.focusHeading();
    } else {
      say(`${number} withdrawn or taken away.`);
    }
  }

  async #open(entry: Entry): Promise<void> {
    const opening = ++this.#opening;
    this.#close();
    this.#nothingOpen("Being opened …");
    this.#queue.mark(entry.listed.id);
    try {
      const view = await SampleView.of(this.desk, entry);
      const isStillWanted = opening === this.#opening && this.desk.entries.has(entry.listed.id);
      if (!isStillWanted) return view.close();
      this.#view = view;
      view.element.querySelector("h2")?.focus();
    } catch (error) {
      if (opening !== this.#opening) return;
      const why = error instanceof Error ? error.message : String(error);
      const line = `The sample cannot be opened: ${why}.`.replace("..", ".");
      this.#nothingOpen(line, true);
      sayAtOnce(line);
    }
  }

  #close(): void {
    this.#view?.close();
    this.#view = undefined;
    this.#queue.mark(undefined);
  }

  #nothingOpen(words: string, isProblem = false): void {
    this.#place.replaceChildren(h("p", { class: isProblem ? "nothing problem" : "nothing" }, words));
  }

  #shortcuts(): Shortcuts {
    const neighbor = (steps: number) => () => {
      const entry = this.#queue.neighbor(steps);
      if (entry) void this.#open(entry);
    };
    const sample = (act: (view: SampleView) => void) => () => {
      if (this.#view) act(this.#view);
    };
    const verdicts = (Object.entries(VERDICTS) as [Verdict, string][]).map(([verdict, words], at) => ({
      keys: [String(at + 1)], does: `Verdict: ${words}`, run: sample(({ judging }) => judging.choose(verdict)),
    }));
    return new Shortcuts([
      { keys: ["j"], does: "Next sample of the queue", run: neighbor(1) },
      { keys: ["k"], does: "The sample before", run: neighbor(-1) },
      { keys: [" ", "p"], does: "Play or pause", run: sample((view) => view.togglePlay()) },
      { keys: ["ArrowLeft"], does: "Half a second back", run: sample((view) => view.step(-1)) },
      { keys: ["ArrowRight"], does: "Half a second on", run: sample((view) => view.step(1)) },
      { keys: ["l"], does: "Loop", run: sample((view) => view.toggleLoop()) },
      { keys: ["s"], does: "Half speed", run: sample((view) => view.toggleSlow()) },
      { keys: ["["], does: "The part begins here", run: sample((view) => view.cut("start")) },
      { keys: ["]"], does: "The part ends here", run: sample((view) => view.cut("end")) },
      { keys: ["w"], does: "The whole sample", run: sample((view) => view.chooseWhole()) },
      { keys: ["o"], does: "Notes over the spectrogram", run: sample((view) => view.toggleNotes()) },
      ...verdicts,
      { keys: ["v"], does: "Voice heard!", run: sample(({ judging }) => judging.askAboutVoice()) },
      { keys: ["n"], does: "Write a note", run: sample(({ judging }) => judging.focusNote()) },
      { keys: ["Ctrl+Enter"], does: "Save", run: sample(({ judging }) => void judging.save()) },
      { keys: ["a"], does: "Assign to me", run: sample(({ judging }) => judging.assign(this.desk.reader)) },
      { keys: ["f"], does: "Filters", run: () => this.#queue.focusFilters() },
      { keys: ["q"], does: "Queue", run: () => this.#queue.focusHeading() },
    ]);
  }
}
