// The keyboard: what each key does, the listener, and the window that `?` shows.

import { focusHeading, h } from "./dom";

export interface Shortcut {
  readonly keys: readonly string[];
  readonly does: string;
  readonly run: () => void;
}

/** Single keys can be in the way of speech input and of who types by chance: WCAG 2.1.4 asks for a way to turn
 * them off. */
export class Shortcuts {
  readonly dialog: HTMLDialogElement;
  #on = true;

  constructor(readonly shortcuts: readonly Shortcut[]) {
    const on = h("input", { type: "checkbox", id: "shortcuts-on", checked: true, onchange: () => (this.#on = on.checked) });
    const rows = [...shortcuts, { keys: ["Escape"], does: "Leave a field" }, { keys: ["?"], does: "Show or hide this window" }].map(({ keys, does }) =>
      h("div", {}, h("dt", {}, ...keys.flatMap((key, at) => [at > 0 ? " or " : "", h("kbd", {}, named(key))])), h("dd", {}, does)));
    this.dialog = h(
      "dialog",
      { class: "help", "aria-labelledby": "help-heading" },
      h("h2", { id: "help-heading" }, "Keyboard"),
      h("dl", {}, ...rows),
      h("p", {}, on, " ", h("label", { for: "shortcuts-on" }, "Single keys work everywhere on this page")),
      h("form", { method: "dialog" }, h("button", { class: "primary" }, "Close")),
    );
    // A dialog's own form is not sent anywhere, but the policy forbids forms an action all the same.
    this.dialog.querySelector("form")?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.dialog.close();
    });
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  toggle(): void {
    if (this.dialog.open) this.dialog.close();
    else this.dialog.showModal();
  }

  #press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && isField(event.target) && !document.querySelector("dialog[open]")) return focusHeading();
    const name = (event.ctrlKey || event.metaKey ? "Ctrl+" : "") + event.key;
    if (!name.startsWith("Ctrl+") && (isTyped(event.target, event.key) || !this.#on)) return;
    if (name === "?") {
      event.preventDefault();
      return this.toggle();
    }
    if (document.querySelector("dialog[open]")) return;
    const found = this.shortcuts.find(({ keys }) => keys.includes(name));
    if (!found) return;
    event.preventDefault();
    found.run();
  }
}

/** Whether keys become text, or choose, in the element that has the focus. */
function isField(target: EventTarget | null): boolean {
  const isText = target instanceof HTMLInputElement && !["radio", "checkbox", "range"].includes(target.type);
  return isText || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** Whether the element that has the focus wants the key for itself. */
function isTyped(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (isField(target)) return true;
  if (target instanceof HTMLInputElement) {
    if (target.type === "range") return key.startsWith("Arrow") || key.startsWith("Page") || key === "Home" || key === "End";
    return key === " " || key.startsWith("Arrow");
  }
  return (target.closest("button, summary, a") !== null) && (key === " " || key === "Enter");
}

function named(key: string): string {
  return { " ": "Space", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" }[key] ?? key;
}
