// Exports verdicts as CSV with the columns of `verdicts.csv` in docs/formats.md.

import type { Entry } from "./store";

const COLUMNS = ["sample", "purpose", "exercise", "reader", "week", "verdict", "note"];

/** All readable verdicts of the listed samples, in the format of RFC 4180. */
export function verdictsCsv(entries: Iterable<Entry>, purpose: string): string {
  const rows = [...entries].flatMap(({ listed, manifest, reviews }) =>
    [...reviews.values()].flatMap(({ reader, week, verdict, note }) =>
      verdict === undefined ? [] : [[listed.id, purpose, manifest?.annotation.tag ?? "", reader, week, verdict, note]]));
  rows.sort((a, b) => (a.join("\n") < b.join("\n") ? -1 : 1));
  return [COLUMNS, ...rows].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

/** Escapes a cell. Spreadsheets execute text that begins like a formula, and anybody with the QA recipient can write a
 * verdict: a leading apostrophe makes it plain text. */
function cell(text: string): string {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** Makes the browser save a text as a file. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
