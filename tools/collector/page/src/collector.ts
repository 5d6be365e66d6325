// The HTTP client of this page (docs/protocol.md). It sends requests only to the collector that served the page.

import { base64, hex, sha256, type Bytes } from "./bytes";
import { MAX_SEALED_BYTES } from "./limits";

export const PURPOSES = ["quality-assurance", "recognition-research"] as const;
export type Purpose = (typeof PURPOSES)[number];

export interface ListedSample {
  readonly id: string;
  readonly consent: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly week: string;
  readonly purposes: readonly string[];
}
export type VerdictsSetting = "sealed" | "plain";
export interface StoredReview {
  readonly sample: string;
  readonly reader: string;
  readonly week: string;
  readonly sealed?: string;
  readonly plain?: unknown;
}
export interface StoredAssignment { readonly sample: string; readonly reader: string | null }
export interface ReviewsPage {
  readonly verdicts: VerdictsSetting;
  readonly reader: string;
  readonly reviews: readonly StoredReview[];
  readonly assignments: readonly StoredAssignment[];
  readonly next: string;
}

/** An error response, with its problem type and its detail. */
export class ProblemError extends Error {
  constructor(readonly status: number, readonly problem: string, detail: string) {
    super(detail);
  }
}

/** The collector did not respond. */
export class UnreachableError extends Error {
  constructor() {
    super("The collector cannot be reached. The page retries automatically; check the network.");
  }
}

const TIMEOUT_MS = 30_000;

export class Collector {
  readonly #token: string;
  readonly purpose: Purpose;

  constructor(token: string, purpose: Purpose) {
    this.#token = token;
    this.purpose = purpose;
  }

  async samples(after: string | undefined): Promise<{ samples: ListedSample[]; next: string }> {
    return this.#json("samples", { after });
  }

  async withdrawn(after: string | undefined): Promise<{ ids: string[]; next: string }> {
    return this.#json("withdrawn", { after });
  }

  async reviews(after: string | undefined): Promise<ReviewsPage> {
    return this.#json("reviews", { after });
  }

  /** Fetches a sealed sample and checks it against the digests that the collector stated. */
  async sample(listed: ListedSample): Promise<Bytes> {
    const response = await this.#fetch("GET", `samples/${listed.id}`);
    const bytes = await readBody(response, MAX_SEALED_BYTES);
    const digest = await sha256(bytes);
    const stated = response.headers.get("Content-Digest");
    if (stated !== `sha-256=:${base64(digest)}:`) throw new Error("its content does not match `Content-Digest`");
    if (hex(digest) !== listed.sha256) throw new Error("its content does not match the digest in the list");
    return bytes;
  }

  /** The recipients that samples and verdicts are sealed to. */
  async recipients(): Promise<readonly string[]> {
    const plan = (await (await this.#fetch("GET", "plan")).json()) as { recipients?: unknown };
    const recipients = plan.recipients;
    if (!Array.isArray(recipients) || recipients.length === 0) throw new Error("the collector's plan names no recipient");
    return recipients.map(String);
  }

  async putReview(sample: string, body: Bytes | string): Promise<void> {
    const type = typeof body === "string" ? "application/json" : "application/octet-stream";
    await this.#fetch("PUT", `reviews/${sample}`, {}, body, type);
  }

  async assign(sample: string, reader: string | null): Promise<void> {
    await this.#fetch("PUT", `reviews/${sample}/assignment`, {}, JSON.stringify({ reader }), "application/json");
  }

  /** Quarantines a sample in which a voice was heard. */
  async quarantine(sample: string, anonymizer: string): Promise<void> {
    await this.#fetch("PUT", `samples/${sample}/quarantine`, {}, JSON.stringify({ anonymizer }), "application/json");
  }

  async #json<T>(path: string, query: Record<string, string | undefined>): Promise<T> {
    return (await (await this.#fetch("GET", path, query)).json()) as T;
  }

  async #fetch(
    method: string,
    path: string,
    query: Record<string, string | undefined> = {},
    body?: Bytes | string,
    type?: string,
  ): Promise<Response> {
    // The page is served at BASE/review/, so a collector behind a path prefix works too.
    const url = new URL(`../v1/${path}`, document.baseURI);
    if (path !== "plan") url.searchParams.set("purpose", this.purpose);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#token}` };
    if (type) headers["Content-Type"] = type;
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        cache: "no-store",
        credentials: "omit",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new UnreachableError();
    }
    if (!response.ok) throw await problemFrom(response);
    return response;
  }
}

/** Reads the body of a response.
 * @throws if it is longer than `maxBytes`; the rest is not read. */
async function readBody(response: Response, maxBytes: number): Promise<Bytes> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new UnreachableError();
    });
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new Error("it is larger than any sample");
    }
    chunks.push(value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

async function problemFrom(response: Response): Promise<ProblemError> {
  try {
    const document = (await response.json()) as { type?: string; detail?: string };
    const name = document.type?.replace("urn:sordino:problem:", "") ?? "unknown";
    return new ProblemError(response.status, name, document.detail ?? `the collector responded with status ${response.status}`);
  } catch {
    return new ProblemError(response.status, "unknown", `unexpected response with status ${response.status}; is this the URL of a collector?`);
  }
}
