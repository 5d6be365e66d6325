// Filters and sorts the samples of the queue.

import type { Entry } from "./store";
import type { Disposition } from "./notes";
import { VERDICTS } from "./verdicts";

export interface Filter {
  difference: "" | "any" | "none" | "late" | Exclude<Disposition, "right">;
  tag: string;
  trigger: string;
  week: string;
  sdk: string;
  verdict: string;
  assignee: string;
  order: "worst" | "newest" | "oldest";
}

export const NO_FILTER: Filter = {
  difference: "", tag: "", trigger: "", week: "", sdk: "", verdict: "", assignee: "", order: "worst",
};

/** The samples that match the filter, in its order. */
export function filtered(entries: Iterable<Entry>, filter: Filter, reader: string): Entry[] {
  const matching = [...entries].filter((entry) => matches(entry, filter, reader));
  return matching.sort(orders[filter.order]);
}

const orders: Record<Filter["order"], (a: Entry, b: Entry) => number> = {
  worst: (a, b) => errorShare(b) - errorShare(a) || (b.comparison?.errors ?? 0) - (a.comparison?.errors ?? 0) || a.index - b.index,
  newest: (a, b) => b.index - a.index,
  oldest: (a, b) => a.index - b.index,
};

/** Samples that cannot be opened, or are not open yet, sort last. */
function errorShare({ comparison }: Entry): number {
  return comparison?.share ?? -1;
}

function matches(entry: Entry, filter: Filter, reader: string): boolean {
  const { manifest, comparison } = entry;
  const reviews = [...entry.reviews.values()];
  return (
    (filter.difference === "" || (comparison !== undefined && differs(comparison, filter.difference))) &&
    (filter.tag === "" || manifest?.annotation.tag === filter.tag) &&
    (filter.trigger === "" || manifest?.trigger === filter.trigger) &&
    (filter.week === "" || entry.listed.week === filter.week) &&
    (filter.sdk === "" || manifest?.sdkVersion === filter.sdk) &&
    (filter.verdict === "" ||
      (filter.verdict === "nobody" && reviews.length === 0) ||
      (filter.verdict === "not-me" && !entry.reviews.has(reader)) ||
      reviews.some(({ verdict }) => verdict === filter.verdict)) &&
    (filter.assignee === "" || (filter.assignee === "-" ? entry.assignee === undefined : entry.assignee === filter.assignee.slice(1)))
  );
}

function differs({ counts, errors, late }: NonNullable<Entry["comparison"]>, difference: Exclude<Filter["difference"], "">): boolean {
  if (difference === "any") return errors > 0;
  if (difference === "none") return errors === 0;
  if (difference === "late") return late > 0;
  return counts[difference] > 0;
}

export interface Choice { readonly value: string; readonly label: string }

/** The options of each filter, with the number of samples that match each one alone. */
export function choices(entries: Iterable<Entry>, reader: string): Record<Exclude<keyof Filter, "order">, Choice[]> {
  const all = [...entries];
  const count = (filter: Partial<Filter>) => all.filter((entry) => matches(entry, { ...NO_FILTER, ...filter }, reader)).length;
  const found = (of: (entry: Entry) => string | undefined) => {
    const numbers = new Map<string, number>();
    for (const entry of all) {
      const value = of(entry);
      if (value !== undefined) numbers.set(value, (numbers.get(value) ?? 0) + 1);
    }
    return [...numbers].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
      .map(([value, number]) => ({ value, label: `${value} (${number})` }));
  };
  const fixed = (of: "difference" | "verdict", values: readonly (readonly [string, string])[]) =>
    values.map(([value, label]) => ({ value, label: `${label} (${count({ [of]: value })})` }));
  const assigned = found(({ assignee }) => assignee).map(({ value, label }) => ({ value: `=${value}`, label }));
  return {
    difference: fixed("difference", [
      ["any", "Any difference"], ["missed", "Missed notes"], ["extra", "Extra notes"],
      ["wrong", "Wrong notes"], ["late", "Late or early notes"], ["none", "No difference"],
    ]),
    tag: found(({ manifest }) => manifest?.annotation.tag),
    trigger: found(({ manifest }) => manifest?.trigger),
    week: found(({ listed }) => listed.week),
    sdk: found(({ manifest }) => manifest?.sdkVersion),
    verdict: fixed("verdict", [["nobody", "Not reviewed"], ["not-me", "Not reviewed by me"], ...Object.entries(VERDICTS)]),
    assignee: [{ value: "-", label: `Nobody (${count({ assignee: "-" })})` }, ...assigned],
  };
}
