// Two live regions that announce changes to screen readers.

import { h } from "./dom";

const polite = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
const urgent = h("p", { class: "unseen", role: "alert", "aria-live": "assertive" });

export const regions: readonly HTMLElement[] = [polite, urgent];

export function announce(text: string): void {
  polite.textContent = text;
}

export function announceUrgent(text: string): void {
  urgent.textContent = text;
}
