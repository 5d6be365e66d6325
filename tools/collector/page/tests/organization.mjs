// An organization with its keys and plan, a running collector, and a device that sends real samples, all by means of the
// released programs.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../../../..");
const PROGRAMS = process.env.SORDINO_PROGRAMS ?? join(ROOT, "target/debug");

export function run(program, ...words) {
  const out = execFileSync(join(PROGRAMS, program), ["--json", ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return JSON.parse(out);
}

export class Organization {
  folder = mkdtempSync(join(tmpdir(), "sordino-review-"));
  identity = join(this.folder, "qa.key");

  constructor() {
    const { recipient } = run("sordino", "keygen", "--out", this.identity);
    this.signingKey = join(this.folder, "plan.key");
    this.publicKey = run("sordino", "plan", "keygen", "--out", this.signingKey).public_key;
    const plan = readFileSync(join(ROOT, "samples/plan.toml"), "utf8")
      .replace(/age1\w+/, recipient)
      .replace(/samples_per_day = \d+/, "samples_per_day = 500")
      .replace(/bytes_per_day = \d+/, "bytes_per_day = 400000000");
    writeFileSync(join(this.folder, "plan.toml"), plan);
    this.plan = join(this.folder, "plan.json");
    run("sordino", "plan", "sign", join(this.folder, "plan.toml"), "--key", this.signingKey, "--out", this.plan);
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Collector {
  static async start(organization, ...options) {
    const data = mkdtempSync(join(organization.folder, "collector-"));
    const words = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--plan", organization.plan, ...options];
    const child = spawn(join(PROGRAMS, "sordino-collector"), words, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).once("line", (text) => resolve([text]));
      child.once("exit", (code) => reject(new Error(`the collector ended with ${code}`)));
    });
    return Object.assign(new Collector(), { organization, data, child, url: line.split(" ").at(-1) });
  }

  token(name = "reader", purpose = "quality-assurance") {
    return run("sordino-collector", "token", "create", "--data", this.data, "--name", name, "--purpose", purpose).token;
  }

  quarantine(...words) {
    const [command, ...rest] = words;
    return run("sordino-collector", "quarantine", command, "--data", this.data, ...rest);
  }

  stop() {
    this.child.removeAllListeners("exit");
    this.child.kill("SIGTERM");
  }
}

export class Device {
  constructor(collector, name = "device") {
    const { organization } = collector;
    this.folder = join(organization.folder, `${name}-${Math.random().toString(36).slice(2)}`);
    this.act("init", "--plan", organization.plan, "--plan-key", organization.publicKey, "--collector", collector.url);
    this.act("consent", "--purpose", "quality-assurance", "recognition-research", "--age-band", "adult");
  }

  act(...words) {
    return run("sordino", "device", this.folder, ...words);
  }

  /** Submits a shipped recording with an annotation and uploads it; returns the sample's id. */
  send(recording, annotation) {
    const file = join(this.folder, "annotation.json");
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(file, JSON.stringify(annotation));
    // The anonymizer uses random numbers for each clip; occasionally its gate detects a voice in the result.
    const submit = () => this.act("offer", join(ROOT, `samples/audio/${recording}.wav`), "--annotation", file);
    let submitted = submit();
    for (let retry = 0; retry < 3 && submitted.outcome !== "queued"; retry++) submitted = submit();
    if (submitted.outcome !== "queued") throw new Error(`${recording} was withheld: ${submitted.reason}`);
    this.act("upload");
    return submitted.sample_id;
  }
}

/** The annotation of a shipped recording, modified by `change`. */
export function annotation(recording, change = (a) => a) {
  return change(JSON.parse(readFileSync(join(ROOT, `samples/audio/${recording}.json`), "utf8")));
}
