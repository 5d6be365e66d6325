// The page that `sordino report` writes of a pulled dataset, in the same browser.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { isAccessible, launched } from "./browser.mjs";
import { run } from "./organisation.mjs";
import { named, setting } from "./setting.mjs";

const set = setting(({ device }) => {
  const wrong = (a) => ({ ...a, recognised: a.expected.slice(2).map((note) => ({ ...note, midi: note.midi + 1 })) });
  device.send("talk-between", named("talk-between", "scales/c-major", wrong));
  device.send("piano-alone", named("piano-alone", "pieces/menuet-in-g", wrong));
});

test("axe finds nothing in a report, light or dark, and it asks nobody for anything", async () => {
  const { organisation, collector } = set;
  const [token, dataset] = ["token", "dataset"].map((name) => join(organisation.folder, name));
  writeFileSync(token, collector.token());
  run("sordino", "pull", "--collector", collector.url, "--token-file", token, "--identity", organisation.identity, "--out", dataset);
  run("sordino", "report", dataset);

  const page = await (await launched()).newPage();
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(pathToFileURL(join(dataset, "report.html")).href);
  assert.equal(await page.locator("audio").count() > 0, true, "a report of samples that were heard");
  await isAccessible(page, "report");
  assert.deepEqual(asked.slice(1).filter((url) => !/^(data|blob):/.test(url)), []);
  await page.close();
});
