// A reader at the page, in Debian's or the developer's Chromium, and a record of all that their browser sent,
// refused and complained of. Closing a reader checks what holds everywhere.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import axe from "axe-core";
import { chromium } from "playwright-core";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** How long anything is waited for, in milliseconds: a deadlock is a failure, not a hang. No machine is as slow as that. */
const PATIENCE_MS = 600_000;

let browser;

export async function launched() {
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"] });
  return browser;
}

export async function closeBrowser() {
  await browser?.close();
  browser = undefined;
}

/** Nothing that axe finds in a page, in both color schemes; the page is in its `state`. */
export async function isAccessible(page, state) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    // Colors fade over a moment.
    await page.evaluate(() => {
      const ending = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime < Infinity);
      return Promise.allSettled(ending.map(({ finished }) => finished));
    });
    // Over the protocol of the browser's tools, which no policy of the page's binds.
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
  /** What the browser wrote to its console and what the policy forbade. */
  complaints = [];
  /** Complaints that a test provokes. */
  expected = [];
  /** Texts that no request may hold. */
  secrets = new Set();
  /** Requests that a test provokes and the browser refuses to send. */
  blocked;
  #pending = [];

  /** Opens the page; no token and no key are given yet. */
  static async at(collector, options = {}) {
    const reader = new Reader();
    reader.collector = collector;
    reader.context = await (await launched()).newContext({ viewport: { width: 1360, height: 950 }, colorScheme: "light", ...options });
    reader.context.setDefaultTimeout(PATIENCE_MS);
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

  /** Opens the page and the queue as the reader `name`, and waits until every sample was looked into. `complains` is
   * what the browser may write to its console; what else `options` holds is the browser's. */
  static async atQueue(collector, options = {}) {
    const { name, complains, ...rest } = options;
    const reader = await Reader.at(collector, rest);
    if (complains) reader.expected.push(complains);
    await reader.enter(collector.token(name));
    await reader.settled();
    return reader;
  }

  async enter(token, key = this.collector.organization.identity) {
    await this.page.getByLabel("Token").fill(token);
    await this.page.locator("#key").setInputFiles(key);
    await this.page.getByRole("button", { name: "Open the queue" }).click();
  }

  /** All samples were opened, or cannot be. */
  async settled() {
    await this.page.getByRole("heading", { name: "Queue" }).waitFor();
    await this.page.waitForFunction(() => !/still to be opened/.test(document.querySelector(".count")?.textContent ?? "still to be opened"));
  }

  rows() {
    return this.page.locator(".rows > li");
  }

  async titles() {
    return this.page.locator(".rows .title").allInnerTexts();
  }

  /** Opens a sample by its exercise. */
  async open(title) {
    await this.page.locator(".rows button", { has: this.page.getByText(title, { exact: true }) }).click();
    await this.page.getByRole("heading", { level: 2, name: title }).waitFor();
  }

  /** Sets one of the queue's filters. */
  async choose(label, option) {
    await this.page.getByRole("group", { name: "Filters" }).getByLabel(label, { exact: true }).selectOption(option);
  }

  /** The clock under the picture, in seconds. */
  async clock() {
    return Number.parseFloat(await this.page.locator(".clock").innerText());
  }

  /** Nothing that axe finds, in both color schemes. */
  async isAccessible(state) {
    await isAccessible(this.page, state);
  }

  /** Every request went to the collector that served the page and holds no secret; nothing was complained of. */
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
        assert.ok(!sent.includes(secret.toLowerCase()), `${method} ${url} holds a secret`);
      }
    }
    const unexpected = this.complaints.filter((line) => !this.expected.some((pattern) => pattern.test(line)));
    assert.deepEqual(unexpected, [], "the browser complained");
    this.requests = requests;
  }

  async #record(request) {
    const [method, url] = [request.method(), request.url()];
    const body = request.postDataBuffer()?.toString("latin1") ?? "";
    const headers = JSON.stringify(await request.allHeaders().catch(() => request.headers()));
    return { method, url, headers, body };
  }
}
