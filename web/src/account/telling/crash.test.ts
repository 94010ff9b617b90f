import { describe, expect, it, vi } from "vitest";

import { clean, CrashReporter, type CrashWorld, envelope, reportOf } from "./crash";

const STAMP = { id: "9ec79c33ec9942ab8353589fcb2e04dc", at: 1_795_867_200_000, agent: "Mozilla/5.0 Chrome/128.0.6613.84 Safari/537.36" };

function failure(text: string, stack: string): RangeError {
  const error = new RangeError(text);
  error.stack = stack;
  return error;
}

const CELLO = failure(
  "cello of https://jam.example/r/attic#invite=secret",
  `RangeError: cello
    at pluck (https://jam.example/assets/index-x.js:7:42)
    at https://jam.example/assets/index-x.js?v=1:1:9`,
);

describe("a report", () => {
  it("says where it happened, as each browser writes it, and last where it began to fail", () => {
    const { kind, text, frames } = reportOf(CELLO, []);
    expect([kind, text]).toEqual(["RangeError", "cello of [removed]"]);
    expect(frames).toEqual([
      { function: "", filename: "index-x.js", lineno: 1, colno: 9 },
      { function: "pluck", filename: "index-x.js", lineno: 7, colno: 42 },
    ]);
    const others = failure("x", "pluck@https://jam.example/assets/index-x.js:7:42\n@https://jam.example/r/attic:3:1\n");
    expect(reportOf(others, []).frames).toEqual([
      { function: "", filename: "page", lineno: 3, colno: 1 },
      { function: "pluck", filename: "index-x.js", lineno: 7, colno: 42 },
    ]);
  });

  it("is made of whatever was thrown", () => {
    expect(reportOf("plain words", [])).toEqual({ kind: "Error", text: "plain words", frames: [] });
    for (const nothing of [undefined, null, 7, { message: "ada@example.org" }]) {
      expect(reportOf(nothing, [])).toEqual({ kind: "Error", text: "", frames: [] });
    }
    const deep = failure("x", Array.from({ length: 90 }, (_, i) => `    at f${i} (https://a.example/b.js:${i}:1)`).join("\n"));
    const { frames } = reportOf(deep, []);
    expect([frames.length, frames.at(-1)?.function]).toEqual([30, "f0"]);
  });

  it("names no room, no person and no address", () => {
    for (const [text, left] of [
      ["GET wss://jam.example/api/v1/ws failed", "GET [removed] failed"],
      ["no seat in /r/attic?x=1#y now", "no seat in [removed] now"],
      ["attic is full, Ada Lovelace", "[removed] is full, [removed]"],
      ["ATTIC of Ada", "[removed] of [removed]"],
      ["mail ada@example.org", "mail [removed]"],
      ["account 0190163d-8694-739b-aea5-966c26f8ad91", "account [removed]"],
      ["ticket 0123456789abcdef0123456789abcdef", "ticket [removed]"],
      ["index 7 out of range", "index 7 out of range"],
    ] as const) {
      expect(clean(text, ["attic", "Ada", "Ada Lovelace", "", "of"])).toBe(left);
    }
    expect(clean("a+b (c)", ["a+b (c)"])).toBe("[removed]");
    expect(clean("x".repeat(31).concat(" ").repeat(100), []).length).toBe(500);
    const named = failure("x", "    at ofattic (https://jam.example/assets/attic.js:1:1)");
    expect(JSON.stringify(reportOf(named, ["attic"]))).not.toContain("attic");
  });

  it("travels as an envelope that the server's own test reads too", async () => {
    const text = envelope(reportOf(CELLO, []), STAMP);
    // Written anew by `vitest run -u`.
    await expect(text).toMatchFileSnapshot("../../../../social/tests/crash/page.envelope");
    const [header = "", item = "", event = ""] = text.split("\n");
    expect(JSON.parse(header)).toEqual({ event_id: STAMP.id });
    expect(JSON.parse(item).length).toBe(new TextEncoder().encode(event).length);
    const umlaut = envelope({ kind: "Fehler", text: "größer 🎻", frames: [] }, STAMP).split("\n");
    expect(JSON.parse(umlaut[1] ?? "").length).toBe(new TextEncoder().encode(umlaut[2] ?? "").length);
  });

  it("says which browser, and not which machine", () => {
    for (const [agent, browser] of [
      [STAMP.agent, { name: "Chrome", version: "128" }],
      ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", { name: "Firefox", version: "128" }],
      ["Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15", { name: "Safari", version: "17" }],
      ["something else", undefined],
    ] as const) {
      const event = JSON.parse(envelope({ kind: "x", text: "", frames: [] }, { ...STAMP, agent }).split("\n")[2] ?? "");
      expect(event.contexts?.browser).toEqual(browser);
      expect(JSON.stringify(event)).not.toContain("Linux");
    }
  });
});

function world(answer: { allowed: boolean; crash_key: string | null } = { allowed: true, crash_key: "k" }) {
  const send = vi.fn<CrashWorld["send"]>(async () => undefined);
  const ask = vi.fn<CrashWorld["ask"]>(async () => answer);
  const reporter = new CrashReporter({ ask, names: () => ["attic"], stamp: () => STAMP, send });
  return { reporter, send, ask };
}

describe("whoever reports", () => {
  it("does so once for each crash, and a few times for a page", async () => {
    const { reporter, send } = world();
    for (let i = 0; i < 3; i += 1) await reporter.report(CELLO);
    expect(send).toHaveBeenCalledTimes(1);
    expect(send.mock.calls[0]?.[0]).toBe("k");
    for (let i = 0; i < 20; i += 1) await reporter.report(`crash ${i}`);
    expect(send).toHaveBeenCalledTimes(5);
    expect(JSON.stringify(send.mock.calls)).not.toContain("attic");
  });

  it("keeps silent of whoever objected, where nobody wants reports, and where nobody answers", async () => {
    for (const answer of [{ allowed: false, crash_key: null }, { allowed: false, crash_key: "k" }, { allowed: true, crash_key: null }]) {
      const { reporter, send } = world(answer);
      await reporter.report(CELLO);
      expect(send).not.toHaveBeenCalled();
    }
    const { reporter, ask, send } = world();
    ask.mockRejectedValue(new Error("nobody"));
    await reporter.report(CELLO);
    send.mockRejectedValue(new Error("gone"));
    ask.mockResolvedValue({ allowed: true, crash_key: "k" });
    await reporter.report("another");
    expect(send).toHaveBeenCalledTimes(1);
  });
});
