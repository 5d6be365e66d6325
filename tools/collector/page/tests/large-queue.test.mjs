import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { copies } from "./forge.mjs";
import { fixture, named } from "./fixture.mjs";

const MANY = 3000;
/** The maximum response time of the page, in milliseconds, or on a slow machine this fraction of the time in which all
 * samples are opened. */
const [RESPONSE_MS, FRACTION] = [1000, 1 / 30];

// Real samples, sealed and opened one by one.
const context = fixture(async ({ collector, device }) => {
  const id = device.send("metronome", named("metronome", "first"));
  await copies(collector, id, Array.from({ length: MANY }, (_, at) => (manifest) => ({
    ...manifest,
    sdk_version: `1.${at % 7}.0`,
    annotation: { ...manifest.annotation, tag: `exercise/${at % 200}` },
  })));
});

/** Measures the time until the page has drawn the result of an action. */
async function measure(reader, action) {
  const began = Date.now();
  await action();
  await reader.page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  return Date.now() - began;
}

test(`a queue of ${MANY} samples responds while they are opened`, async () => {
  const reader = await Reader.at(context.collector);
  const { page } = reader;
  const began = Date.now();
  await reader.signIn(context.collector.token("patient"));
  await page.getByRole("heading", { name: "Queue" }).waitFor();
  await page.locator(".rows .title", { hasText: "exercise/" }).first().waitFor();
  assert.match(await page.locator(".count").innerText(), /loading/, "all samples were opened at once; increase MANY");
  const early = await measure(reader, () => reader.choose("SDK version", "1.3.0"));
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.keyboard.press("j");
  await page.locator("article.sample").waitFor();

  await reader.settled();
  const allowed = Math.max(RESPONSE_MS, (Date.now() - began) * FRACTION);
  assert.ok(early < allowed, `a filter took ${early} ms while samples were opened`);
  assert.match(await page.locator(".count").innerText(), new RegExp(`^${MANY + 1} of ${MANY + 1} samples`));
  assert.equal(await reader.rows().count(), 50, "a page of the queue");
  const filter = await measure(reader, () => reader.choose("Exercise", "exercise/42"));
  assert.ok(filter < allowed, `a filter took ${filter} ms`);
  assert.equal(await reader.rows().count(), MANY / 200);
  await page.getByRole("button", { name: "Clear filters" }).click();
  const turned = await measure(reader, () => page.getByRole("button", { name: "Later" }).click());
  assert.ok(turned < allowed, `turning a page took ${turned} ms`);
  assert.match(await page.locator(".pages").innerText(), new RegExp(`51 to 100 of ${MANY + 1}`));
  console.log(`# filter ${early} ms while opening, ${filter} ms after; next page ${turned} ms`);
  await reader.close();
});
