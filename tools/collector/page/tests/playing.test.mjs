import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { named, setting } from "./setting.mjs";

const set = setting(({ device }) => {
  device.send("piano-alone", named("piano-alone", "whole"));
  device.send("talk-between", named("talk-between", "cut"));
});

/** The media element is in no document; the clock under the picture is what a reader sees of it. */
const clockIsPast = (page, seconds) =>
  page.waitForFunction((past) => Number.parseFloat(document.querySelector(".clock").textContent) > past, seconds);

/** How much the clock moves in a second of the wall's. */
async function pace(reader) {
  return reader.page.evaluate(async () => {
    const read = () => Number.parseFloat(document.querySelector(".clock").textContent);
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    const [from, began] = [read(), performance.now()];
    while (performance.now() - began < 2000) await frame();
    return (read() - from) / ((performance.now() - began) / 1000);
  });
}

async function playing(reader) {
  await reader.page.getByRole("button", { name: "Play", exact: true }).click();
  await reader.page.getByRole("button", { name: "Pause" }).waitFor();
  await clockIsPast(reader.page, 0.1);
}

test("a sample plays, at its own speed and at half of it", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "player" });
  const { page } = reader;
  await reader.open("whole");
  await playing(reader);
  const whole = await pace(reader);
  assert.ok(Math.abs(whole - 1) < 0.2, `it plays ${whole} times as fast as it was played`);
  await page.getByRole("button", { name: "Half speed" }).click();
  const half = await pace(reader);
  assert.ok(Math.abs(half - 0.5) < 0.15, `at half speed it plays ${half} times as fast`);
  await page.getByRole("button", { name: "Pause" }).click();
  // What was under way when it was pressed is over, and the clock says where.
  await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  await page.waitForTimeout(100);
  const at = await reader.clock();
  await page.waitForTimeout(400);
  assert.equal(await reader.clock(), at, "it plays on though it was paused");
  await reader.close();
});

test("a part is chosen by a drag and played over and over", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "looper" });
  const { page } = reader;
  await reader.open("whole");
  const stage = await page.locator(".stage").boundingBox();
  const seconds = Number.parseFloat((await page.locator(".clock").innerText()).split(" of ")[1]);
  const x = (time) => stage.x + (stage.width * time) / seconds;
  await page.mouse.move(x(2), stage.y + 100);
  await page.mouse.down();
  await page.mouse.move(x(2.5), stage.y + 110, { steps: 4 });
  await page.mouse.move(x(3), stage.y + 120, { steps: 4 });
  await page.mouse.up();
  assert.match(await page.locator(".clock").innerText(), /(1\.9|2\.0)\d to (2\.9|3\.0)\d s chosen$/);
  await page.getByRole("button", { name: "Loop" }).click();
  await page.getByRole("button", { name: "Play", exact: true }).click();
  const { turns, least, most } = await page.evaluate(async () => {
    let [turns, last, least, most] = [0, undefined, Infinity, 0];
    const began = performance.now();
    while (performance.now() - began < 4500) {
      await new Promise(requestAnimationFrame);
      const at = Number.parseFloat(document.querySelector(".clock").textContent);
      if (at === 0) continue;
      if (last !== undefined && at < last - 0.3) turns += 1;
      [last, least, most] = [at, Math.min(least, at), Math.max(most, at)];
    }
    return { turns, least, most };
  });
  assert.ok(turns >= 3, `it went round ${turns} times in 4.5 s`);
  assert.ok(least > 1.85 && most < 3.25, `it played ${least} to ${most} s instead of 2 to 3 s`);

  await page.getByRole("button", { name: "Loop" }).click();
  await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  assert.ok((await reader.clock()) < 3.3, "without the loop it stops where the part ends");
  await reader.close();
});

test("what was taken out is shaded with its reason and jumped over", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "jumper" });
  const { page } = reader;
  await reader.open("cut");
  const gap = page.locator(".stage .gap.removed").first();
  assert.match(await gap.innerText(), /voice|fragment/i);
  // The longest: whether a short one lies before it changes with the anonymiser's draws.
  const [taken] = (await page.locator("figcaption").innerText()).match(/Taken out: .*?\)\./);
  const voices = [...taken.matchAll(/([\d.]+) to ([\d.]+) s \(voice\)/g)];
  const [, start, end] = voices.reduce((one, other) => (other[2] - other[1] > one[2] - one[1] ? other : one));
  await page.getByLabel("Position").fill(String(Number(start) - 0.5));
  const began = Date.now();
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await clockIsPast(page, Number(end));
  const took = (Date.now() - began) / 1000;
  assert.ok(Number(end) - Number(start) > 2.5, "the recording has a long part that was taken out");
  assert.ok(took < Number(end) - Number(start), `it took ${took} s over what was taken out`);
  await reader.close();
});

test("a note that begins where sound was taken out is no error, and is not drawn", async () => {
  const { device } = set;
  device.send("talk-between", named("talk-between", "inside", (a) => ({
    ...a,
    expected: [...a.expected, { midi: 60, onset: 6.2, offset: 6.6 }],
    recognised: [...a.expected, { midi: 70, onset: 6.4 }, { midi: 71, onset: 6.5 }],
  })));
  const reader = await Reader.atQueue(set.collector, { name: "inside" });
  await reader.open("inside");
  const caption = await reader.page.locator("figcaption").innerText();
  assert.match(caption, /: all right\./);
  assert.match(caption, /\d+ notes of both lists began where sound was taken out, and are left out/);
  const drawn = await reader.page.locator(".roll .note.recognised").count();
  assert.equal(drawn, Number(caption.match(/, (\d+) recognised/)[1]));
  await reader.close();
});
