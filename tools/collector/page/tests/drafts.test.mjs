import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { Device, run } from "./organization.mjs";
import { named, setting } from "./setting.mjs";

const NOTE = "the second bar drags";
const set = setting(({ device }) => {
  device.send("piano-alone", named("piano-alone", "one"));
  device.send("violin-alone", named("violin-alone", "two"));
});

const note = (reader) => reader.page.getByLabel("Note", { exact: true });
const unsaved = (reader) => reader.page.getByText("Not saved yet.");
const chips = (reader) => reader.page.locator(".rows .chip.draft");
const storage = (reader) => reader.page.evaluate(() => Object.entries(sessionStorage));

async function write(reader, text) {
  await note(reader).fill(text);
  await reader.page.getByLabel("Player wrong").check();
  await chips(reader).waitFor();
}

/** The draft is in the storage as it is in the page. */
async function kept(reader) {
  await reader.page.waitForFunction(() => Object.keys(sessionStorage).length === 1);
  // Every keystroke is written; the last one is there when the entry rests.
  let before;
  for (let now = await storage(reader); JSON.stringify(now) !== before; now = await storage(reader)) {
    before = JSON.stringify(now);
    await reader.page.waitForTimeout(300);
  }
}

/** Comes in again after a reload, as whom it was. */
async function again(reader, token, key) {
  await reader.page.reload();
  await reader.enter(token, key);
  await reader.settled();
}

test("a note and a verdict outlive the opening of another sample", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "browsing" });
  await reader.open("one");
  await write(reader, NOTE);
  await unsaved(reader).waitFor();
  await reader.open("two");
  assert.equal(await note(reader).inputValue(), "", "a draft is of its own sample");
  await unsaved(reader).waitFor({ state: "hidden" });
  await reader.open("one");
  assert.equal(await note(reader).inputValue(), NOTE);
  assert.equal(await reader.page.getByLabel("Player wrong").isChecked(), true);
  await reader.isAccessible("a sample with a draft");
  await reader.page.getByRole("button", { name: "Save" }).click();
  await reader.page.getByText("Saved: Player wrong.").first().waitFor();
  await chips(reader).waitFor({ state: "detached" });
  await unsaved(reader).waitFor({ state: "hidden" });
  assert.deepEqual(await storage(reader), [], "what was saved is forgotten");
  await reader.close();
});

test("a note and a verdict outlive a reload, sealed, and no other reader sees them", async () => {
  const token = set.collector.token("reloading");
  const reader = await Reader.at(set.collector);
  await reader.enter(token);
  await reader.settled();
  await reader.open("one");
  await write(reader, NOTE);
  await kept(reader);
  const written = JSON.stringify(await storage(reader));
  assert.ok(!written.includes(NOTE) && !written.includes("player-wrong"), "the draft is readable where it is stored");
  assert.match(Buffer.from((await storage(reader))[0][1], "base64").toString("latin1"), /^age-encryption\.org\/v1\n/);

  const other = join(set.organization.folder, "other.key");
  run("sordino", "keygen", "--out", other);
  await again(reader, token, other);
  assert.equal(await chips(reader).count(), 0, "another key opens the draft");
  await again(reader, token);
  await chips(reader).waitFor();
  await reader.open("one");
  assert.equal(await note(reader).inputValue(), NOTE);
  assert.equal(await reader.page.getByLabel("Player wrong").isChecked(), true);

  await again(reader, set.collector.token("another"));
  assert.equal(await chips(reader).count(), 0, "another reader sees the draft");
  await reader.close();
});

test("leaving with a draft asks, and leaving without one does not", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "leaving" });
  const asked = [];
  reader.page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    return dialog.accept();
  });
  await reader.open("one");
  await write(reader, NOTE);
  await reader.page.reload();
  assert.deepEqual(asked, ["beforeunload"]);
  await reader.enter(set.collector.token("leaving again"));
  await reader.settled();
  await reader.open("one");
  await note(reader).focus();
  await reader.page.reload();
  assert.deepEqual(asked, ["beforeunload"]);
  await reader.close();
});

test("a draft that is discarded is gone, and one that cannot be saved stays", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "failing", complains: /ERR_|Failed to load/ });
  await reader.open("two");
  await write(reader, NOTE);
  await reader.page.getByRole("button", { name: "Discard" }).click();
  await chips(reader).waitFor({ state: "detached" });
  assert.equal(await note(reader).inputValue(), "");
  assert.deepEqual(await storage(reader), []);

  await write(reader, NOTE);
  await reader.context.setOffline(true);
  await reader.page.getByRole("button", { name: "Save" }).click();
  await reader.page.getByText("Not done:").first().waitFor();
  await reader.context.setOffline(false);
  assert.equal(await note(reader).inputValue(), NOTE);
  assert.equal(await chips(reader).count(), 1);
  await kept(reader);
  await reader.close();
});

test("signing out asks, and forgets drafts, token and key", async () => {
  const reader = await Reader.atQueue(set.collector, { name: "going" });
  await reader.open("one");
  await write(reader, NOTE);
  await kept(reader);
  const signOut = reader.page.getByRole("button", { name: "Sign out", exact: true });
  await signOut.click();
  const dialog = reader.page.getByRole("dialog", { name: "Sign out?" });
  await dialog.waitFor();
  await reader.isAccessible("it is asked whether to sign out");
  await dialog.getByRole("button", { name: "Stay" }).click();
  assert.equal(await note(reader).inputValue(), NOTE);
  await signOut.click();
  await dialog.getByRole("button", { name: "Discard and sign out" }).click();
  await reader.page.getByRole("button", { name: "Open the queue" }).waitFor();
  assert.deepEqual(await storage(reader), []);
  await reader.close();
});

test("the draft of a sample that was withdrawn is forgotten", async () => {
  const device = new Device(set.collector, "withdrawing");
  device.send("guitar-alone", named("guitar-alone", "passing"));
  const reader = await Reader.atQueue(set.collector, { name: "late" });
  await reader.open("passing");
  await write(reader, NOTE);
  await kept(reader);
  device.act("withdraw");
  device.act("upload");
  await reader.page.getByText("This sample was withdrawn or taken away.").waitFor();
  assert.deepEqual(await storage(reader), []);
  await reader.close();
});
