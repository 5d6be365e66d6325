import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Reader } from "./browser.mjs";
import { copies, damage } from "./forge.mjs";
import { fixture, named } from "./fixture.mjs";

/** The folder of the screenshots. */
const SCREENS = join(dirname(fileURLToPath(import.meta.url)), "../screens");

const context = fixture(async ({ collector, device }) => {
  mkdirSync(SCREENS, { recursive: true });
  // Counted from the end, because the beginning of a recording longer than a clip is cut off.
  const wrong = (a) => ({ ...a, recognised: a.expected.flatMap(({ midi, onset, offset }, at) => {
    const left = a.expected.length - at;
    if (left === 7 || left === 2) return [];
    if (left === 6) return [{ midi: midi + 1, onset: onset + 0.03, offset }];
    if (left === 4) return [{ midi, onset: onset + 0.3, offset: offset + 0.2 }, { midi: midi + 12, onset: onset + 0.1 }];
    return [{ midi, onset: onset + 0.02, offset }];
  }) });
  device.send("talk-between", named("talk-between", "scales/c-major", wrong));
  device.send("violin-alone", named("violin-alone", "etudes/kreutzer-2", wrong));
  device.send("guitar-alone", named("guitar-alone", "chords/first-position", (a) => ({ ...a, recognised: a.expected })));
  const id = device.send("piano-alone", named("piano-alone", "pieces/menuet-in-g", wrong));
  const [damaged] = await copies(collector, id, [(manifest) => manifest]);
  damage(collector, damaged, true);
});

const screenshot = (reader, name) => reader.page.screenshot({ path: join(SCREENS, `${name}.png`) });

test("axe finds no violation in any state of the page", async () => {
  const reader = await Reader.at(context.collector);
  const { page } = reader;
  await reader.isAccessible("sign-in form");
  assert.doesNotMatch(await page.locator("main").innerText(), /cannot hear/, "a modified page could read the samples");
  await screenshot(reader, "sign-in");
  reader.expected.push(/401/);
  await reader.signIn("nonsense");
  await page.locator(".connect .problem:not(:empty)").waitFor();
  await reader.isAccessible("rejected token");
  await reader.signIn(context.collector.token("first"));
  await reader.settled();
  await reader.isAccessible("queue without an open sample");
  await reader.open("scales/c-major");
  await page.getByLabel("Recognizer wrong").check();
  await page.getByLabel("Note", { exact: true }).fill("The fourth note is there, quietly.");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved:").first().waitFor();
  await reader.isAccessible("open sample with a verdict");
  for (const summary of ["Notes as a table", "Manifest"]) await page.getByText(summary, { exact: true }).click();
  await reader.isAccessible("open sample with its tables");
  await page.getByRole("button", { name: "Voice heard!" }).click();
  await reader.isAccessible("voice dialog");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await reader.isAccessible("keyboard dialog");
  await page.keyboard.press("Escape");
  await page.locator(".rows button", { hasText: "cannot be opened" }).click();
  await page.locator("#sample .problem").waitFor();
  await reader.isAccessible("sample that cannot be opened");
  await reader.choose("Verdict", "unusable");
  await reader.isAccessible("filter without a match");
  await reader.close();
});

test("a narrow screen needs no horizontal scrolling", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "narrow", viewport: { width: 320, height: 700 } });
  await reader.open("scales/c-major");
  const widths = await reader.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(widths[0] <= widths[1], `the page is ${widths[0]} px wide on ${widths[1]} px`);
  await reader.isAccessible("narrow");
  await reader.page.screenshot({ path: join(SCREENS, "narrow.png"), fullPage: true });
  await reader.close();
});

test("the timeline has a text alternative", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "words" });
  await reader.open("scales/c-major");
  const caption = await reader.page.locator("figcaption").innerText();
  assert.match(caption, /\d+ notes expected, \d+ recognized: 3 missed \(1 late or early\), 2 extra, 1 wrong\. Removed: .* \(voice\)/);
  await reader.page.getByText("Notes as a table", { exact: true }).click();
  const table = await reader.page.locator("article table").innerText();
  for (const result of ["missed", "missed, late or early", "extra, late or early", "wrong", "right"]) assert.match(table, new RegExp(result));
  await reader.close();
});

test("screenshots for visual review", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const reader = await Reader.atQueue(context.collector, { name: `look-${colorScheme}`, colorScheme, viewport: { width: 1360, height: 1000 } });
    await reader.open("scales/c-major");
    await reader.page.getByLabel("Position").fill("1.4");
    await reader.page.waitForTimeout(500);
    await screenshot(reader, colorScheme);
    await reader.close();
  }
});
