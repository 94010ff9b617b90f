// What this page reports of its own crashes: which error, and where in its code. It is written as an
// envelope of Sentry's, which the server takes from any program. What surprises: the server takes out of
// a report what looks like somebody's, and so does this, before it leaves; and it says nothing of the page
// that was open, because that may be a room's.

import type { UsageAnswer } from "../../protocol/social";

export interface Report {
  kind: string;
  text: string;
  /** Where it happened comes last. */
  frames: Frame[];
}

export interface Frame {
  function: string;
  filename: string;
  lineno: number;
  colno: number;
}

/** What of an error is reported; `names` are taken out wherever they stand. */
export function reportOf(cause: unknown, names: readonly string[]): Report {
  const isError = cause instanceof Error;
  const text = isError ? cause.message : typeof cause === "string" ? cause : "";
  return {
    kind: isError ? clean(cause.name, names) : "Error",
    text: clean(text, names),
    frames: isError ? framesOf(cause.stack ?? "", names) : [],
  };
}

/** The places of a stack, as Chromium, Firefox and Safari write them. */
function framesOf(stack: string, names: readonly string[]): Frame[] {
  const frames: Frame[] = [];
  for (const line of stack.split("\n")) {
    const found = CHROMIUM.exec(line) ?? OTHERS.exec(line);
    if (found === null) continue;
    const [, where = "", address = "", lineno, colno] = found;
    frames.push({
      function: clean(where, names),
      filename: clean(fileOf(address), names),
      lineno: Number(lineno),
      colno: Number(colno),
    });
  }
  return frames.slice(0, FRAMES_MAX).reverse();
}

const CHROMIUM = /^\s*at (?:(.+?) \()?(\S+?):(\d+):(\d+)\)?$/;
const OTHERS = /^(.*?)@(\S+?):(\d+):(\d+)$/;

/** Of an address, the name of the file; what is no file of ours may be a room. */
function fileOf(address: string): string {
  const name = address.replace(/[?#].*$/, "").split("/").at(-1) ?? "";
  return /\.[a-z]+$/.test(name) ? name : "page";
}

/** A text without addresses, rooms and names. */
export function clean(text: string, names: readonly string[]): string {
  let left = text.slice(0, 2 * TEXT_CHARS_MAX);
  for (const pattern of PATTERNS) left = left.replace(pattern, GONE);
  // Of two names, one may hold the other.
  const longest = [...names].filter((name) => NAME_CHARS_MIN <= name.length).sort((a, b) => b.length - a.length);
  for (const name of longest) left = left.replaceAll(new RegExp(quoted(name), "gi"), GONE);
  return left.slice(0, TEXT_CHARS_MAX);
}

const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const PATTERNS = [
  // Links, and the paths of rooms and people.
  /\b[a-z][a-z0-9+.-]*:\/\/\S+/gi,
  /\/(?:r|account|api)\/\S+/g,
  // E-mail addresses, ids of people, and tokens.
  /[^\s<>()[\]@,;:]+@[^\s<>()[\]@,;:]+/g,
  /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi,
  /\b[A-Za-z0-9+/_-]{32,}/g,
];

export interface Stamp {
  /** 32 hexadecimal digits. */
  id: string;
  /** The moment, in milliseconds since 1970. */
  at: number;
  /** What the browser calls itself. */
  agent: string;
}

/** The report as it travels. */
export function envelope(report: Report, { id, at, agent }: Stamp): string {
  const browser = browserOf(agent);
  const event = JSON.stringify({
    event_id: id,
    timestamp: at / 1000,
    platform: "javascript",
    level: "error",
    release: "vjam-web",
    exception: { values: [{ type: report.kind, value: report.text, stacktrace: { frames: report.frames } }] },
    ...(browser === null ? {} : { contexts: { browser } }),
  });
  const item = { type: "event", length: new TextEncoder().encode(event).length };
  return `${JSON.stringify({ event_id: id })}\n${JSON.stringify(item)}\n${event}\n`;
}

/** Which browser, and of which year's make: no more than helps. */
function browserOf(agent: string): { name: string; version: string } | null {
  // Each of them says the names of those after it, too.
  const found = /(Firefox|Edg|Chrome|Version)\/(\d+)/.exec(agent);
  if (found === null) return null;
  const [, name = "", version = ""] = found;
  return { name: name === "Version" ? "Safari" : name, version };
}

/** The world outside, so that tests can bring their own. */
export interface CrashWorld {
  /** Whether whoever is signed in lets crashes be reported, and with what. */
  ask(): Promise<UsageAnswer>;
  /** Names that are nobody's business. */
  names(): string[];
  stamp(): Stamp;
  send(key: string, envelope: string): Promise<void>;
}

/** Reports each crash of a page once, and a few at most. */
export class CrashReporter {
  private readonly known = new Set<string>();

  constructor(private readonly world: CrashWorld) {}

  async report(cause: unknown): Promise<void> {
    // What crashes in a loop is one crash; and a report that cannot be sent is none.
    const report = reportOf(cause, this.world.names());
    const at = report.frames.at(-1);
    const one = [report.kind, at?.function, at?.filename, at?.lineno, at === undefined ? report.text : ""].join("\n");
    if (this.known.has(one) || REPORTS_MAX <= this.known.size) return;
    this.known.add(one);
    try {
      const { allowed, crash_key: key = null } = await this.world.ask();
      if (!allowed || key === null) return;
      await this.world.send(key, envelope(report, this.world.stamp()));
    } catch {
      // Nobody is signed in, or the server is not there.
    }
  }
}

const GONE = "[removed]";
const FRAMES_MAX = 30;
const TEXT_CHARS_MAX = 500;
const NAME_CHARS_MIN = 3;
/** In one page, until it is loaded anew. */
const REPORTS_MAX = 5;
