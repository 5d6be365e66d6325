import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { copies } from "./forge.mjs";
import { fixture, named } from "./fixture.mjs";

const context = fixture(async ({ collector, device }) => {
  const right = (a) => ({ ...a, recognised: a.expected });
  const id = device.send("piano-alone", named("piano-alone", "right", right));
  device.send("guitar-alone", named("guitar-alone", "missed", (a) => ({ ...right(a), recognised: a.expected.slice(3) })));
  device.send("flute-alone", named("flute-alone", "extra", (a) => ({ ...right(a), recognised: [...a.expected, { midi: 30, onset: 1 }] })));
  const elsewhere = (notes, change) => notes.map((note, at) => (at === 1 ? { ...note, ...change(note) } : note));
  device.send("violin-alone", named("violin-alone", "wrong", (a) => ({ ...a, recognised: elsewhere(a.expected, ({ midi }) => ({ midi: midi + 6 })) })));
  device.send("count-in", named("count-in", "late", (a) => ({ ...a, recognised: elsewhere(a.expected, ({ onset }) => ({ onset: onset + 0.3, offset: undefined })) })));
  await copies(collector, id, [
    (manifest) => ({ ...manifest, annotation: { ...manifest.annotation, tag: "drawn" }, selection: { trigger: "random", probability: 0.01 }, sdk_version: "9.8.7" }),
    (manifest) => ({ ...manifest, annotation: { ...manifest.annotation, tag: "earlier" }, arrived: "2026-W02" }),
  ]);
});

const shown = async (reader, label, option) => {
  await reader.choose(label, option);
  const titles = await reader.titles();
  await reader.page.getByRole("button", { name: "Clear filters" }).click();
  return titles.sort();
};

test("each filter of the queue selects its samples", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "filterer" });
  const all = ["drawn", "earlier", "extra", "late", "missed", "right", "wrong"];
  assert.deepEqual((await reader.titles()).sort(), all);
  const difference = "Expected and recognized";
  assert.deepEqual(await shown(reader, difference, "any"), ["extra", "late", "missed", "wrong"]);
  assert.deepEqual(await shown(reader, difference, "none"), ["drawn", "earlier", "right"]);
  // A late note counts as missed at its expected time and as extra at its actual time.
  for (const [disposition, titles] of [["missed", ["late", "missed"]], ["extra", ["extra", "late"]], ["wrong", ["wrong"]], ["late", ["late"]]]) {
    assert.deepEqual(await shown(reader, difference, disposition), titles, disposition);
  }
  assert.deepEqual(await shown(reader, "Exercise", "late"), ["late"]);
  assert.deepEqual(await shown(reader, "Trigger", "random"), ["drawn"]);
  assert.deepEqual(await shown(reader, "Week", "2026-W02"), ["earlier"]);
  assert.deepEqual(await shown(reader, "SDK version", "9.8.7"), ["drawn"]);

  await reader.open("wrong");
  await reader.page.keyboard.press("1");
  await reader.page.getByText("Saved: Recognizer wrong.").first().waitFor();
  await reader.page.keyboard.press("a");
  await reader.page.getByText("Assigned to filterer.").first().waitFor();
  await reader.page.waitForFunction(() => document.querySelectorAll(".rows .chip").length === 2);
  assert.deepEqual(await shown(reader, "Verdict", "recogniser-wrong"), ["wrong"]);
  assert.deepEqual(await shown(reader, "Verdict", "unusable"), []);
  assert.deepEqual(await shown(reader, "Verdict", "not-me"), all.filter((title) => title !== "wrong"));
  assert.deepEqual(await shown(reader, "Assigned to", "=filterer"), ["wrong"]);
  assert.deepEqual(await shown(reader, "Assigned to", "-"), all.filter((title) => title !== "wrong"));
  await reader.close();
});

test("filters combine, and the most errors come first", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "combiner" });
  assert.equal((await reader.titles())[0], "missed");
  await reader.choose("Trigger", "mark");
  await reader.choose("Expected and recognized", "none");
  assert.deepEqual((await reader.titles()).sort(), ["earlier", "right"]);
  await reader.choose("Week", "2026-W02");
  assert.deepEqual(await reader.titles(), ["earlier"]);
  assert.match(await reader.page.locator(".count").innerText(), /^1 of 7 samples/);
  await reader.close();
});
