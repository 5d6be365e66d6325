import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { Device, run } from "./organization.mjs";
import { fixture, named } from "./fixture.mjs";

const NOTE = "the second bar drags";
const context = fixture(({ device }) => {
  device.send("piano-alone", named("piano-alone", "one"));
  device.send("violin-alone", named("violin-alone", "two"));
});

const note = (reader) => reader.page.getByLabel("Note", { exact: true });
const unsaved = (reader) => reader.page.getByText("Not saved.");
const chips = (reader) => reader.page.locator(".rows .chip.draft");
const storage = (reader) => reader.page.evaluate(() => Object.entries(sessionStorage));

async function write(reader, text) {
  await note(reader).fill(text);
  await reader.page.getByLabel("Player wrong").check();
  await chips(reader).waitFor();
}

/** Waits until the latest draft is in the storage. */
async function isStored(reader) {
  await reader.page.waitForFunction(() => Object.keys(sessionStorage).length === 1);
  // Every keystroke is written; the last one is stored once the entry no longer changes.
  let before;
  for (let now = await storage(reader); JSON.stringify(now) !== before; now = await storage(reader)) {
    before = JSON.stringify(now);
    await reader.page.waitForTimeout(300);
  }
}

/** Reloads the page and signs in again. */
async function reload(reader, token, key) {
  await reader.page.reload();
  await reader.signIn(token, key);
  await reader.settled();
}

test("a draft survives opening another sample", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "browsing" });
  await reader.open("one");
  await write(reader, NOTE);
  await unsaved(reader).waitFor();
  await reader.open("two");
  assert.equal(await note(reader).inputValue(), "", "a draft belongs to one sample");
  await unsaved(reader).waitFor({ state: "hidden" });
  await reader.open("one");
  assert.equal(await note(reader).inputValue(), NOTE);
  assert.equal(await reader.page.getByLabel("Player wrong").isChecked(), true);
  await reader.isAccessible("a sample with a draft");
  await reader.page.getByRole("button", { name: "Save" }).click();
  await reader.page.getByText("Saved: Player wrong.").first().waitFor();
  await chips(reader).waitFor({ state: "detached" });
  await unsaved(reader).waitFor({ state: "hidden" });
  assert.deepEqual(await storage(reader), [], "a saved draft is deleted");
  await reader.close();
});

test("a draft survives a reload, sealed, for its reader only", async () => {
  const token = context.collector.token("reloading");
  const reader = await Reader.at(context.collector);
  await reader.signIn(token);
  await reader.settled();
  await reader.open("one");
  await write(reader, NOTE);
  await isStored(reader);
  const written = JSON.stringify(await storage(reader));
  assert.ok(!written.includes(NOTE) && !written.includes("player-wrong"), "the stored draft is readable");
  assert.match(Buffer.from((await storage(reader))[0][1], "base64").toString("latin1"), /^age-encryption\.org\/v1\n/);

  const other = join(context.organization.folder, "other.key");
  run("sordino", "keygen", "--out", other);
  await reload(reader, token, other);
  assert.equal(await chips(reader).count(), 0, "another key opens the draft");
  await reload(reader, token);
  await chips(reader).waitFor();
  await reader.open("one");
  assert.equal(await note(reader).inputValue(), NOTE);
  assert.equal(await reader.page.getByLabel("Player wrong").isChecked(), true);

  await reload(reader, context.collector.token("another"));
  assert.equal(await chips(reader).count(), 0, "another reader sees the draft");
  await reader.close();
});

test("leaving asks for confirmation only if there is a draft", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "leaving" });
  const asked = [];
  reader.page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    return dialog.accept();
  });
  await reader.open("one");
  await write(reader, NOTE);
  await reader.page.reload();
  assert.deepEqual(asked, ["beforeunload"]);
  await reader.signIn(context.collector.token("leaving again"));
  await reader.settled();
  await reader.open("one");
  await note(reader).focus();
  await reader.page.reload();
  assert.deepEqual(asked, ["beforeunload"]);
  await reader.close();
});

test("a discarded draft is deleted, and one that fails to save is kept", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "failing", complains: /ERR_|Failed to load/ });
  await reader.open("two");
  await write(reader, NOTE);
  await reader.page.getByRole("button", { name: "Discard" }).click();
  await chips(reader).waitFor({ state: "detached" });
  assert.equal(await note(reader).inputValue(), "");
  assert.deepEqual(await storage(reader), []);

  await write(reader, NOTE);
  await reader.context.setOffline(true);
  await reader.page.getByRole("button", { name: "Save" }).click();
  await reader.page.getByText("Failed:").first().waitFor();
  await reader.context.setOffline(false);
  assert.equal(await note(reader).inputValue(), NOTE);
  assert.equal(await chips(reader).count(), 1);
  await isStored(reader);
  await reader.close();
});

test("signing out asks and discards drafts, token and key", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "going" });
  await reader.open("one");
  await write(reader, NOTE);
  await isStored(reader);
  const signOut = reader.page.getByRole("button", { name: "Sign out", exact: true });
  await signOut.click();
  const dialog = reader.page.getByRole("dialog", { name: "Sign out?" });
  await dialog.waitFor();
  await reader.isAccessible("sign-out dialog");
  await dialog.getByRole("button", { name: "Stay" }).click();
  assert.equal(await note(reader).inputValue(), NOTE);
  await signOut.click();
  await dialog.getByRole("button", { name: "Discard and sign out" }).click();
  await reader.page.getByRole("button", { name: "Open the queue" }).waitFor();
  assert.deepEqual(await storage(reader), []);
  await reader.close();
});

test("the draft of a withdrawn sample is deleted", async () => {
  const device = new Device(context.collector, "withdrawing");
  device.send("guitar-alone", named("guitar-alone", "passing"));
  const reader = await Reader.atQueue(context.collector, { name: "late" });
  await reader.open("passing");
  await write(reader, NOTE);
  await isStored(reader);
  device.act("withdraw");
  device.act("upload");
  await reader.page.getByText("This sample was withdrawn or quarantined.").waitFor();
  assert.deepEqual(await storage(reader), []);
  await reader.close();
});
