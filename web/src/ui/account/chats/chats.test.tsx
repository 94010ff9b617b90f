// @vitest-environment happy-dom

import { afterEach, describe, expect, it } from "vitest";

import { who } from "../../../account/who";
import { press, settled, text, type, wrongWith } from "../test_pages";
import { openChat } from "./place";
import { usernames } from "./new_chat";
import { ACCOUNT, BOB, DUO, ME, TRIO, all, chat, closeChats, drops, live, openChats, said, says, trio, wire, write } from "./test_chats";

afterEach(closeChats);

const DUO_PATH = `/account/chats/${DUO}`;
const routes = (asked: { route: string }[]) => asked.map(({ route }) => route);

describe("the list of chats", () => {
  it("shows names, what was said last, and what is unread, and keeps up", async () => {
    await openChats("/account/chats", [chat({ unread: 2, last_seq: 3, rev: 3, last_message: said(3, BOB, "<b>hi</b>") }), trio({ active_at: 5 })]);
    await live();
    expect(all(".chats-entry strong")).toEqual(["bob", "Trio"]);
    expect(all(".chats-unread")).toEqual(["2 unread"]);
    expect(all(".chats-last")).toEqual(["bob: <b>hi</b>"]);
    expect(document.title).toBe("(1) Chats · vjam");
    await says({ type: "message", chat: TRIO, message: said(1, BOB, "new", { chat: TRIO, created_at: 9_000 }) });
    expect(all(".chats-entry strong")).toEqual(["Trio", "bob"]);
    expect(all(".chats-unread")).toEqual(["1 unread", "2 unread"]);
    expect(document.querySelector(".chats-list b")).toBeNull();
  });

  it("says that it connects, and that it is not connected, and resumes", async () => {
    await openChats(DUO_PATH, [chat({ rev: 4, last_seq: 1 })], [said(1, BOB, "hi", { rev: 2 })]);
    expect(all(".chats-link [role=status]")).toEqual(["Connecting…"]);
    await live();
    expect(all(".chats-link [role=status].sr-only")).toEqual(["Connected."]);
    await says({ type: "message", chat: DUO, message: said(2, BOB, "two", { rev: 5 }) });
    await drops(1006);
    expect(text()).toContain("Not connected. What you write is sent");
    await press("Try now");
    await says({ type: "ready" });
    expect(wire.sent.at(-1)).toEqual({ type: "resume", chats: { [DUO]: 5 } });
  });

  it("goes between chats by links and by the browser's buttons, with one connection", async () => {
    await openChats("/account/chats", [chat(), trio({ active_at: 5 })]);
    await live();
    await settled(() => document.querySelector<HTMLElement>(".chats-entry")?.click());
    expect([location.pathname, document.activeElement?.textContent]).toEqual([DUO_PATH, "bob"]);
    await write("half a th");
    await settled(() => {
      history.replaceState(null, "", `/account/chats/${TRIO}`);
      dispatchEvent(new PopStateEvent("popstate"));
    });
    expect([document.activeElement?.textContent, document.querySelector("textarea")?.value]).toEqual(["Trio", ""]);
    expect(document.querySelector("[aria-current=page] strong")?.textContent).toBe("Trio");
    await settled(() => {
      history.replaceState(null, "", DUO_PATH);
      dispatchEvent(new PopStateEvent("popstate"));
    });
    expect(document.querySelector("textarea")?.value).toBe("half a th");
    await press("All chats");
    expect([location.pathname, document.activeElement?.textContent, wire.opened]).toEqual(["/account/chats", "Chats", 1]);
  });

  it("leads to signing in where the session has ended", async () => {
    await openChats(DUO_PATH, [chat()]);
    await live();
    await drops(4401);
    expect([location.pathname, location.search]).toEqual(["/account/sign-in", `?next=${DUO_PATH}`]);
  });

  it("asks who is signed in where no connection can be opened", async () => {
    const over: [number, object] = [401, { code: "not_signed_in", detail: "sign in first" }];
    await openChats(DUO_PATH, [chat()], [], { "GET account": [[200, ACCOUNT], over] });
    await drops(1006);
    expect([location.pathname, who.value]).toEqual(["/account/sign-in", null]);
  });

  it("keeps for the same account what was not sent when the session ended", async () => {
    const over: [number, object] = [401, { code: "not_signed_in", detail: "sign in first" }];
    await openChats(DUO_PATH, [chat()], [], { [`POST chats/${DUO}/messages`]: over });
    await write("hello");
    await press("Send");
    expect(location.pathname).toBe("/account/sign-in");
    const asked = await openChats(DUO_PATH, [chat()], [], { [`POST chats/${DUO}/messages`]: [200, said(1, ME, "hello")] });
    expect(asked.find(({ route }) => route.startsWith("POST"))?.body).toMatchObject({ body: "hello" });
  });

  it("shows more chats on demand, and reads as many again when it is connected again", async () => {
    const asked = await openChats("/account/chats", [], [], {
      "GET chats": [200, { chats: [chat()], next: "1000.x" }],
      "GET chats?cursor=1000.x": [200, { chats: [trio({ active_at: 5 })], next: null }],
    });
    await press("Show more chats");
    expect([all(".chats-entry strong"), text().includes("Show more chats")]).toEqual([["bob", "Trio"], false]);
    asked.length = 0;
    await live();
    expect(routes(asked)).toEqual(["GET chats", "GET chats?cursor=1000.x"]);
    expect(all(".chats-entry strong")).toEqual(["bob", "Trio"]);
  });

  it("can be tried again where it could not be read", async () => {
    await openChats("/account/chats", [], [], { "GET chats": [[500, { code: "internal", detail: "the server failed" }], [200, { chats: [chat()], next: null }]] });
    expect(text()).toContain("The server failed.");
    await press("Try again");
    expect(all(".chats-entry strong")).toEqual(["bob"]);
  });

  it("begins a chat with one person, and with a group", async () => {
    const asked = await openChats("/account/chats", [], [], {
      "POST chats": [[404, { code: "not_found", detail: "there is nobody of this name" }], [201, chat()], [201, trio()]],
      [`GET chats/${DUO}/messages`]: [200, { messages: [], more: false }],
      [`GET chats/${TRIO}/messages`]: [200, { messages: [], more: false }],
    });
    await press("New chat");
    await press("Begin the chat");
    expect(wrongWith("Their username")).toBe("Enter the username of one person.");
    await type("Their username", "bob");
    await press("Begin the chat");
    expect(wrongWith("Their username")).toBe("There is nobody of this name.");
    await press("Begin the chat");
    expect([location.pathname, asked.findLast(({ route }) => route === "POST chats")?.body]).toEqual([DUO_PATH, { kind: "direct", with: "bob" }]);
    expect(document.activeElement?.textContent).toBe("bob");
    await press("New chat");
    await press("A group");
    await type("Title", "Trio");
    await type("Their usernames", "@bob, cyd bob");
    await press("Begin the chat");
    expect(asked.findLast(({ route }) => route === "POST chats")?.body).toEqual({ kind: "group", title: "Trio", members: ["bob", "cyd"] });
    expect(location.pathname).toBe(`/account/chats/${TRIO}`);
    expect(usernames(" ")).toEqual([]);
  });

  it("finds messages in all chats, and leads to their places", async () => {
    const old = said(2, BOB, "the old riff");
    await openChats("/account/chats", [chat({ last_seq: 90, rev: 90 })], [], {
      "GET search/messages?q=riff": [200, { messages: [old], next: "m2" }],
      "GET search/messages?q=riff&cursor=m2": [200, { messages: [said(1, ME, "a riff")], next: null }],
      [`GET chats/${DUO}/messages`]: [200, { messages: [said(90, BOB, "newest")], more: true }],
      [`GET chats/${DUO}/messages?before=90&limit=100`]: [200, { messages: [said(1, ME, "a riff"), old], more: false }],
    });
    await type("Search all chats", "riff");
    await press("Search");
    expect(text()).toContain("The newest 1 messages that match.");
    await press("Older messages that match");
    expect(all("search .chats-last")).toEqual(["the old riff", "a riff"]);
    await settled(() => document.querySelector<HTMLElement>("search .chats-entry")?.click());
    expect([openChat.value, document.activeElement?.getAttribute("data-seq")]).toEqual([DUO, "2"]);
    await press("Back to all chats");
    expect(all(".chats-entry strong")).toEqual(["bob"]);
  });
});
