// Keyboard shortcuts: definitions, the listener, and the dialog that `?` opens.

import { focusHeading, h } from "./dom";

export interface Shortcut {
  readonly keys: readonly string[];
  readonly description: string;
  readonly run: () => void;
}

/** WCAG 2.1.4 requires a way to turn single-key shortcuts off: speech input and accidental typing can trigger them. */
export class Shortcuts {
  readonly dialog: HTMLDialogElement;
  #areSingleKeysOn = true;

  constructor(readonly shortcuts: readonly Shortcut[]) {
    const on = h("input", { type: "checkbox", id: "shortcuts-on", checked: true, onchange: () => (this.#areSingleKeysOn = on.checked) });
    const rows = [...shortcuts, { keys: ["Escape"], description: "Leave a field" }, { keys: ["?"], description: "Show or hide this dialog" }].map(({ keys, description }) =>
      h("div", {}, h("dt", {}, ...keys.flatMap((key, at) => [at > 0 ? " or " : "", h("kbd", {}, keyLabel(key))])), h("dd", {}, description)));
    this.dialog = h(
      "dialog",
      { class: "help", "aria-labelledby": "help-heading" },
      h("h2", { id: "help-heading" }, "Keyboard"),
      h("dl", {}, ...rows),
      h("p", {}, on, " ", h("label", { for: "shortcuts-on" }, "Enable single-key shortcuts")),
      h("form", { method: "dialog" }, h("button", { class: "primary" }, "Close")),
    );
    // A dialog's form is not submitted to a server, but the policy forbids form actions nevertheless.
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
    if (!name.startsWith("Ctrl+") && (isTyped(event.target, event.key) || !this.#areSingleKeysOn)) return;
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

/** Whether the focused element takes keys as text or to choose an option. */
function isField(target: EventTarget | null): boolean {
  const isText = target instanceof HTMLInputElement && !["radio", "checkbox", "range"].includes(target.type);
  return isText || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** Whether the focused element handles the key itself. */
function isTyped(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (isField(target)) return true;
  if (target instanceof HTMLInputElement) {
    if (target.type === "range") return key.startsWith("Arrow") || key.startsWith("Page") || key === "Home" || key === "End";
    return key === " " || key.startsWith("Arrow");
  }
  return (target.closest("button, summary, a") !== null) && (key === " " || key === "Enter");
}

function keyLabel(key: string): string {
  return { " ": "Space", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" }[key] ?? key;
}
