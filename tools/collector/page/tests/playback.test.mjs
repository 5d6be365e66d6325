import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { fixture, named } from "./fixture.mjs";

const context = fixture(({ device }) => {
  device.send("piano-alone", named("piano-alone", "whole"));
  device.send("talk-between", named("talk-between", "cut"));
});

/** Waits until the clock below the timeline has passed `seconds`; the media element is not in the document. */
const clockIsPast = (page, seconds) =>
  page.waitForFunction((past) => Number.parseFloat(document.querySelector(".clock").textContent) > past, seconds);

/** Makes the page expose the media element, which is not in the document. */
const keepMedia = (page) =>
  page.evaluate(() => {
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
      globalThis.media = this;
      return play.call(this);
    };
  });

const media = (page, property) => page.evaluate((name) => globalThis.media[name], property);

/** The clock at each animation frame until it has looped `turns` times or passed `end`, and twice the longest frame in
 * seconds, by which the page's reaction may be late. */
const readings = (page, { turns = Infinity, end = Infinity }) =>
  page.evaluate(async ([turns, end]) => {
    const times = [];
    let [round, longest, before] = [0, 0, performance.now()];
    while (round < turns && !(times.at(-1) > end)) {
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      [longest, before] = [Math.max(longest, (now - before) / 1000), now];
      const at = Number.parseFloat(document.querySelector(".clock").textContent);
      if (at === 0) continue;
      if (at < times.at(-1) - 0.3) round += 1;
      times.push(at);
    }
    return { times, late: 2 * longest };
  }, [turns, end]);

async function playing(reader) {
  await reader.page.getByRole("button", { name: "Play", exact: true }).click();
  await reader.page.getByRole("button", { name: "Pause" }).waitFor();
  await clockIsPast(reader.page, 0.1);
}

test("a sample plays at full and at half speed", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "player" });
  const { page } = reader;
  await keepMedia(page);
  await reader.open("whole");
  await playing(reader);
  // The playback rate is checked instead of the elapsed time, which depends on the load of the machine.
  assert.equal(await media(page, "playbackRate"), 1);
  const seconds = Number.parseFloat((await page.locator(".clock").innerText()).split(" of ")[1]);
  assert.ok(Math.abs((await media(page, "duration")) - seconds) < 0.1, "the media is as long as the sample");
  await page.getByRole("button", { name: "Half speed" }).click();
  await page.waitForFunction(() => globalThis.media.playbackRate === 0.5);
  assert.equal(await media(page, "preservesPitch"), true);
  await clockIsPast(page, (await reader.clock()) + 0.2);
  await page.getByRole("button", { name: "Pause" }).click();
  // Waits until playback has stopped and the clock shows the position.
  await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  await page.waitForFunction(() => globalThis.media.paused && Math.abs(Number.parseFloat(document.querySelector(".clock").textContent) - globalThis.media.currentTime) < 0.01);
  const at = await reader.clock();
  await page.waitForTimeout(400);
  assert.equal(await reader.clock(), at, "it continued to play after it was paused");
  await reader.close();
});

test("a selection made by dragging is looped", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "looper" });
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
  assert.match(await page.locator(".clock").innerText(), /(1\.9|2\.0)\d to (2\.9|3\.0)\d s selected$/);
  await page.getByRole("button", { name: "Loop" }).click();
  await page.getByRole("button", { name: "Play", exact: true }).click();
  const { times, late } = await readings(page, { turns: 3 });
  const [min, max] = [Math.min(...times), Math.max(...times)];
  assert.ok(min > 1.85 && max < 3.15 + late, `it played ${min} to ${max} s instead of 2 to 3 s`);

  await page.getByRole("button", { name: "Loop" }).click();
  await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  assert.ok((await reader.clock()) < 3.15, "without the loop it stops at the end of the selection");
  await reader.close();
});

test("removed parts are shaded with their reason and skipped", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "jumper" });
  const { page } = reader;
  await reader.open("cut");
  const gap = page.locator(".stage .gap.removed").first();
  assert.match(await gap.innerText(), /voice|fragment/i);
  // The longest: whether a short one precedes it depends on the anonymizer's random numbers.
  const [removed] = (await page.locator("figcaption").innerText()).match(/Removed: .*?\)\./);
  const voices = [...removed.matchAll(/([\d.]+) to ([\d.]+) s \(voice\)/g)];
  const [, start, end] = voices.reduce((one, other) => (other[2] - other[1] > one[2] - one[1] ? other : one));
  await page.getByLabel("Position").fill(String(Number(start) - 0.5));
  await page.getByRole("button", { name: "Play", exact: true }).click();
  const { times, late } = await readings(page, { end: Number(end) });
  assert.ok(Number(end) - Number(start) > 2.5, "the recording has a long removed part");
  const within = times.filter((at) => at > Number(start) + 0.1 + late && at < Number(end) - 0.1);
  assert.deepEqual(within, [], `it played a removed part, ${start} to ${end} s`);
  await reader.close();
});

test("a note in a removed part counts, and the caption says so", async () => {
  const { device } = context;
  device.send("talk-between", named("talk-between", "inside", (a) => ({
    ...a,
    expected: [...a.expected, { midi: 60, onset: 6.2, offset: 6.6 }],
    recognised: [...a.expected, { midi: 70, onset: 6.4 }, { midi: 71, onset: 6.5 }],
  })));
  const reader = await Reader.atQueue(context.collector, { name: "inside" });
  await reader.open("inside");
  const caption = await reader.page.locator("figcaption").innerText();
  assert.match(caption, /: 1 missed, 2 extra\./);
  assert.match(caption, /3 notes begin in a removed part: counted .* but not audible here/);
  const drawn = await reader.page.locator(".roll .note.recognized").count();
  assert.equal(drawn, Number(caption.match(/, (\d+) recognized/)[1]));
  await reader.close();
});
