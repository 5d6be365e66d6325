import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { run } from "./organization.mjs";
import { named, setting } from "./setting.mjs";

/** What is promised, in milliseconds. The page asks every 20 s, so that 40 s are left for one small request. */
const MINUTE_MS = 60_000;
const set = setting(({ device }) => {
  set.voice = device.send("talk-between", named("talk-between", "with/voice"));
  set.music = device.send("piano-alone", named("piano-alone", "only/music"));
  device.send("violin-alone", named("violin-alone", "another"));
});

let token;
const ask = (path) => {
  token ??= set.collector.token("asker");
  return fetch(set.collector.url + path, { headers: { Authorization: `Bearer ${token}` } });
};
const status = async (id) => (await ask(`/v1/samples/${id}?purpose=quality-assurance`)).status;

/** The page never says that it plays, nor holds a picture, after its sample was taken away. */
async function isGoneFrom(reader, title) {
  await reader.page.getByText("This sample was withdrawn or taken away.").waitFor({ timeout: MINUTE_MS });
  assert.equal(await reader.page.locator("article.sample").count(), 0);
  assert.equal(await reader.page.evaluate(() => globalThis.sounding()), 0, "its sound goes on");
  assert.equal((await reader.titles()).includes(title), false);
}

/** Has the page count the media elements that play: they are in no document. */
async function listening(reader) {
  await reader.page.evaluate(() => {
    const known = new Set();
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
      known.add(this);
      return play.call(this);
    };
    globalThis.sounding = () => [...known].filter((media) => !media.paused && media.src !== "").length;
  });
}

async function plays(reader, title) {
  await reader.open(title);
  await reader.page.getByRole("button", { name: "Loop" }).click();
  await reader.page.getByRole("button", { name: "Play", exact: true }).click();
  await reader.page.waitForFunction(() => globalThis.sounding() === 1);
}

test("a voice that one reader heard is gone for the other within a minute, and stays away until it is released", async () => {
  const one = await Reader.atQueue(set.collector, { name: "one" });
  const other = await Reader.atQueue(set.collector, { name: "other" });
  await listening(other);
  await plays(other, "with/voice");
  await one.open("with/voice");
  await one.page.getByRole("button", { name: "Voice heard!" }).click();
  await one.page.getByRole("button", { name: "Yes, take it away" }).click();
  await one.page.getByText("This sample was withdrawn or taken away.").waitFor();
  assert.equal(await status(set.voice), 410);
  await isGoneFrom(other, "with/voice");
  const metrics = await (await ask("/metrics")).text();
  assert.match(metrics, /^sordino_voices_heard_total\{anonymizer="[^"]+"\} 1$/m);

  set.collector.quarantine("release", set.voice);
  await other.page.locator(".rows .title", { hasText: "with/voice" }).waitFor();
  await one.close();
  await other.close();
});

test("a withdrawal on the device empties an open page within a minute and stops its sound", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "watcher" });
  await listening(reader);
  await plays(reader, "only/music");
  set.device.act("withdraw");
  set.device.act("upload");
  assert.equal(await status(set.music), 410);
  await isGoneFrom(reader, "only/music");
  await reader.page.getByText("No samples for this purpose yet.").waitFor();
  await reader.close();
});

test("a token that is revoked while the page is open is told of in one line", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "revoked" });
  reader.expected.push(/401/);
  run("sordino-collector", "token", "revoke", "--data", set.collector.data, "revoked");
  await reader.page.locator("p.line", { hasText: /token/ }).waitFor();
  await reader.close();
});
