// Creates DOM elements without parsing HTML.

type Attributes = {
  [name: string]: string | number | boolean | undefined | ((event: never) => void);
};
export type Child = Node | string | undefined | false;

/** Creates an element. Attributes that begin with `on` are listeners; `true` sets an empty attribute, `false` and
 * `undefined` set none. Use {@link style} for styles: the policy forbids style attributes. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  apply(element, attributes, children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Creates an SVG element. */
export function svg<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Name] {
  const element = document.createElementNS(SVG, name);
  apply(element, attributes, children);
  return element;
}

export function style<E extends HTMLElement | SVGElement>(element: E, properties: Record<string, string>): E {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
  return element;
}

/** Focuses the heading of the open sample or else of the queue, where single-key shortcuts work. */
export function focusHeading(): void {
  const heading = document.querySelector<HTMLElement>("#sample-heading") ?? document.querySelector<HTMLElement>("#queue-heading");
  heading?.focus();
}

/** Replaces the children only if they differ, so that the focus is kept. */
export function setChildren(parent: Element, children: readonly Element[]): void {
  const same = parent.children.length === children.length && children.every((child, at) => parent.children[at] === child);
  if (same) return;
  const focused = document.activeElement;
  parent.replaceChildren(...children);
  if (focused instanceof HTMLElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

function apply(element: Element, attributes: Attributes, children: Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
}
