// The sign-in form: all forms in which people have a token and a key.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Reader, launched } from "./browser.mjs";
import { fixture, named } from "./fixture.mjs";

const context = fixture(({ device }) => void device.send("piano-alone", named("piano-alone", "whole")));

const identity = () => readFileSync(context.organization.identity, "utf8");
const problem = (reader) => reader.page.locator(".connect .problem");

/** Pastes a text into the focused element, as Ctrl+V does. */
const paste = (reader, text) => reader.page.evaluate((pasted) => {
  const data = new DataTransfer();
  data.setData("text/plain", pasted);
  const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  const target = document.activeElement ?? document.body;
  if (target.dispatchEvent(event) && target instanceof HTMLInputElement) target.value = pasted.replaceAll("\n", "");
}, text);

async function signIn(reader) {
  await reader.page.getByRole("button", { name: "Open the queue" }).click();
  await reader.settled();
  await reader.open("whole");
  await reader.close();
}

for (const [what, of] of [
  ["the whole line that `token create` prints", (token) => `alice may read for quality-assurance through 2027-02-28, shown only now: ${token}`],
  ["that line with its terminal context", (token) => `$ sordino-collector token create\nalice may read, shown only now: ${token}\n$ `],
  ["its JSON", (token) => JSON.stringify({ token, id: "1234", name: "alice" })],
]) {
  test(`a token is extracted from ${what}`, async () => {
    const reader = await Reader.at(context.collector);
    await reader.page.locator("#key").setInputFiles(context.organization.identity);
    await reader.page.getByLabel("Token").focus();
    await paste(reader, of(context.collector.token(what)));
    await signIn(reader);
  });
}

for (const [what, of] of [
  ["a whole identity file", (text) => text],
  ["its one line", (text) => text.split("\n").find((line) => line.startsWith("AGE-SECRET-KEY-"))],
  ["a file with CRLF line endings", (text) => text.replaceAll("\n", "\r\n")],
]) {
  test(`a key pasted as ${what} is not put into the token field`, async () => {
    const reader = await Reader.at(context.collector);
    await reader.page.getByLabel("Token").focus();
    await paste(reader, of(identity()));
    await reader.page.getByText("The pasted key is loaded.").first().waitFor();
    assert.equal(await reader.page.getByLabel("Token").inputValue(), "");
    await reader.page.getByLabel("Token").fill(context.collector.token(`pasted ${what}`));
    await signIn(reader);
  });
}

for (const [what, of] of [
  ["UTF-8 with a byte order mark", (text) => Buffer.from(`\uFEFF${text}`, "utf8")],
  ["UTF-16 as PowerShell writes it", (text) => Buffer.from(`\uFEFF${text}`, "utf16le")],
]) {
  test(`a key file in ${what} is read`, async () => {
    const file = join(context.organization.folder, "marked.key");
    writeFileSync(file, of(identity()));
    const reader = await Reader.at(context.collector);
    await reader.page.getByLabel("Token").fill(context.collector.token(what));
    await reader.page.locator("#key").setInputFiles(file);
    await signIn(reader);
  });
}

test("a key in the token field is not sent", async () => {
  const reader = await Reader.at(context.collector);
  await reader.page.locator("#key").setInputFiles(context.organization.identity);
  await reader.page.getByLabel("Token").fill(identity().replaceAll("\n", " "));
  await reader.page.getByRole("button", { name: "Open the queue" }).click();
  await problem(reader).filter({ hasText: "That is the key, not the token" }).waitFor();
  // Closing searches every request for the key.
  await reader.close();
  assert.equal(reader.requests.some(({ url }) => url.includes("/v1/")), false);
});

for (const [what, content, words] of [
  ["a passphrase-encrypted key", "age-encryption.org/v1\n-> scrypt bG9uZyBzYWx0IGhlcmU 18\n", /encrypted with a passphrase/],
  ["an SSH key", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaA==\n-----END OPENSSH PRIVATE KEY-----\n", /SSH/],
  ["a plugin's key", "AGE-PLUGIN-YUBIKEY-1QQPQZRFR7ZZ2WCV9WV4AK\n", /plugin/],
]) {
  test(`a key file with ${what} is named in the error`, async () => {
    const file = join(context.organization.folder, "foreign.key");
    writeFileSync(file, content);
    const reader = await Reader.at(context.collector);
    await reader.signIn("x", file);
    await problem(reader).filter({ hasText: words }).waitFor();
    await reader.close();
  });
}

test("a token with invalid characters is rejected before it is sent", async () => {
  const reader = await Reader.at(context.collector);
  await reader.signIn("schlüssel");
  await problem(reader).filter({ hasText: "Invalid token" }).waitFor();
  await reader.close();
});

test("over plain http the page requires https and shows no form", async () => {
  const page = await (await launched()).newPage();
  await page.route("http://collector.example/**", async (route) => {
    const path = new URL(route.request().url()).pathname;
    await route.fulfill({ response: await route.fetch({ url: context.collector.url + path }) });
  });
  await page.goto("http://collector.example/review/");
  await page.getByText("This page needs https.").waitFor();
  assert.equal(await page.evaluate(() => globalThis.isSecureContext), false);
  assert.equal(await page.locator("input, form, button").count(), 0);
  await page.close();
});
