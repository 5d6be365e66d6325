// What the page's tests have: an organization's key and plan, a collector that really runs, and a device that
// sends real samples, all by the programs that people use.
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

  token(name = "desk", purpose = "quality-assurance") {
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

  /** Offers a shipped recording with an annotation, and sends it; gives the sample's id. */
  send(recording, annotation) {
    const file = join(this.folder, "annotation.json");
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(file, JSON.stringify(annotation));
    // Much is drawn anew for each clip; now and then the gate takes what is left of one for a voice.
    const offer = () => this.act("offer", join(ROOT, `samples/audio/${recording}.wav`), "--annotation", file);
    let offered = offer();
    for (let again = 0; again < 3 && offered.outcome !== "queued"; again++) offered = offer();
    if (offered.outcome !== "queued") throw new Error(`${recording} was withheld: ${offered.reason}`);
    this.act("upload");
    return offered.sample_id;
  }
}

/** The annotation that is shipped with a recording, changed. */
export function annotation(recording, change = (a) => a) {
  return change(JSON.parse(readFileSync(join(ROOT, `samples/audio/${recording}.json`), "utf8")));
}
