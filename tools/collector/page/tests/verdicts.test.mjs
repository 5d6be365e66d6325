import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Reader } from "./browser.mjs";
import { everythingStored } from "./forge.mjs";
import { Collector, Device } from "./organization.mjs";
import { fixture, named } from "./fixture.mjs";

const NOTE = "a string squeaked at the shift";
const context = fixture(({ device }) => void device.send("violin-alone", named("violin-alone", "etude/1")));

async function review(reader, note) {
  const { page } = reader;
  await reader.open("etude/1");
  await page.getByLabel("Note", { exact: true }).fill(note);
  await page.getByLabel("Unusable").check();
  const kept = page.waitForResponse((response) => response.request().method() === "PUT");
  await page.getByRole("button", { name: "Save" }).click();
  assert.ok((await kept).ok());
  await page.getByText("Saved: Unusable.").first().waitFor();
}

const stored = (collector) => everythingStored(collector, readdirSync(collector.data));

test("a verdict is stored sealed and readable with the key", async () => {
  const first = await Reader.atQueue(context.collector, { name: "first" });
  first.secrets.add(NOTE).add("unusable");
  await review(first, NOTE);
  await first.close();
  const put = first.requests.find(({ method, url }) => method === "PUT" && url.includes("/v1/reviews/"));
  assert.ok(put.body.startsWith("age-encryption.org/v1\n"));
  assert.equal(stored(context.collector).includes(NOTE), false, "the collector holds the note");
  assert.equal(stored(context.collector).includes("unusable"), false, "the collector holds the verdict");

  const second = await Reader.atQueue(context.collector, { name: "second" });
  await second.page.locator(".rows .chip", { hasText: "Unusable" }).waitFor();
  await second.open("etude/1");
  const reviews = second.page.getByRole("list", { name: "Other reviews" });
  assert.match(await reviews.innerText(), /^first, \d{4}-W\d\d: Unusable/);
  assert.match(await reviews.innerText(), new RegExp(NOTE));
  await second.close();
});

test("exported verdicts contain no spreadsheet formulas", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "exporter" });
  await review(reader, '=cmd|"/c calc"!A1, and\na second line');
  const downloading = reader.page.waitForEvent("download");
  await reader.page.getByRole("button", { name: "Download verdicts" }).click();
  const download = await downloading;
  assert.equal(download.suggestedFilename(), "verdicts-quality-assurance.csv");
  const [head, ...rows] = readFileSync(await download.path(), "utf8").split("\r\n");
  assert.equal(head, "sample,purpose,exercise,reader,week,verdict,note");
  const [own] = rows.filter((row) => row.includes(",exporter,"));
  assert.match(own, /^[0-9a-f]{32},quality-assurance,etude\/1,exporter,\d{4}-W\d\d,unusable,"'=cmd\|""\/c calc""!A1, and\na second line"$/);
  await reader.close();
});

test("the size of a sealed verdict does not reveal the note's length", async () => {
  const reader = await Reader.atQueue(context.collector, { name: "sizes" });
  await review(reader, "x");
  await review(reader, "y".repeat(400));
  await reader.close();
  const sizes = reader.requests.filter(({ method }) => method === "PUT").map(({ body }) => body.length);
  assert.equal(sizes.length, 2);
  assert.equal(sizes[0], sizes[1]);
});

test("an assignment is visible to other readers", async () => {
  const first = await Reader.atQueue(context.collector, { name: "giver" });
  await first.open("etude/1");
  await first.page.getByLabel("Assigned to", { exact: true }).last().fill("taker");
  await first.page.getByRole("button", { name: "Assign", exact: true }).click();
  await first.page.getByText("Assigned to taker.").first().waitFor();
  const second = await Reader.atQueue(context.collector, { name: "taker" });
  await second.page.locator(".rows .chip", { hasText: "for taker" }).waitFor();
  await first.page.getByLabel("Assigned to", { exact: true }).last().fill("");
  await first.page.getByRole("button", { name: "Assign", exact: true }).click();
  await first.page.getByText("Assignment removed.").first().waitFor();
  // An open page of another reader is updated.
  await second.page.locator(".rows .chip", { hasText: "for taker" }).waitFor({ state: "detached" });
  await first.close();
  await second.close();
});

test("`--verdicts plain` stores readable verdicts, and the page says so", async () => {
  const collector = await Collector.start(context.organization, "--verdicts", "plain");
  try {
    new Device(collector, "plain").send("violin-alone", named("violin-alone", "etude/1"));
    const first = await Reader.atQueue(collector, { name: "first" });
    await first.open("etude/1");
    await first.page.getByText("its operator can read it").waitFor();
    await review(first, NOTE);
    await first.close();
    assert.equal(stored(collector).includes(NOTE), true);
    const second = await Reader.atQueue(collector, { name: "second" });
    await second.open("etude/1");
    assert.match(await second.page.getByRole("list", { name: "Other reviews" }).innerText(), new RegExp(NOTE));
    await second.close();
  } finally {
    collector.stop();
  }
});
