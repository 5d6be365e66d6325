// What is said to who does not see the page: two live regions.

import { h } from "./dom";

const polite = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
const urgent = h("p", { class: "unseen", role: "alert", "aria-live": "assertive" });

export const regions: readonly HTMLElement[] = [polite, urgent];

export function say(text: string): void {
  polite.textContent = text;
}

export function sayAtOnce(text: string): void {
  urgent.textContent = text;
}
