// A reader in Chromium, with a record of all requests, console messages and policy violations. Closing a reader checks the
// invariants of every test.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import axe from "axe-core";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** The timeout of all waits, in milliseconds, so that a deadlock fails instead of hanging. */
const TIMEOUT_MS = 600_000;

let browser;

export async function launched() {
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"] });
  return browser;
}

export async function closeBrowser() {
  await browser?.close();
  browser = undefined;
}

/** Asserts that axe finds no violation in both color schemes; `state` describes the page. */
export async function isAccessible(page, state) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    // Waits for color transitions.
    await page.evaluate(() => {
      const ending = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime < Infinity);
      return Promise.allSettled(ending.map(({ finished }) => finished));
    });
    // Runs over the DevTools protocol, which bypasses the page's policy.
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
    assert.deepEqual(found, [], `${state}, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

export class Reader {
  /** Requests that were sent: `{ method, url, headers, body }`. */
  requests = [];
  /** Console errors and policy violations. */
  complaints = [];
  /** Patterns of the messages that a test expects. */
  expected = [];
  /** Texts that no request may contain. */
  secrets = new Set();
  /** A pattern of URLs that the browser blocks in a test. */
  blocked;
  #pending = [];

  /** Opens the page at the sign-in form. */
  static async at(collector, options = {}) {
    const reader = new Reader();
    reader.collector = collector;
    reader.context = await (await launched()).newContext({ viewport: { width: 1360, height: 950 }, colorScheme: "light", ...options });
    reader.context.setDefaultTimeout(TIMEOUT_MS);
    reader.context.on("request", (request) => reader.#pending.push(reader.#record(request)));
    reader.page = await reader.context.newPage();
    reader.page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) reader.complaints.push(message.text());
    });
    reader.page.on("pageerror", (error) => reader.complaints.push(`uncaught: ${error.message}`));
    await reader.page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`policy: ${event.violatedDirective} forbade ${event.blockedURI} ${event.sample}`));
    });
    for (const line of readFileSync(collector.organization.identity, "utf8").split("\n")) {
      if (line.startsWith("AGE-SECRET-KEY-")) reader.secrets.add(line.trim().slice("AGE-SECRET-KEY-1".length));
    }
    await reader.page.goto(`${collector.url}/review/`);
    return reader;
  }

  /** Opens the page, signs in as the reader `name`, and waits until all samples are loaded. `complains` is a pattern of
   * expected console messages; other `options` are passed to the browser. */
  static async atQueue(collector, options = {}) {
    const { name, complains, ...rest } = options;
    const reader = await Reader.at(collector, rest);
    if (complains) reader.expected.push(complains);
    await reader.signIn(collector.token(name));
    await reader.settled();
    return reader;
  }

  async signIn(token, key = this.collector.organization.identity) {
    await this.page.getByLabel("Token").fill(token);
    await this.page.locator("#key").setInputFiles(key);
    await this.page.getByRole("button", { name: "Open the queue" }).click();
  }

  /** Waits until every sample was opened or found unreadable. */
  async settled() {
    await this.page.getByRole("heading", { name: "Queue" }).waitFor();
    await this.page.waitForFunction(() => !/loading/.test(document.querySelector(".count")?.textContent ?? "loading"));
  }

  rows() {
    return this.page.locator(".rows > li");
  }

  async titles() {
    return this.page.locator(".rows .title").allInnerTexts();
  }

  /** Opens a sample by its tag. */
  async open(title) {
    await this.page.locator(".rows button", { has: this.page.getByText(title, { exact: true }) }).click();
    await this.page.getByRole("heading", { level: 2, name: title }).waitFor();
  }

  /** Sets one of the queue's filters. */
  async choose(label, option) {
    await this.page.getByRole("group", { name: "Filters" }).getByLabel(label, { exact: true }).selectOption(option);
  }

  /** The clock below the timeline, in seconds. */
  async clock() {
    return Number.parseFloat(await this.page.locator(".clock").innerText());
  }

  /** Asserts that axe finds no violation in both color schemes. */
  async isAccessible(state) {
    await isAccessible(this.page, state);
  }

  /** Asserts that every request went to the collector, contained no secret, and that no unexpected message was logged. */
  async close() {
    await this.context.close();
    const requests = await Promise.all(this.#pending);
    const origin = new URL(this.collector.url).origin;
    for (const { method, url, headers, body } of requests) {
      if (this.blocked?.test(url)) continue;
      const isOurs = url.startsWith(`blob:${origin}/`) || url.startsWith("data:") || new URL(url).origin === origin;
      assert.ok(isOurs, `a request to another origin: ${method} ${url}`);
      const sent = `${url}\n${decodeURIComponent(url)}\n${headers}\n${body}`.toLowerCase();
      for (const secret of this.secrets) {
        assert.ok(!sent.includes(secret.toLowerCase()), `${method} ${url} contains a secret`);
      }
    }
    const unexpected = this.complaints.filter((line) => !this.expected.some((pattern) => pattern.test(line)));
    assert.deepEqual(unexpected, [], "unexpected console messages");
    this.requests = requests;
  }

  async #record(request) {
    const [method, url] = [request.method(), request.url()];
    const body = request.postDataBuffer()?.toString("latin1") ?? "";
    const headers = JSON.stringify(await request.allHeaders().catch(() => request.headers()));
    return { method, url, headers, body };
  }
}
