// The program that runs while no page is open, as it is served: what it shows, and where a click leads.

import { readFileSync } from "node:fs";
import vm from "node:vm";

import { describe, expect, it } from "vitest";

const SOURCE = readFileSync(new URL("../../public/push-worker.js", import.meta.url), "utf8");

type Handler = (event: object) => void;
interface Shown {
  title: string;
  body: string;
  lang: string;
  tag: string;
  data: { go: unknown };
}

/** Runs it where these windows are open. */
function worker(...windows: string[]) {
  const handlers = new Map<string, Handler>();
  const shown: Shown[] = [];
  const did: string[] = [];
  const self = {
    location: { origin: "https://jam.example" },
    addEventListener: (name: string, handler: Handler) => void handlers.set(name, handler),
    registration: { showNotification: async (title: string, options: Shown) => void shown.push({ ...options, title }) },
    clients: {
      matchAll: async () => windows.map((url) => ({ url, focus: async () => void did.push(`focused ${url}`) })),
      openWindow: async (url: string) => void did.push(`opened ${url}`),
    },
  };
  vm.runInNewContext(SOURCE, { self, URL });
  const event = async (name: string, given: object) => {
    let waited: unknown;
    handlers.get(name)?.({ ...given, waitUntil: (promise: unknown) => (waited = promise) });
    await waited;
  };
  const push = (data: unknown) => event("push", { data: { json: () => (data === undefined ? JSON.parse("{") : data) } });
  const click = (go: unknown) => event("notificationclick", { notification: { data: { go }, close: () => did.push("closed") } });
  return { handlers, shown, did, push, click };
}

describe("the push worker", () => {
  it("hears of pushes and clicks, and of no request", () => {
    expect([...worker().handlers.keys()]).toEqual(["push", "notificationclick"]);
  });

  it("says what happened in the language of the account", async () => {
    const { shown, push } = worker();
    await push({ kind: "message", go: "/account/chats/1", lang: "en" });
    await push({ kind: "policy_changed", go: "/privacy", lang: "de" });
    await push({ kind: "security", go: "/account", lang: "tr" });
    expect(shown.map(({ title, body, lang }) => [title, body, lang])).toEqual([
      ["vjam", "Somebody wrote to you.", "en"],
      ["vjam", "Die Seite zum Datenschutz wird etwas anderes sagen.", "de"],
      ["vjam", "Hesabında bir şey oldu. Bunu senin yapıp yapmadığına bak.", "tr"],
    ]);
  });

  it("shows something whatever is pushed, since browsers want that", async () => {
    const { shown, push } = worker();
    for (const wrong of [undefined, null, {}, 7, "x", { kind: "__proto__", lang: "constructor" }, { kind: "toString", lang: "xx" }]) {
      await push(wrong);
    }
    expect(shown.map(({ body }) => body)).toEqual(shown.map(() => "Something happened."));
    expect(shown.length).toBe(7);
  });

  it("has one notification for a chat, and one for each kind of anything else", async () => {
    const { shown, push } = worker();
    await push({ kind: "message", go: "/account/chats/1", lang: "en" });
    await push({ kind: "mentioned", go: "/account/chats/1", lang: "en" });
    await push({ kind: "friend_asked", go: "/account/people", lang: "en" });
    await push({ kind: "warned", go: "/account/people", lang: "en" });
    const tags = shown.map(({ tag }) => tag);
    expect(tags[0]).toBe(tags[1]);
    expect(new Set(tags).size).toBe(3);
  });

  it("leads to the page, and leaves a window alone in which somebody may be playing", async () => {
    const playing = worker("https://jam.example/r/duo");
    await playing.click("/account/chats/1");
    expect(playing.did).toEqual(["closed", "opened /account/chats/1"]);
    const there = worker("https://jam.example/r/duo", "https://jam.example/account/chats/1?message=3");
    await there.click("/account/chats/1");
    expect(there.did).toEqual(["closed", "focused https://jam.example/account/chats/1?message=3"]);
  });

  it("leads nowhere else", async () => {
    const { did, click } = worker();
    for (const go of ["https://evil.example/x", "//evil.example", "javascript:alert(1)", undefined, "http://["]) await click(go);
    expect(did.filter((each) => each !== "closed")).toEqual(["opened /", "opened /", "opened /", "opened /", "opened /"]);
  });
});
