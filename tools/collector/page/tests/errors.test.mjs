import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { change, copies, damage } from "./forge.mjs";
import { run } from "./organization.mjs";
import { fixture, named } from "./fixture.mjs";

const context = fixture(({ device }) => {
  context.sample = device.send("piano-alone", named("piano-alone", "whole"));
});

const problem = (reader) => reader.page.locator(".connect .problem");

async function isRejected(token, key, words) {
  const reader = await Reader.at(context.collector);
  reader.expected.push(/status of 40[13]/);
  await reader.signIn(token, key);
  await problem(reader).filter({ hasText: words }).waitFor();
  const line = await problem(reader).innerText();
  assert.ok(line.length < 160 && !line.includes("\n"), `not one clear line: ${line}`);
  assert.equal(await reader.page.getByRole("heading", { name: "Queue" }).count(), 0);
  await reader.close();
}

test("an unknown token is rejected with a one-line error", () =>
  isRejected("a".repeat(43), context.organization.identity, /rejected this token/));

test("an expired token is rejected with a one-line error", () => {
  const token = context.collector.token("late");
  change(context.collector, [["UPDATE tokens SET expires = '2026-01-05' WHERE name = 'late'", []]]);
  return isRejected(token, context.organization.identity, /expired after 2026-01-05/);
});

test("a token for another purpose is rejected with a one-line error", () =>
  isRejected(context.collector.token("other", "recognition-research"), context.organization.identity, /not valid for that purpose/));

for (const [what, content] of [
  ["text", "dear diary\n"],
  ["bytes", randomBytes(4096)],
  ["an empty file", ""],
  ["a key with a letter changed", "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n"],
  ["a public key", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n"],
  ["a megabyte", "x".repeat(1 << 20)],
]) {
  test(`a key file with ${what} is rejected with a one-line error`, async () => {
    const file = join(context.organization.folder, "garbage");
    writeFileSync(file, content);
    await isRejected(context.collector.token(what), file, /No age key found|age key is damaged/);
  });
}

test("a missing token or key is reported", async () => {
  const reader = await Reader.at(context.collector);
  const open = reader.page.getByRole("button", { name: "Open the queue" });
  await open.click();
  await problem(reader).filter({ hasText: "Type the token first." }).waitFor();
  await reader.page.getByLabel("Token").fill("x");
  await open.click();
  await problem(reader).filter({ hasText: "Choose the key file first." }).waitFor();
  await reader.close();
});

test("a key of another organization is reported in one line", async () => {
  const key = join(context.organization.folder, "other.key");
  run("sordino", "keygen", "--out", key);
  const reader = await Reader.at(context.collector);
  await reader.signIn(context.collector.token("stranger"), key);
  await reader.settled();
  await reader.page.getByText("No sample can be opened with this key: all are sealed to other keys.").waitFor();
  await reader.close();
});

test("invalid samples are reported one by one, and the rest is usable", async () => {
  const [damaged, redigested, swapped] = await copies(context.collector, context.sample, [
    (manifest) => manifest,
    (manifest) => manifest,
    (manifest) => ({ ...manifest, sample: "0".repeat(32) }),
    (manifest) => ({ ...manifest, surprise: 1 }),
    (manifest) => ({ ...manifest, rate: "fast" }),
    (manifest) => ({ ...manifest, purposes: ["recognition-research"] }),
  ]);
  damage(context.collector, damaged, false);
  damage(context.collector, redigested, true);
  assert.ok(swapped);
  const reader = await Reader.atQueue(context.collector, { name: "finder", complains: /status of 500/ });
  const lines = await reader.page.locator(".rows .outcome.problem").allInnerTexts();
  for (const words of [/the collector cannot deliver it/, /it is damaged/, /belongs to another sample/, /surprise/, /rate/, /may not be used for/]) {
    assert.ok(lines.some((line) => words.test(line)), `no line says ${words}: ${lines.join(" | ")}`);
  }
  await reader.page.locator(".rows button", { hasText: "damaged" }).first().click();
  await reader.page.locator("#sample .problem", { hasText: "The sample cannot be opened:" }).waitFor();
  await reader.open("whole");
  await reader.close();
});

test("an unreachable collector is reported until it is back", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "waiter", complains: /status of 500|ERR_/ });
  await reader.context.setOffline(true);
  await reader.page.locator("p.connection", { hasText: "cannot be reached" }).waitFor();
  await reader.context.setOffline(false);
  await reader.page.locator("p.connection", { hasText: "cannot be reached" }).waitFor({ state: "hidden" });
  await reader.close();
});
