import { afterEach, describe, expect, it, vi } from "vitest";

import type { Chat } from "../../protocol/social";
import { Listing } from "./listing";

const chat = (id: string, part: Partial<Chat> = {}): Chat => ({
  id, kind: "direct", active_at: 1, created_at: 0, last_seq: 0, members: [], muted: false, read_seq: 0, rev: 0, role: "member",
  unread: 0, ...part,
});

/** A server that answers when it is told to. */
function world() {
  const asked: { route: string; answer: (status: number, body: object) => void }[] = [];
  vi.stubGlobal("fetch", (url: string) =>
    new Promise<Response>((resolve) => {
      const answer = (status: number, body: object) => {
        const type = status < 400 ? "application/json" : "application/problem+json";
        resolve(new Response(JSON.stringify(body), { status, headers: { "Content-Type": type } }));
      };
      asked.push({ route: url.replace("/api/v1/social/", ""), answer });
    }),
  );
  const followed = new Set<string>();
  const gone = vi.fn();
  const failed = vi.fn((_: unknown, say: (sentence: string) => void) => say("it failed"));
  const listing = new Listing({ follows: (id) => followed.has(id), gone, failed });
  const ids = () => [...(listing.chats.value?.keys() ?? [])];
  return { asked, followed, gone, failed, listing, ids };
}

const page = (...chats: Chat[]) => ({ chats, next: null });
const turns = () => new Promise((resolve) => setTimeout(resolve));

afterEach(() => void vi.unstubAllGlobals());

describe("the listing", () => {
  it("keeps a chat that came while the list was on its way, and drops one that is there no longer", async () => {
    const { asked, listing, ids } = world();
    listing.took(chat("old"));
    const reading = listing.read();
    listing.took(chat("fresh"));
    asked[0]?.answer(200, page(chat("other")));
    await reading;
    expect(ids().sort()).toEqual(["fresh", "other"]);
  });

  it("asks for one that is open and not listed, and says where it is gone", async () => {
    const { asked, followed, gone, listing, ids } = world();
    listing.took(chat("open"));
    followed.add("open");
    const reading = listing.read();
    asked[0]?.answer(200, page());
    await reading;
    expect([ids(), asked[1]?.route]).toEqual([["open"], "chats/open"]);
    asked[1]?.answer(404, { code: "not_found", detail: "there is no such chat" });
    await turns();
    expect(gone).toHaveBeenCalledExactlyOnceWith("open");
  });

  it("asks once more for a chat that changed while it was asked for, not once for each change", async () => {
    const { asked, listing } = world();
    for (let i = 0; i < 5; i += 1) void listing.refresh("c");
    expect(asked).toHaveLength(1);
    asked[0]?.answer(200, chat("c", { title: "before" }));
    await turns();
    expect(asked).toHaveLength(2);
    asked[1]?.answer(200, chat("c", { title: "after" }));
    await turns();
    expect([asked.length, listing.chats.value?.get("c")?.title]).toEqual([2, "after"]);
  });

  it("keeps what it has where the server fails, and says so until it does not", async () => {
    const { asked, listing, ids } = world();
    listing.took(chat("c"));
    const failing = listing.read();
    asked[0]?.answer(500, { code: "internal", detail: "the server failed" });
    await failing;
    expect([ids(), listing.problem.value]).toEqual([["c"], "it failed"]);
    const reading = listing.read();
    asked[1]?.answer(200, page(chat("c")));
    await reading;
    expect(listing.problem.value).toBe("");
  });
});
