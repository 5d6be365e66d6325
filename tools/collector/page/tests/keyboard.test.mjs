import assert from "node:assert/strict";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { fixture, named } from "./fixture.mjs";

const context = fixture(({ device }) => {
  device.send("piano-alone", named("piano-alone", "scale/right", (a) => ({ ...a, recognised: a.expected })));
  device.send("talk-between", named("talk-between", "scale/broken", (a) => ({ ...a, recognised: a.expected.slice(0, -2) })));
});

const focused = (page) => page.evaluate(() => document.activeElement?.textContent ?? "");

/** Presses Tab until the element with this id, or this name, has the focus. */
async function tabTo(page, wanted) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press("Tab");
    const { id, name } = await page.evaluate(() => ({ id: document.activeElement?.id, name: document.activeElement?.textContent?.trim() }));
    if (id === wanted || name === wanted) return;
  }
  assert.fail(`Tab does not lead to ${wanted}`);
}

test("the keyboard alone is enough from sign-in to verdict", async () => {
  const reader = await Reader.at(context.collector);
  const { page } = reader;
  await tabTo(page, "token");
  await page.keyboard.type(context.collector.token("keys"));
  await tabTo(page, "purpose");
  await tabTo(page, "key");
  const chooser = page.waitForEvent("filechooser");
  await page.keyboard.press("Space");
  await (await chooser).setFiles(context.organization.identity);
  await tabTo(page, "Open the queue");
  await page.keyboard.press("Enter");
  await reader.settled();
  assert.equal(await focused(page), "Queue");

  await page.keyboard.press("j");
  await page.getByRole("heading", { level: 2, name: "scale/broken" }).waitFor();
  assert.equal(await focused(page), "scale/broken", "the heading of the opened sample is focused");
  await page.keyboard.press("j");
  await page.getByRole("heading", { level: 2, name: "scale/right" }).waitFor();
  await page.keyboard.press("k");
  await page.getByRole("heading", { level: 2, name: "scale/broken" }).waitFor();

  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.waitForFunction(() => Number.parseFloat(document.querySelector(".clock").textContent) > 0.3);
  await page.keyboard.press("p");
  await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  const before = await reader.clock();
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((from) => Number.parseFloat(document.querySelector(".clock").textContent) > from + 0.4, before);
  await page.keyboard.press("[");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("]");
  assert.match(await page.locator(".clock").innerText(), /selected$/);
  await page.keyboard.press("w");
  assert.doesNotMatch(await page.locator(".clock").innerText(), /selected/);
  for (const [key, name] of [["l", "Loop"], ["s", "Half speed"]]) {
    await page.keyboard.press(key);
    assert.equal(await page.getByRole("button", { name }).getAttribute("aria-pressed"), "true");
  }
  await page.keyboard.press("o");
  assert.equal(await page.locator(".notes").isHidden(), true);

  const note = "the bow slipped, jklopqvw 1234";
  reader.secrets.add(note);
  await page.keyboard.press("n");
  await page.keyboard.type(note);
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "scale/broken", "Escape leaves the note");
  await page.keyboard.press("n");
  await page.keyboard.press("Control+Enter");
  await page.getByText("Choose a verdict first.").first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.name), "verdict", "the verdict is focused");
  await page.keyboard.press("3");
  await page.getByText("Saved: Player wrong.").first().waitFor();
  assert.equal(await page.getByLabel("Note", { exact: true }).inputValue(), note, "keys typed into the note are not shortcuts");
  await page.keyboard.press("a");
  await page.getByText("Assigned to keys.").first().waitFor();

  await page.keyboard.press("v");
  await page.getByRole("dialog", { name: "Did you hear a voice?" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.keyboard.press("f");
  assert.equal(await page.evaluate(() => document.activeElement.id), "filter-difference");
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "scale/broken", "Escape leaves the filters");
  await reader.close();
});

test("shortcuts work again after a form was submitted by keyboard", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "writer" });
  const { page } = reader;
  await page.keyboard.press("j");
  await page.getByRole("heading", { level: 2, name: "scale/broken" }).waitFor();
  await page.keyboard.press("2");
  await page.getByText("Saved: App’s expectation wrong.").first().waitFor();
  await page.keyboard.press("n");
  await page.keyboard.type("reviewed twice");
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction(() => document.activeElement?.id === "sample-heading");
  await page.keyboard.press("v");
  await page.getByRole("dialog", { name: "Did you hear a voice?" }).waitFor();
  await page.keyboard.press("Escape");
  await tabTo(page, "assignee");
  await page.keyboard.type("vera");
  await page.keyboard.press("Enter");
  await page.getByText("Assigned to vera.").first().waitFor();
  await page.keyboard.press("j");
  await page.getByRole("heading", { level: 2, name: "scale/right" }).waitFor();
  await page.keyboard.press("k");
  await page.getByRole("heading", { level: 2, name: "scale/broken" }).waitFor();
  assert.equal(await page.getByLabel("Note", { exact: true }).inputValue(), "reviewed twice", "no key became text");
  await reader.close();
});

test("shortcuts are documented and can be turned off", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "off" });
  const { page } = reader;
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard" });
  await help.waitFor();
  assert.ok((await help.locator("dt").count()) > 20);
  await tabTo(page, "shortcuts-on");
  await page.keyboard.press("Space");
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  assert.equal(await page.locator("article.sample").count(), 0, "a disabled shortcut had an effect");
  await reader.close();
});
