// Brings one stem to the server, piece by piece: docs/protocol.md, "Takes". What is there already is asked first,
// so that it goes on wherever it was cut off.

import type { StemMeta } from "./disk";

/** What is sent. */
export interface Source {
  meta: StemMeta;
  size(): number;
  /** Up to so many bytes from there on. */
  read(at: number, bytes: number): Uint8Array<ArrayBuffer>;
  /** SHA-256 of all of it, in hexadecimal digits. */
  checksum(): Promise<string>;
}

/** What became of one step. */
export type Step =
  | { kind: "sent"; bytes: number; tookMs: number }
  /** There is nothing to send at the moment. */
  | { kind: "idle" }
  /** The server has all of it, and has checked it. */
  | { kind: "done" }
  /** Try again after so long; `text` says why. */
  | { kind: "later"; ms: number; text: string }
  /** Trying again is pointless for now. */
  | { kind: "refused"; text: string };

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const AGAIN_MS = 5_000;
const AGAIN_MS_MAX = 120_000;
/** What a server has no space for may have some later. */
const FULL_AGAIN_MS = 300_000;
const MISMATCHES_MAX = 2;
/** Two that disagree about an offset again and again had better take their time. */
const CONFLICTS_MAX = 3;

export class Upload {
  /** What the server has; null before it was asked. */
  offset: number | null = null;
  private failures = 0;
  private mismatches = 0;
  private conflicts = 0;

  constructor(
    private readonly source: Source,
    private readonly request: Fetch,
    private readonly nowMs: () => number,
  ) {}

  /** Sends up to so many bytes, or says that all is there once `isWhole`. */
  async step(pieceBytes: number, isWhole: boolean): Promise<Step> {
    try {
      const step = await this.tryStep(pieceBytes, isWhole);
      if (step.kind !== "later") this.failures = 0;
      return step;
    } catch {
      // The network is gone, or the server: what it has is asked anew.
      this.offset = null;
      return this.later("the server does not answer");
    }
  }

  private async tryStep(pieceBytes: number, isWhole: boolean): Promise<Step> {
    if (this.offset === null) {
      const told = await this.send("HEAD", "", {});
      if (told.headers.get("Upload-Complete") === "?1") return { kind: "done" };
      // Where there is nothing of a stem, or no such take, the first piece tells which.
      if (!told.ok && told.status !== 404) return await this.refused(told);
      this.offset = told.ok ? offsetOf(told) : 0;
    }
    const size = this.source.size();
    if (this.offset < size) return await this.sendPiece(this.offset, pieceBytes);
    return isWhole && 0 < size ? await this.complete(size) : { kind: "idle" };
  }

  private async sendPiece(offset: number, pieceBytes: number): Promise<Step> {
    const body = this.source.read(offset, pieceBytes);
    const headers = { "Upload-Offset": String(offset), "Content-Type": "application/octet-stream" };
    const beganMs = this.nowMs();
    const response = await this.send("PATCH", "", { body, headers });
    const tookMs = this.nowMs() - beganMs;
    if (!response.ok) return await this.refused(response);
    this.offset = offsetOf(response);
    this.conflicts = 0;
    return { kind: "sent", bytes: body.byteLength, tookMs };
  }

  private async complete(length: number): Promise<Step> {
    const sha256 = await this.source.checksum();
    const body = JSON.stringify({ length, sha256 });
    const headers = { "Content-Type": "application/json" };
    const response = await this.send("POST", "/complete", { body, headers });
    if (response.status === 202) return { kind: "later", ms: AGAIN_MS, text: "the server checks it" };
    if (response.ok) return { kind: "done" };
    const refused = await this.refused(response);
    if (response.status === 409 && this.offset === 0) {
      this.mismatches += 1;
      if (MISMATCHES_MAX < this.mismatches) {
        return { kind: "refused", text: "what arrives is not what was sent; reload the page to try again" };
      }
    }
    return refused;
  }

  /** What an answer that is no success means. */
  private async refused(response: Response): Promise<Step> {
    const text = (await response.text()).trim() || `the server answered ${response.status}`;
    switch (response.status) {
      case 409:
        // It has more or less than was believed, and says how much.
        this.offset = response.headers.has("Upload-Offset") ? offsetOf(response) : null;
        this.conflicts += 1;
        if (CONFLICTS_MAX < this.conflicts) return this.later(text);
        return { kind: "later", ms: 0, text };
      case 400:
      case 401:
      case 403:
      case 404:
      case 413:
        return { kind: "refused", text };
      case 507:
        return { kind: "later", ms: FULL_AGAIN_MS, text };
      default:
        this.offset = null;
        return this.later(text);
    }
  }

  private later(text: string): Step {
    const ms = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** this.failures);
    this.failures += 1;
    return { kind: "later", ms, text };
  }

  private async send(method: string, below: string, init: RequestInit): Promise<Response> {
    const { take, stem, key } = this.source.meta;
    const headers = { ...init.headers, Authorization: `Bearer ${key}` };
    return await this.request(`/api/v1/takes/${take}/stems/${stem}${below}`, {
      ...init,
      method,
      headers,
      cache: "no-store",
    });
  }
}

function offsetOf(response: Response): number {
  const offset = Number(response.headers.get("Upload-Offset"));
  if (!Number.isSafeInteger(offset) || offset < 0) throw new Error("no offset");
  return offset;
}
