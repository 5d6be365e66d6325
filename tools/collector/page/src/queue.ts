// The queue: filters, counts, and a paged list of the matching samples.

import type { Store, Entry } from "./store";
import { h, setChildren } from "./dom";
import { choices, NO_FILTER, filtered, type Filter } from "./filter";
import { download, verdictsCsv } from "./export";
import { summary } from "./notes";
import { VERDICTS } from "./verdicts";

/** Rows per page of the queue. */
const ROWS = 50;
/** The minimum time between two redraws, in milliseconds: decryption changes the list many times a second. */
const DRAW_MS = 150;

const LABELS: Record<keyof Filter, string> = {
  difference: "Expected and recognized", tag: "Exercise", trigger: "Trigger", week: "Week", sdk: "SDK version",
  verdict: "Verdict", assignee: "Assigned to", order: "Order",
};
const ORDERS: Record<Filter["order"], string> = { worst: "Most errors first", newest: "Newest first", oldest: "Oldest first" };

export class Queue {
  readonly element: HTMLElement;
  readonly #filter: Filter = { ...NO_FILTER };
  readonly #selects = {} as Record<keyof Filter, HTMLSelectElement>;
  readonly #count = h("p", { class: "count", "aria-live": "polite" });
  readonly #warning = h("p", { class: "problem", role: "alert" });
  readonly #list = h("ol", { class: "rows", "aria-labelledby": "queue-heading" });
  readonly #pages = h("p", { class: "pages" });
  readonly #export: HTMLButtonElement;
  readonly #rows = new Map<string, Row>();
  #shown: Entry[] = [];
  #from = 0;
  #open: string | undefined;
  #isDrawScheduled = false;

  constructor(readonly store: Store, readonly choose: (entry: Entry) => void) {
    const fields = (Object.keys(LABELS) as (keyof Filter)[]).map((name) => this.#field(name));
    const clear = h("button", { type: "button", onclick: () => this.clear() }, "Clear filters");
    this.#export = h("button", { type: "button", onclick: () => this.#download() }, "Download verdicts");
    this.element = h(
      "nav",
      { class: "queue", "aria-labelledby": "queue-heading" },
      h("h2", { id: "queue-heading", tabindex: -1 }, "Queue"),
      this.#count,
      this.#warning,
      h("details", { class: "filters", open: true }, h("summary", {}, "Filters"), h("div", { class: "fields", role: "group", "aria-label": "Filters" }, ...fields, clear)),
      this.#list,
      this.#pages,
      h("p", {}, this.#export),
    );
    store.onChange((change) => {
      if (change !== "connection") this.#scheduleDraw();
    });
    this.#draw();
  }

  clear(): void {
    Object.assign(this.#filter, NO_FILTER);
    this.#from = 0;
    this.#draw();
  }

  focusFilters(): void {
    this.element.querySelector("details")?.setAttribute("open", "");
    this.#selects.difference.focus();
  }

  focusHeading(): void {
    this.element.querySelector("h2")?.focus();
  }

  /** Highlights the row of the open sample. */
  mark(id: string | undefined): void {
    this.#open = id;
    this.#draw();
  }

  /** The sample `steps` rows below the open one. */
  neighbor(steps: number): Entry | undefined {
    const at = this.#shown.findIndex(({ listed }) => listed.id === this.#open);
    const next = at < 0 ? 0 : at + steps;
    const entry = this.#shown[next];
    if (entry) this.#from = Math.floor(next / ROWS) * ROWS;
    return entry;
  }

  #field(name: keyof Filter): HTMLElement {
    const id = `filter-${name}`;
    const select = h("select", {
      id,
      onchange: () => {
        (this.#filter as unknown as Record<string, string>)[name] = select.value;
        this.#from = 0;
        this.#draw();
      },
    });
    this.#selects[name] = select;
    return h("div", {}, h("label", { for: id }, LABELS[name]), select);
  }

  #scheduleDraw(): void {
    if (this.#isDrawScheduled) return;
    this.#isDrawScheduled = true;
    setTimeout(() => {
      this.#isDrawScheduled = false;
      this.#draw();
    }, DRAW_MS);
  }

  #draw(): void {
    const { store } = this;
    const all = [...store.entries.values()];
    this.#drawChoices();
    this.#shown = filtered(all, this.#filter, store.reader);
    if (this.#from >= this.#shown.length) this.#from = 0;
    const page = this.#shown.slice(this.#from, this.#from + ROWS);
    const rows = page.map((entry) => {
      const row = this.#rows.get(entry.listed.id) ?? new Row(entry, store, this.choose);
      this.#rows.set(entry.listed.id, row);
      row.draw(entry.listed.id === this.#open);
      return row.element;
    });
    setChildren(this.#list, rows);
    for (const id of this.#rows.keys()) if (!store.entries.has(id)) this.#rows.delete(id);
    this.#drawCounts(all);
    this.#drawPages();
  }

  #download(): void {
    const { purpose } = this.store.collector;
    download(`verdicts-${purpose}.csv`, verdictsCsv(this.store.entries.values(), purpose));
  }

  #drawCounts(all: readonly Entry[]): void {
    const waiting = all.filter(({ state }) => state === "waiting").length;
    const unreadable = all.filter(({ state }) => state === "unreadable").length;
    const reviewed = all.filter(({ reviews }) => reviews.size > 0).length;
    const parts = [`${this.#shown.length} of ${all.length} samples`, `${reviewed} reviewed`];
    if (this.store.drafts.size > 0) parts.push(`${this.store.drafts.size} ${this.store.drafts.size === 1 ? "draft" : "drafts"}`);
    if (waiting > 0) parts.push(`${waiting} loading`);
    if (unreadable > 0) parts.push(`${unreadable} cannot be opened`);
    set(this.#count, all.length === 0 ? "No samples for this purpose yet." : parts.join(" · "));
    const none = all.length > 0 && this.store.wrongKeyCount === all.length;
    this.#export.disabled = reviewed === 0;
    set(this.#warning, none ? "No sample can be opened with this key: all are sealed to other keys. Reload the page and choose another key." : "");
  }

  #drawChoices(): void {
    const found = choices(this.store.entries.values(), this.store.reader);
    for (const [name, select] of Object.entries(this.#selects) as [keyof Filter, HTMLSelectElement][]) {
      const options = name === "order"
        ? Object.entries(ORDERS).map(([value, label]) => ({ value, label }))
        : [{ value: "", label: "All" }, ...found[name]];
      const wanted = this.#filter[name];
      if (!options.some(({ value }) => value === wanted)) options.push({ value: wanted, label: `${wanted.replace(/^=/, "")} (0)` });
      // The options are replaced only if they changed, so that an open menu stays open.
      const serialized = JSON.stringify(options);
      if (select.dataset["options"] !== serialized) {
        select.dataset["options"] = serialized;
        select.replaceChildren(...options.map(({ value, label }) => h("option", { value }, label)));
      }
      select.value = wanted;
    }
  }

  #drawPages(): void {
    const [from, total] = [this.#from, this.#shown.length];
    if (total <= ROWS) return this.#pages.replaceChildren();
    const turn = (by: number) => () => {
      this.#from += by;
      this.#draw();
      this.focusHeading();
    };
    this.#pages.replaceChildren(
      h("button", { type: "button", disabled: from === 0, onclick: turn(-ROWS) }, "Earlier"),
      ` ${from + 1} to ${Math.min(from + ROWS, total)} of ${total} `,
      h("button", { type: "button", disabled: from + ROWS >= total, onclick: turn(ROWS) }, "Later"),
    );
  }
}

class Row {
  readonly element: HTMLElement;
  readonly #button: HTMLButtonElement;
  #drawn = "";

  constructor(readonly entry: Entry, readonly store: Store, choose: (entry: Entry) => void) {
    this.#button = h("button", { type: "button", onclick: () => choose(entry) });
    this.element = h("li", {}, this.#button);
  }

  draw(isOpen: boolean): void {
    const { listed, manifest, comparison, state, reason, reviews, assignee } = this.entry;
    const verdicts = [...reviews.values()].map(({ verdict }) => (verdict ? VERDICTS[verdict] : "Verdict sealed to other keys"));
    const title = manifest?.annotation.tag ?? (state === "open" ? "no exercise" : listed.id.slice(0, 8));
    const outcome = comparison ? summary(comparison) : state === "unreadable" ? `cannot be opened: ${reason}` : "opening …";
    const facts = [listed.week, manifest?.trigger, manifest && `SDK ${manifest.sdkVersion}`].filter(Boolean).join(" · ");
    const isDraft = this.store.drafts.get(listed.id) !== undefined;
    const drawn = JSON.stringify([title, outcome, facts, verdicts, isDraft, assignee, isOpen]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const share = comparison?.share ?? 0;
    this.#button.replaceChildren(
      h("span", { class: "title" }, title),
      h("span", { class: state === "unreadable" ? "outcome problem" : share > 0 ? "outcome differs" : "outcome" }, outcome),
      h("span", { class: "facts" }, facts),
      ...verdicts.map((verdict) => h("span", { class: "chip" }, verdict)),
      isDraft && h("span", { class: "chip draft" }, "Draft") || "",
      assignee !== undefined && h("span", { class: "chip person" }, `for ${assignee}`) || "",
    );
    if (isOpen) this.#button.setAttribute("aria-current", "true");
    else this.#button.removeAttribute("aria-current");
  }
}

function set(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
