// Builds dist/: index.html, app.js, style.css, and policy.txt with their Content-Security-Policy. dist/ is checked in, so
// that building the collector does not require Node; `test` rebuilds it and compares.
// usage: node build.mjs [FOLDER]
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "dist");
// The waveform's height in pixels. It is part of the library's style sheet, whose hash the policy contains.
const WAVEFORM_HEIGHT = 72;

const hash = (algorithm, text) => `${algorithm}-${createHash(algorithm).update(text).digest("base64")}`;

// Extracts the shadow root of wavesurfer.js, which is the only allowed HTML string, and its style sheet.
async function extractShadowRoot() {
  const source = await readFile(join(here, "node_modules/wavesurfer.js/dist/renderer.js"), "utf8");
  const [, template] = source.match(/shadow\.innerHTML = `([^]*?)`;\s*return \[div, shadow\]/) ?? [];
  if (!template) throw new Error("this version of wavesurfer.js writes its shadow root differently; adapt build.mjs");
  const html = template.replace(/<style\$.*>/, "<style>").replace(/\$\{this\.getHeight\([^}]*\)\}/, String(WAVEFORM_HEIGHT));
  const [, style] = html.match(/<style>([^]*)<\/style>/) ?? [];
  if (!style || html.includes("${")) throw new Error("the shadow root of wavesurfer.js contains unknown placeholders; adapt build.mjs");
  return { html, style };
}

const shadow = await extractShadowRoot();
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.ts", style: "src/style.css" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome120", "firefox128", "safari17"],
  charset: "utf8",
  legalComments: "none",
  define: {
    SHADOW_HTML: JSON.stringify(shadow.html),
    WAVEFORM_HEIGHT: String(WAVEFORM_HEIGHT),
  },
});

const [script, style] = await Promise.all(["app.js", "style.css"].map((name) => readFile(join(out, name))));
const page = (await readFile(join(here, "src/index.html"), "utf8"))
  .replace("{{script}}", hash("sha384", script))
  .replace("{{style}}", hash("sha384", style));
await writeFile(join(out, "index.html"), page);

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  `style-src 'self' '${hash("sha256", shadow.style)}'`,
  "connect-src 'self'",
  "img-src 'self' data:",
  "media-src blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types default",
].join("; ");
await writeFile(join(out, "policy.txt"), policy);
