import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { copies } from "./forging.mjs";
import { named, setting } from "./setting.mjs";

const MANY = 3000;
/** How long the page may leave a key or a choice unanswered, in milliseconds; on a machine that is so slow that opening
 * all samples takes more than half a minute, such a part of that. */
const [ANSWERED_MS, PART] = [1000, 1 / 30];

// Each a sample of its own, sealed and opened one by one: nothing is stubbed.
const set = setting(async ({ collector, device }) => {
  const id = device.send("metronome", named("metronome", "first"));
  await copies(collector, id, Array.from({ length: MANY }, (_, at) => (manifest) => ({
    ...manifest,
    sdk_version: `1.${at % 7}.0`,
    annotation: { ...manifest.annotation, tag: `exercise/${at % 200}` },
  })));
});

/** How long it takes until the page has drawn what came of an act. */
async function took(reader, act) {
  const began = Date.now();
  await act();
  await reader.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  return Date.now() - began;
}

test(`a queue of ${MANY} samples can be used while they are opened, and after`, async () => {
  const reader = await Reader.at(set.collector);
  const { page } = reader;
  const began = Date.now();
  await reader.enter(set.collector.token("patient"));
  await page.getByRole("heading", { name: "Queue" }).waitFor();
  await page.locator(".rows .title", { hasText: "exercise/" }).first().waitFor();
  assert.match(await page.locator(".count").innerText(), /still to be opened/, "all were opened at once; make it more");
  const early = await took(reader, () => reader.choose("SDK version", "1.3.0"));
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.keyboard.press("j");
  await page.locator("article.sample").waitFor();

  await reader.settled();
  const allowed = Math.max(ANSWERED_MS, (Date.now() - began) * PART);
  assert.ok(early < allowed, `a filter took ${early} ms while samples were opened`);
  assert.match(await page.locator(".count").innerText(), new RegExp(`^${MANY + 1} of ${MANY + 1} samples`));
  assert.equal(await reader.rows().count(), 50, "a page of the queue");
  const filter = await took(reader, () => reader.choose("Exercise", "exercise/42"));
  assert.ok(filter < allowed, `a filter took ${filter} ms`);
  assert.equal(await reader.rows().count(), MANY / 200);
  await page.getByRole("button", { name: "Clear filters" }).click();
  const turned = await took(reader, () => page.getByRole("button", { name: "Later" }).click());
  assert.ok(turned < allowed, `turning a page took ${turned} ms`);
  assert.match(await page.locator(".pages").innerText(), new RegExp(`51 to 100 of ${MANY + 1}`));
  console.log(`# filter ${early} ms while opening, ${filter} ms after; next page ${turned} ms`);
  await reader.close();
});
