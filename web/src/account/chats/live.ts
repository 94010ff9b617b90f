// One live connection to the server (docs/chat.md): dials, comes again after a drop, and resumes. It keeps
// no messages; whoever holds it says from where to resume.

import type { Id, Message } from "../../protocol/social";
import { refreshWho, who } from "../who";

export type Presence = "online" | "away" | "offline";

export type LiveEvent =
  | { type: "ready" | "resumed" }
  | { type: "message"; chat: Id; message: Message }
  | { type: "chat"; chat: Id; member: boolean }
  | { type: "read"; chat: Id; account: Id; seq: number }
  | { type: "typing"; chat: Id; account: Id }
  | ({ type: "presence"; account: Id } & Standing);

/** How somebody is: whether they are there, and to friends whether they play, and perhaps where. */
export interface Standing {
  state: Presence;
  jamming?: boolean;
  room?: string;
}

export type Saying =
  | { type: "typing"; chat: Id }
  | { type: "presence"; state: "online" | "away" }
  /** Of a private room, no name is said. */
  | { type: "jamming"; on: boolean; room: string | null };

/** `ended`: this app said what the server cannot read; `signed_out`: the session counts no more. */
export type LinkState = "connecting" | "live" | "waiting" | "signed_out" | "ended";

/** The part of a WebSocket that is used, so that tests can put a double in its place. */
export interface LiveSocket {
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface LiveOwner {
  state(state: LinkState): void;
  event(event: LiveEvent): void;
  /** For each chat that is followed, the last change that is known. */
  known(): Record<Id, number>;
  /** It could not be opened: nobody says why to a page, and the session may have ended. */
  doubted(): void;
}

export class Live {
  private socket: LiveSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private attempt = 0;
  private state: LinkState = "waiting";
  private looking: "online" | "away" = "online";

  constructor(
    private readonly owner: LiveOwner,
    private readonly openSocket: () => LiveSocket,
    private readonly random: () => number = Math.random,
  ) {}

  /** Dials, unless it is under way; also instead of waiting on. */
  dial(): void {
    if (this.socket !== null || this.state === "signed_out" || this.state === "ended") return;
    this.attempt += 1;
    this.become("connecting");
    let ready = false;
    const socket = this.openSocket();
    this.socket = socket;
    socket.onmessage = ({ data }) => {
      const event = parsed(data);
      if (this.state !== "live") this.await(SILENT_MS_MAX);
      if (event === null) return;
      if (event.type === "ready") {
        ready = true;
        this.resume();
      }
      if (event.type === "resumed") {
        this.attempt = 0;
        this.stopTimer();
        this.become("live");
      }
      this.owner.event(event);
    };
    socket.onclose = ({ code }) => {
      this.dropped(code);
      if (!ready && this.state === "waiting") this.owner.doubted();
    };
    this.await(SILENT_MS_MAX);
  }

  /** Gives up a connection that may be dead, and dials again. */
  redial(): void {
    if (this.socket === null) return this.dial();
    this.letGo();
    this.dial();
  }

  /** The network is gone, says the browser. */
  lost(): void {
    if (this.socket === null) return;
    this.letGo();
    this.wait(0);
  }

  stop(): void {
    this.letGo();
    this.stopTimer();
  }

  say(saying: Saying): void {
    if (saying.type === "presence") this.looking = saying.state;
    if (this.state === "live") this.send(saying);
  }

  private resume(): void {
    const known = Object.entries(this.owner.known());
    // One frame has a limit of bytes; without any chat it is said all the same.
    for (let from = 0; from === 0 || from < known.length; from += RESUME_CHATS) {
      this.send({ type: "resume", chats: Object.fromEntries(known.slice(from, from + RESUME_CHATS)) });
    }
    if (this.looking === "away") this.send({ type: "presence", state: "away" });
  }

  private send(message: object): void {
    this.socket?.send(JSON.stringify(message));
  }

  private dropped(code: number): void {
    this.letGo();
    if (code === CODE_SIGNED_OUT || code === CODE_MALFORMED) {
      this.stopTimer();
      return this.become(code === CODE_SIGNED_OUT ? "signed_out" : "ended");
    }
    this.wait(code === CODE_TOO_MUCH ? TOO_MUCH_MS : 0);
  }

  private wait(leastMs: number): void {
    const most = Math.min(FIRST_MS * 2 ** Math.max(0, this.attempt - 1), MOST_MS);
    // Not all at once when a server comes back.
    const waitMs = Math.max(leastMs, most * (0.5 + 0.5 * this.random()));
    this.stopTimer();
    this.timer = setTimeout(() => this.dial(), waitMs);
    this.become("waiting");
  }

  /** Gives the connection up if nothing comes for so long before it is live. */
  private await(ms: number): void {
    this.stopTimer();
    this.timer = setTimeout(() => this.lost(), ms);
  }

  private letGo(): void {
    const { socket } = this;
    this.socket = null;
    if (socket === null) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private stopTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private become(state: LinkState): void {
    if (this.state === state) return;
    this.state = state;
    this.owner.state(state);
  }
}

export function liveSocket(): LiveSocket {
  const url = new URL("/api/v1/social/live", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url) as LiveSocket;
}

/** Whether somebody is signed in, as far as the server can be asked: for whoever doubts it. */
export async function isSignedIn(): Promise<boolean> {
  await refreshWho();
  return who.peek() !== null;
}

/** What was said, or null where it is nothing that this app knows. */
function parsed(data: unknown): LiveEvent | null {
  if (typeof data !== "string") return null;
  try {
    const event = JSON.parse(data) as LiveEvent;
    return TYPES.has(event?.type) ? event : null;
  } catch {
    return null;
  }
}

const TYPES = new Set<string>(["ready", "resumed", "message", "chat", "read", "typing", "presence"]);

const CODE_MALFORMED = 4400;
const CODE_SIGNED_OUT = 4401;
const CODE_TOO_MUCH = 4429;

const FIRST_MS = 500;
const MOST_MS = 15_000;
const TOO_MUCH_MS = 10_000;
const SILENT_MS_MAX = 15_000;
/** 64 KiB hold 1,200; each is an id and a number. */
const RESUME_CHATS = 500;
