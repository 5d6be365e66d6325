// The requests of this page: docs/protocol.md. To the collector that served it, and to nobody else.

import { base64, hex, sha256, type Bytes } from "./bytes";
import { MAX_SEALED_BYTES } from "./limits";

export const PURPOSES = ["quality-assurance", "recognition-research"] as const;
export type Purpose = (typeof PURPOSES)[number];

export interface Listed {
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

/** An answer that is none: what was wrong, in one line. */
export class Refused extends Error {
  constructor(readonly status: number, readonly problem: string, detail: string) {
    super(detail);
  }
}

/** No answer at all. */
export class Unreachable extends Error {
  constructor() {
    super("The collector cannot be reached. It is asked again by itself; look after the network.");
  }
}

const PATIENCE_MS = 30_000;

export class Collector {
  readonly #token: string;
  readonly purpose: Purpose;

  constructor(token: string, purpose: Purpose) {
    this.#token = token;
    this.purpose = purpose;
  }

  async samples(after: string | undefined): Promise<{ samples: Listed[]; next: string }> {
    return this.#json("samples", { after });
  }

  async withdrawn(after: string | undefined): Promise<{ ids: string[]; next: string }> {
    return this.#json("withdrawn", { after });
  }

  async reviews(after: string | undefined): Promise<ReviewsPage> {
    return this.#json("reviews", { after });
  }

  /** A sealed sample, checked against the digests that the collector stated of it. */
  async sample(listed: Listed): Promise<Bytes> {
    const response = await this.#fetch("GET", `samples/${listed.id}`);
    const bytes = await bodyOf(response, MAX_SEALED_BYTES);
    const digest = await sha256(bytes);
    const stated = response.headers.get("Content-Digest");
    if (stated !== `sha-256=:${base64(digest)}:`) throw new Error("it does not have the digest that it came with");
    if (hex(digest) !== listed.sha256) throw new Error("it is not what was listed");
    return bytes;
  }

  /** Whom samples and verdicts are sealed to. */
  async recipients(): Promise<readonly string[]> {
    const plan = (await (await this.#fetch("GET", "plan")).json()) as { recipients?: unknown };
    const recipients = plan.recipients;
    if (!Array.isArray(recipients) || recipients.length === 0) throw new Error("the collector's plan names no recipient");
    return recipients.map(String);
  }

  async keepReview(sample: string, body: Bytes | string): Promise<void> {
    const type = typeof body === "string" ? "application/json" : "application/octet-stream";
    await this.#fetch("PUT", `reviews/${sample}`, {}, body, type);
  }

  async assign(sample: string, reader: string | null): Promise<void> {
    await this.#fetch("PUT", `reviews/${sample}/assignment`, {}, JSON.stringify({ reader }), "application/json");
  }

  /** Takes a sample in which a voice was heard away from everybody. */
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
    // The page lies at BASE/review/, so that a collector under another path is found too.
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
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
    } catch {
      throw new Unreachable();
    }
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

/** The body of an answer.
 * @throws where it is longer than `most` bytes: what comes after them is not waited for. */
async function bodyOf(response: Response, most: number): Promise<Bytes> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new Unreachable();
    });
    if (done) break;
    length += value.length;
    if (length > most) {
      await reader.cancel();
      throw new Error("it is larger than any sample");
    }
    pieces.push(value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}

async function refusal(response: Response): Promise<Refused> {
  try {
    const document = (await response.json()) as { type?: string; detail?: string };
    const name = document.type?.replace("urn:sordino:problem:", "") ?? "unknown";
    return new Refused(response.status, name, document.detail ?? `it answered ${response.status}`);
  } catch {
    return new Refused(response.status, "unknown", `it answered ${response.status}, and not as a collector does`);
  }
}
