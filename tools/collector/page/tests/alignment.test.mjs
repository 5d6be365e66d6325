// The shared alignment cases of all implementations, run without a browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { ROOT } from "./organization.mjs";

const cases = JSON.parse(readFileSync(join(ROOT, "tests/vectors/alignment/cases.json"), "utf8"));

/** Compiles and imports a module of the page. */
async function importModule(name) {
  const entry = join(ROOT, `tools/collector/page/src/${name}.ts`);
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

test("the alignment matches the shared cases", async () => {
  const { align } = await importModule("alignment");
  const inOrder = (all) => [...all].sort((a, b) => (a[0] ?? a) - (b[0] ?? b));
  assert.ok(cases.length > 50);
  for (const { name, tolerance, expected, recognised: recognized, ...found } of cases) {
    const { right, wrong, missed, extra } = align(expected, recognized, tolerance);
    assert.deepEqual({ right: inOrder(right), wrong: inOrder(wrong), missed: inOrder(missed), extra: inOrder(extra) }, found, name);
  }
});

test("the counts match the shared cases, whatever was removed", async () => {
  const { compare } = await importModule("notes");
  for (const { name, tolerance, expected, recognised: recognized, right, wrong, missed, extra } of cases) {
    if (tolerance !== 0.05) continue;
    for (const kept of [[[0, 10]], [], [[0.2, 0.5]]]) {
      const { counts, errors, share } = compare({ expected, recognized }, kept);
      const wanted = { right: right.length, wrong: wrong.length, missed: missed.length, extra: extra.length };
      assert.deepEqual(counts, wanted, name);
      assert.equal(errors, wanted.wrong + wanted.missed + wanted.extra, name);
      assert.ok(share >= 0 && share <= 1 && (share === 0) === (errors === 0), name);
    }
  }
});
