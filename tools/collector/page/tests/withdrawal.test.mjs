import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { run } from "./organization.mjs";
import { fixture, named } from "./fixture.mjs";

/** The promised time in milliseconds. The page polls every 20 s, which leaves 40 s for one small request. */
const MINUTE_MS = 60_000;
const context = fixture(({ device }) => {
  context.voice = device.send("talk-between", named("talk-between", "with/voice"));
  context.music = device.send("piano-alone", named("piano-alone", "only/music"));
  device.send("violin-alone", named("violin-alone", "another"));
});

let token;
const ask = (path) => {
  token ??= context.collector.token("asker");
  return fetch(context.collector.url + path, { headers: { Authorization: `Bearer ${token}` } });
};
const status = async (id) => (await ask(`/v1/samples/${id}?purpose=quality-assurance`)).status;

/** Checks that a removed sample is neither shown nor played. */
async function isRemovedFrom(reader, title) {
  await reader.page.getByText("This sample was withdrawn or quarantined.").waitFor({ timeout: MINUTE_MS });
  assert.equal(await reader.page.locator("article.sample").count(), 0);
  assert.equal(await reader.page.evaluate(() => globalThis.playingCount()), 0, "its audio is still playing");
  assert.equal((await reader.titles()).includes(title), false);
}

/** Makes the page count its playing media elements, which are not in the document. */
async function watchMedia(reader) {
  await reader.page.evaluate(() => {
    const known = new Set();
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
      known.add(this);
      return play.call(this);
    };
    globalThis.playingCount = () => [...known].filter((media) => !media.paused && media.src !== "").length;
  });
}

async function plays(reader, title) {
  await reader.open(title);
  await reader.page.getByRole("button", { name: "Loop" }).click();
  await reader.page.getByRole("button", { name: "Play", exact: true }).click();
  await reader.page.waitForFunction(() => globalThis.playingCount() === 1);
}

test("a quarantined sample disappears within a minute until released", async () => {
  const one = await Reader.atQueue(context.collector, { name: "one" });
  const other = await Reader.atQueue(context.collector, { name: "other" });
  await watchMedia(other);
  await plays(other, "with/voice");
  await one.open("with/voice");
  await one.page.getByRole("button", { name: "Voice heard!" }).click();
  await one.page.getByRole("button", { name: "Yes, quarantine it" }).click();
  await one.page.getByText("This sample was withdrawn or quarantined.").waitFor();
  assert.equal(await status(context.voice), 410);
  await isRemovedFrom(other, "with/voice");
  const metrics = await (await ask("/metrics")).text();
  assert.match(metrics, /^sordino_voices_heard_total\{anonymizer="[^"]+"\} 1$/m);

  context.collector.quarantine("release", context.voice);
  await other.page.locator(".rows .title", { hasText: "with/voice" }).waitFor();
  await one.close();
  await other.close();
});

test("a withdrawn sample disappears and stops playing within a minute", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "watcher" });
  await watchMedia(reader);
  await plays(reader, "only/music");
  context.device.act("withdraw");
  context.device.act("upload");
  assert.equal(await status(context.music), 410);
  await isRemovedFrom(reader, "only/music");
  await reader.page.getByText("No samples for this purpose yet.").waitFor();
  await reader.close();
});

test("a token revoked while the page is open is reported", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "revoked" });
  reader.expected.push(/401/);
  run("sordino-collector", "token", "revoke", "--data", context.collector.data, "revoked");
  await reader.page.locator("p.connection", { hasText: /token/ }).waitFor();
  await reader.close();
});
