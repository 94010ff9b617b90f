// One WebSocket to signalling: numbers requests, hands answers to whoever asked, notices silence.
// Coming back after a drop is the session's business; a Signalling is used once.

import type { ClientEnvelope, ClientMessage, ErrorCode, ServerEnvelope } from "../protocol";

/** A request that the server refused. */
export class Refused extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly text: string,
  ) {
    super(`${code}: ${text}`);
    this.name = "Refused";
  }
}

/** The connection ended before the answer came. */
export class Dropped extends Error {
  constructor() {
    super("the connection to the server ended");
    this.name = "Dropped";
  }
}

export interface SignallingEvents {
  open(): void;
  message(message: ServerEnvelope): void;
  /** Exactly once, however it ended. */
  close(): void;
}

/** The part of a WebSocket that is used, so that tests can put a double in its place. */
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

interface Pending {
  resolve(message: ServerEnvelope): void;
  reject(error: Error): void;
}

export class Signalling {
  private readonly pending = new Map<number, Pending>();
  private readonly keepalive: ReturnType<typeof setInterval>;
  private requests = 0;
  private open = false;
  private closed = false;
  private silentTicks = 0;

  constructor(
    private readonly socket: SocketLike,
    private readonly events: SignallingEvents,
  ) {
    socket.onopen = () => {
      this.open = true;
      this.silentTicks = 0;
      events.open();
    };
    socket.onmessage = (event) => this.received(event.data);
    socket.onclose = () => this.ended();
    this.keepalive = setInterval(() => this.tick(), PING_MS);
  }

  /** Sends without waiting; nothing happens once the connection is gone. */
  send(message: ClientMessage): void {
    if (this.open && !this.closed) this.socket.send(JSON.stringify(message));
  }

  /** Sends and waits for the answer that repeats the request's number. */
  request(message: ClientMessage): Promise<ServerEnvelope> {
    if (!this.open || this.closed) return Promise.reject(new Dropped());
    this.requests += 1;
    const request = this.requests;
    const envelope: ClientEnvelope = { request, ...message };
    return new Promise((resolve, reject) => {
      this.pending.set(request, { resolve, reject });
      this.socket.send(JSON.stringify(envelope));
    });
  }

  close(): void {
    this.socket.close();
    this.ended();
  }

  private received(data: unknown): void {
    if (this.closed || typeof data !== "string") return;
    this.silentTicks = 0;
    let message: ServerEnvelope;
    try {
      message = JSON.parse(data) as ServerEnvelope;
    } catch {
      return;
    }
    // The state changes before whoever asked goes on, so that they see it changed.
    this.events.message(message);
    if (message.request === undefined) return;
    const pending = this.pending.get(message.request);
    this.pending.delete(message.request);
    if (message.type === "error") pending?.reject(new Refused(message.code, message.text));
    else pending?.resolve(message);
  }

  /** A network that vanished tells nobody: a socket that stays silent through pings is gone. */
  private tick(): void {
    this.silentTicks += 1;
    if (SILENT_TICKS_MAX < this.silentTicks) this.close();
    else this.send({ type: "ping" });
  }

  private ended(): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.keepalive);
    for (const { reject } of this.pending.values()) reject(new Dropped());
    this.pending.clear();
    this.events.close();
  }
}

/** Three silent seconds are no reason to worry on a phone; seven are, of a seat kept for fifteen. */
const PING_MS = 2_000;
const SILENT_TICKS_MAX = 3;
