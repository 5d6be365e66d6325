import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { change, copies, damage } from "./forging.mjs";
import { run } from "./organization.mjs";
import { named, setting } from "./setting.mjs";

const set = setting(({ device }) => {
  set.sample = device.send("piano-alone", named("piano-alone", "whole"));
});

const problem = (reader) => reader.page.locator(".connect .problem");

async function refused(token, key, words) {
  const reader = await Reader.at(set.collector);
  reader.expected.push(/status of 40[13]/);
  await reader.enter(token, key);
  await problem(reader).filter({ hasText: words }).waitFor();
  const line = await problem(reader).innerText();
  assert.ok(line.length < 160 && !line.includes("\n"), `not one clear line: ${line}`);
  assert.equal(await reader.page.getByRole("heading", { name: "Queue" }).count(), 0);
  await reader.close();
}

test("a token that the collector did not make is refused in one line", () =>
  refused("a".repeat(43), set.organization.identity, /does not take this token/));

test("an expired token is refused in one line that says so", () => {
  const token = set.collector.token("late");
  change(set.collector, [["UPDATE tokens SET expires = '2026-01-05' WHERE name = 'late'", []]]);
  return refused(token, set.organization.identity, /expired: 2026-01-05 was its last day/);
});

test("a token of the other purpose is refused in one line", () =>
  refused(set.collector.token("other", "recognition-research"), set.organization.identity, /not good for that purpose/));

for (const [what, content] of [
  ["text", "dear diary\n"],
  ["bytes", randomBytes(4096)],
  ["an empty file", ""],
  ["a key with a letter changed", "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n"],
  ["a public key", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj\n"],
  ["a megabyte", "x".repeat(1 << 20)],
]) {
  test(`a key file that is ${what} is refused in one line`, async () => {
    const file = join(set.organization.folder, "garbage");
    writeFileSync(file, content);
    await refused(set.collector.token(what), file, /holds no age key|age key is damaged/);
  });
}

test("no token, and no key, are asked for", async () => {
  const reader = await Reader.at(set.collector);
  const open = reader.page.getByRole("button", { name: "Open the queue" });
  await open.click();
  await problem(reader).filter({ hasText: "Type the token first." }).waitFor();
  await reader.page.getByLabel("Token").fill("x");
  await open.click();
  await problem(reader).filter({ hasText: "Choose the key file first." }).waitFor();
  await reader.close();
});

test("another organization's key opens nothing, and one line says so", async () => {
  const key = join(set.organization.folder, "other.key");
  run("sordino", "keygen", "--out", key);
  const reader = await Reader.at(set.collector);
  await reader.enter(set.collector.token("stranger"), key);
  await reader.settled();
  await reader.page.getByText("No sample opens with this key: they are sealed to others.").waitFor();
  await reader.close();
});

test("damaged samples and those that claim to be others are told of in a line each, and the rest is usable", async () => {
  const [rotten, spoilt, mixed] = await copies(set.collector, set.sample, [
    (manifest) => manifest,
    (manifest) => manifest,
    (manifest) => ({ ...manifest, sample: "0".repeat(32) }),
    (manifest) => ({ ...manifest, surprise: 1 }),
    (manifest) => ({ ...manifest, rate: "fast" }),
    (manifest) => ({ ...manifest, purposes: ["recognition-research"] }),
  ]);
  damage(set.collector, rotten, false);
  damage(set.collector, spoilt, true);
  assert.ok(mixed);
  const reader = await Reader.atQueue(set.collector, { name: "finder", complains: /status of 500/ });
  const lines = await reader.page.locator(".rows .outcome.problem").allInnerTexts();
  for (const words of [/the collector cannot hand it out/, /it is damaged/, /mixed them up/, /surprise/, /rate/, /may not be used for/]) {
    assert.ok(lines.some((line) => words.test(line)), `no line says ${words}: ${lines.join(" | ")}`);
  }
  await reader.page.locator(".rows button", { hasText: "damaged" }).first().click();
  await reader.page.locator("#sample .problem", { hasText: "The sample cannot be opened:" }).waitFor();
  await reader.open("whole");
  await reader.close();
});

test("a collector that goes away is told of in one line, and found again when it is back", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "waiter", complains: /status of 500|ERR_/ });
  await reader.context.setOffline(true);
  await reader.page.locator("p.line", { hasText: "cannot be reached" }).waitFor();
  await reader.context.setOffline(false);
  await reader.page.locator("p.line", { hasText: "cannot be reached" }).waitFor({ state: "hidden" });
  await reader.close();
});
