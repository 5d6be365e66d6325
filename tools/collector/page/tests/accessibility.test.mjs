import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Reader } from "./browser.mjs";
import { copies, damage } from "./forging.mjs";
import { named, setting } from "./setting.mjs";

/** Where pictures of the page are left, to be looked at. */
const SCREENS = join(dirname(fileURLToPath(import.meta.url)), "../screens");

const set = setting(async ({ collector, device }) => {
  mkdirSync(SCREENS, { recursive: true });
  // Counted from the end: the clip's beginning is forgotten where the recording is longer than a clip.
  const wrong = (a) => ({ ...a, recognized: a.expected.flatMap(({ midi, onset, offset }, at) => {
    const left = a.expected.length - at;
    if (left === 7 || left === 2) return [];
    if (left === 6) return [{ midi: midi + 1, onset: onset + 0.03, offset }];
    if (left === 4) return [{ midi, onset: onset + 0.3, offset: offset + 0.2 }, { midi: midi + 12, onset: onset + 0.1 }];
    return [{ midi, onset: onset + 0.02, offset }];
  }) });
  device.send("talk-between", named("talk-between", "scales/c-major", wrong));
  device.send("violin-alone", named("violin-alone", "etudes/kreutzer-2", wrong));
  device.send("guitar-alone", named("guitar-alone", "chords/first-position", (a) => ({ ...a, recognized: a.expected })));
  const id = device.send("piano-alone", named("piano-alone", "pieces/menuet-in-g", wrong));
  const [rotten] = await copies(collector, id, [(manifest) => manifest]);
  damage(collector, rotten, true);
});

const picture = (reader, name) => reader.page.screenshot({ path: join(SCREENS, `${name}.png`) });

test("axe finds nothing in any state of the page, light or dark", async () => {
  const reader = await Reader.at(set.collector);
  const { page } = reader;
  await reader.isAccessible("token and key are asked for");
  assert.doesNotMatch(await page.locator("main").innerText(), /cannot hear/, "a collector that serves another page can");
  await picture(reader, "door");
  reader.expected.push(/401/);
  await reader.enter("nonsense");
  await page.locator(".connect .problem:not(:empty)").waitFor();
  await reader.isAccessible("a token is refused");
  await reader.enter(set.collector.token("first"));
  await reader.settled();
  await reader.isAccessible("the queue, nothing open");
  await reader.open("scales/c-major");
  await page.getByLabel("Recognizer wrong").check();
  await page.getByLabel("Note", { exact: true }).fill("The fourth note is there, quietly.");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved:").first().waitFor();
  await reader.isAccessible("a sample is open and judged");
  for (const summary of ["Notes as a table", "Manifest"]) await page.getByText(summary, { exact: true }).click();
  await reader.isAccessible("a sample with its tables");
  await page.getByRole("button", { name: "Voice heard!" }).click();
  await reader.isAccessible("it is asked whether a voice was heard");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await reader.isAccessible("the keys are told of");
  await page.keyboard.press("Escape");
  await page.locator(".rows button", { hasText: "cannot be opened" }).click();
  await page.locator("#sample .problem").waitFor();
  await reader.isAccessible("a sample cannot be opened");
  await reader.choose("Verdict", "unusable");
  await reader.isAccessible("no sample passes the filter");
  await reader.close();
});

test("on a narrow screen and with large letters nothing needs scrolling sideways", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "narrow", viewport: { width: 320, height: 700 } });
  await reader.open("scales/c-major");
  const widths = await reader.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(widths[0] <= widths[1], `the page is ${widths[0]} px wide on ${widths[1]} px`);
  await reader.isAccessible("narrow");
  await reader.page.screenshot({ path: join(SCREENS, "narrow.png"), fullPage: true });
  await reader.close();
});

test("what is drawn is told in words too", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "words" });
  await reader.open("scales/c-major");
  const caption = await reader.page.locator("figcaption").innerText();
  assert.match(caption, /\d+ notes expected, \d+ recognized: 3 missed \(1 late or early\), 2 extra, 1 wrong\. Taken out: .* \(voice\)/);
  await reader.page.getByText("Notes as a table", { exact: true }).click();
  const table = await reader.page.locator("article table").innerText();
  for (const fate of ["missed", "missed, late or early", "extra, late or early", "wrong", "right"]) assert.match(table, new RegExp(fate));
  await reader.close();
});

test("pictures of it, to be looked at", async () => {
  for (const colorScheme of ["light", "dark"]) {
    const reader = await Reader.atQueue(set.collector, { name: `look-${colorScheme}`, colorScheme, viewport: { width: 1360, height: 1000 } });
    await reader.open("scales/c-major");
    await reader.page.getByLabel("Position").fill("1.4");
    await reader.page.waitForTimeout(500);
    await picture(reader, colorScheme);
    await reader.close();
  }
});
