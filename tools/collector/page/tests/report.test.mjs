// The HTML report that `sordino report` writes for a pulled dataset.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Reader, isAccessible, launched } from "./browser.mjs";
import { run } from "./organization.mjs";
import { fixture, named } from "./fixture.mjs";

const context = fixture(({ device }) => {
  // Counted from the end, because the beginning of a recording longer than a clip is cut off.
  const wrong = (a) => ({ ...a, recognised: a.expected.flatMap((note, at) => {
    const left = a.expected.length - at;
    if (left === 5) return [];
    if (left === 4) return [{ ...note, midi: note.midi + 12 }];
    if (left === 3) return [{ ...note, onset: note.onset + 0.2, offset: undefined }];
    return [{ ...note, midi: left === 2 ? note.midi + 1 : note.midi }];
  }) });
  device.send("talk-between", named("talk-between", "scales/c-major", wrong));
  device.send("piano-alone", named("piano-alone", "pieces/menuet-in-g", wrong));
});

test("a verdict is pulled and shown in an accessible report", async () => {
  const { organization, collector } = context;
  const note = "the fourth note, \"quiet\"";
  const reader = await Reader.atQueue(collector, { name: "judge" });
  await reader.open("scales/c-major");
  const counted = await reader.page.locator("figcaption").innerText();
  await reader.page.getByLabel("Note", { exact: true }).fill(note);
  await reader.page.keyboard.press("Escape");
  await reader.page.keyboard.press("1");
  await reader.page.getByText("Saved: Recognizer wrong.").first().waitFor();
  await reader.close();
  const [token, dataset] = ["token", "dataset"].map((name) => join(organization.folder, name));
  writeFileSync(token, collector.token());
  run("sordino", "pull", "--collector", collector.url, "--token-file", token, "--identity", organization.identity, "--out", dataset);
  run("sordino", "report", dataset);
  const [, row] = readFileSync(join(dataset, "verdicts.csv"), "utf8").split("\r\n");
  assert.match(row, /^[0-9a-f]{32},quality-assurance,scales\/c-major,judge,\d{4}-W\d\d,recogniser-wrong,"the fourth note, ""quiet"""$/);

  const page = await (await launched()).newPage();
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(pathToFileURL(join(dataset, "report.html")).href);
  assert.equal(await page.locator("audio").count() > 0, true, "the report has audio players");
  const card = page.locator("article", { hasText: "scales/c-major" });
  assert.match(await card.getByRole("list", { name: "Verdicts" }).innerText(), /Recognizer wrong judge, \d{4}-W\d\d\n.?the fourth note, "quiet"/);
  // The report and the page count the same.
  const summary = await card.locator(".summary").innerText();
  for (const result of ["missed", "extra", "wrong"]) {
    assert.match(summary, new RegExp(`[1-9] ${result}`));
    const count = (text) => Number(text.match(new RegExp(`(\\d+) ${result}`))?.[1] ?? 0);
    assert.equal(count(summary), count(counted), `${result}: ${summary} | ${counted}`);
  }
  await isAccessible(page, "report");
  assert.deepEqual(asked.slice(1).filter((url) => !/^(data|blob):/.test(url)), []);
  await page.close();
});
