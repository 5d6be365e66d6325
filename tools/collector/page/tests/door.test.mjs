// Where token and key are asked for: whatever form people have them in.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Reader, launched } from "./browser.mjs";
import { named, setting } from "./setting.mjs";

const set = setting(({ device }) => void device.send("piano-alone", named("piano-alone", "whole")));

const identity = () => readFileSync(set.organization.identity, "utf8");
const problem = (reader) => reader.page.locator(".connect .problem");

/** Pastes a text where the focus is, as Ctrl+V does. */
const paste = (reader, text) => reader.page.evaluate((pasted) => {
  const data = new DataTransfer();
  data.setData("text/plain", pasted);
  const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  const target = document.activeElement ?? document.body;
  if (target.dispatchEvent(event) && target instanceof HTMLInputElement) target.value = pasted.replaceAll("\n", "");
}, text);

async function comesIn(reader) {
  await reader.page.getByRole("button", { name: "Open the queue" }).click();
  await reader.settled();
  await reader.open("whole");
  await reader.close();
}

for (const [what, of] of [
  ["the whole line that `token create` prints", (token) => `alice may read for quality-assurance through 2027-02-28, shown only now: ${token}`],
  ["that line with what stood around it in the terminal", (token) => `$ sordino-collector token create\nalice may read, shown only now: ${token}\n$ `],
  ["its JSON", (token) => JSON.stringify({ token, id: "1234", name: "alice" })],
]) {
  test(`a token is taken from ${what}`, async () => {
    const reader = await Reader.at(set.collector);
    await reader.page.locator("#key").setInputFiles(set.organization.identity);
    await reader.page.getByLabel("Token").focus();
    await paste(reader, of(set.collector.token(what)));
    await comesIn(reader);
  });
}

for (const [what, of] of [
  ["a whole identity file", (text) => text],
  ["its one line", (text) => text.split("\n").find((line) => line.startsWith("AGE-SECRET-KEY-"))],
  ["a file with the line ends of Windows", (text) => text.replaceAll("\n", "\r\n")],
]) {
  test(`a key is pasted as ${what}, also into the field of the token, which does not get it`, async () => {
    const reader = await Reader.at(set.collector);
    await reader.page.getByLabel("Token").focus();
    await paste(reader, of(identity()));
    await reader.page.getByText("The pasted key is held.").first().waitFor();
    assert.equal(await reader.page.getByLabel("Token").inputValue(), "");
    await reader.page.getByLabel("Token").fill(set.collector.token(`pasted ${what}`));
    await comesIn(reader);
  });
}

for (const [what, of] of [
  ["UTF-8 with a byte order mark", (text) => Buffer.from(`\uFEFF${text}`, "utf8")],
  ["UTF-16 as PowerShell writes it", (text) => Buffer.from(`\uFEFF${text}`, "utf16le")],
]) {
  test(`a key file in ${what} is read`, async () => {
    const file = join(set.organization.folder, "marked.key");
    writeFileSync(file, of(identity()));
    const reader = await Reader.at(set.collector);
    await reader.page.getByLabel("Token").fill(set.collector.token(what));
    await reader.page.locator("#key").setInputFiles(file);
    await comesIn(reader);
  });
}

test("a key in the place of the token is sent nowhere", async () => {
  const reader = await Reader.at(set.collector);
  await reader.page.locator("#key").setInputFiles(set.organization.identity);
  await reader.page.getByLabel("Token").fill(identity().replaceAll("\n", " "));
  await reader.page.getByRole("button", { name: "Open the queue" }).click();
  await problem(reader).filter({ hasText: "That is the key, not the token" }).waitFor();
  // Closing looks for the key in every request.
  await reader.close();
  assert.equal(reader.requests.some(({ url }) => url.includes("/v1/")), false);
});

for (const [what, content, words] of [
  ["a key behind a passphrase", "age-encryption.org/v1\n-> scrypt bG9uZyBzYWx0IGhlcmU 18\n", /encrypted with a passphrase/],
  ["an SSH key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n", /SSH/],
  ["a plugin's key", "AGE-PLUGIN-YUBIKEY-1QQPQZRFR7ZZ2WCV9WV4AK\n", /plugin/],
]) {
  test(`a key file that is ${what} is told what it is`, async () => {
    const file = join(set.organization.folder, "foreign.key");
    writeFileSync(file, content);
    const reader = await Reader.at(set.collector);
    await reader.enter("x", file);
    await problem(reader).filter({ hasText: words }).waitFor();
    await reader.close();
  });
}

test("a token with letters that no token has is no fault of the network", async () => {
  const reader = await Reader.at(set.collector);
  await reader.enter("schlüssel");
  await problem(reader).filter({ hasText: "That is no token" }).waitFor();
  await reader.close();
});

test("over plain http the page says that it needs https, and asks for neither token nor key", async () => {
  const page = await (await launched()).newPage();
  await page.route("http://collector.example/**", async (route) => {
    const path = new URL(route.request().url()).pathname;
    await route.fulfill({ response: await route.fetch({ url: set.collector.url + path }) });
  });
  await page.goto("http://collector.example/review/");
  await page.getByText("This page needs https.").waitFor();
  assert.equal(await page.evaluate(() => globalThis.isSecureContext), false);
  assert.equal(await page.locator("input, form, button").count(), 0);
  await page.close();
});
