// @vitest-environment happy-dom

import { afterEach, describe, expect, it, vi } from "vitest";

import { press, problem, settled, text, type, wrongWith } from "../test_pages";
import { closeDesk } from "./desk_of";
import { BOB, DUO, ME, TRIO, all, chat, closeChats, drops, live, member, openChats, said, says, trio, wire, write } from "./test_chats";

afterEach(closeChats);

const DUO_PATH = `/account/chats/${DUO}`;
const routes = (asked: { route: string }[]) => asked.map(({ route }) => route);

describe("a chat", () => {
  it("shows messages by author, answers, names and what was deleted, as text only", async () => {
    await openChats(DUO_PATH, [chat({ last_seq: 4, rev: 9 })], [
      said(1, BOB, "<img src=x> @ada", { mentions: [{ account: ME, username: "ada" }], mentioned: true }),
      said(2, ME, "yes", { reply_to: "m1", edited_at: 5 }),
      said(3, BOB, "", { body: null, deleted_at: 4 }),
      said(4, BOB, "late", { reply_to: "m0" }),
    ]);
    expect(all(".message-author")).toEqual(["bob", "ada", "bob", "bob"]);
    expect(all(".message-body")).toEqual(["<img src=x> @ada", "yes", "late"]);
    expect([all(".message-body strong"), document.querySelector(".message img")]).toEqual([["@ada"], null]);
    expect(all(".message-quote")).toEqual(["Answer to bob: <img src=x> @ada", "Answer to an earlier message"]);
    expect(text()).toContain("This message was deleted.");
    expect(all(".message .tag")).toEqual(["edited"]);
    await settled(() => document.querySelector<HTMLElement>("button.message-quote")?.click());
    expect(document.activeElement?.getAttribute("data-seq")).toBe("1");
  });

  it("sends with a name of its own, until it is answered, and shows it once", async () => {
    const sent = said(1, ME, "hello");
    const asked = await openChats(DUO_PATH, [chat()], [], { [`POST chats/${DUO}/messages`]: [[503, { code: "busy", detail: "busy" }], [200, sent]] });
    await live();
    await write(" hello ");
    await press("Send");
    expect(all(".message .tag")).toEqual(["On its way…"]);
    expect(document.querySelector("textarea")?.value).toBe("");
    await vi.waitFor(() => expect(all(".message .tag")).toEqual([]), 2_000);
    const posts = asked.filter(({ route }) => route.startsWith("POST"));
    expect(posts).toHaveLength(2);
    expect(posts[0]?.body).toEqual(posts[1]?.body);
    expect(posts[0]?.body).toMatchObject({ body: "hello", client_id: expect.stringMatching(/^[\da-f-]{36}$/) });
    await says({ type: "message", chat: DUO, message: sent });
    expect(all(".message-body")).toEqual(["hello"]);
  });

  it("is sent once though its answer was lost and the connection with it", async () => {
    const asked = await openChats(DUO_PATH, [chat()], [], { [`POST chats/${DUO}/messages`]: [[502, {}]] });
    await live();
    await write("hello");
    await press("Send");
    await drops(1006);
    const [post] = asked.filter(({ route }) => route.startsWith("POST"));
    const { client_id } = post?.body as { client_id: string };
    await press("Try now");
    const brought = { type: "message", chat: DUO, message: said(1, ME, "hello", { client_id }) };
    await says({ type: "ready" }, brought, { type: "resumed" }, brought);
    expect([all(".message-body"), all(".message .tag")]).toEqual([["hello"], []]);
    await new Promise((resolve) => setTimeout(resolve, 700));
    const posts = asked.filter(({ route }) => route.startsWith("POST"));
    expect(new Set(posts.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(all(".message-body")).toEqual(["hello"]);
  });

  it("shows once what arrived though nobody was told, also after a reload", async () => {
    const lost = { [`POST chats/${DUO}/messages`]: [502, {}] as [number, object] };
    const asked = await openChats(DUO_PATH, [chat()], [], lost);
    await write("hello");
    await press("Send");
    const { client_id } = asked.find(({ route }) => route.startsWith("POST"))?.body as { client_id: string };
    await settled(closeDesk);
    await openChats(DUO_PATH, [chat()], [said(1, ME, "hello", { client_id })], lost);
    expect([all(".message-body"), all(".message .tag")]).toEqual([["hello"], []]);
  });

  it("goes on where the page was loaded anew while a message was on its way", async () => {
    const asked = await openChats(DUO_PATH, [chat()], [], { [`POST chats/${DUO}/messages`]: [[502, {}]] });
    await write("hello");
    await press("Send");
    await settled(closeDesk);
    // It is sent before its chat is read, which has it then.
    const arrived = said(1, ME, "hello");
    const again = await openChats(DUO_PATH, [chat()], [arrived], { [`POST chats/${DUO}/messages`]: [200, arrived] });
    const sent = (of: typeof asked) => of.find(({ route }) => route.startsWith("POST"))?.body;
    expect(sent(again)).toMatchObject({ body: "hello" });
    expect(sent(again)).toEqual(sent(asked));
    expect([all(".message-body"), all(".message .tag")]).toEqual([["hello"], []]);
  });

  it("keeps what was refused, with the server's reason", async () => {
    await openChats(DUO_PATH, [chat()], [], { [`POST chats/${DUO}/messages`]: problem(422, "invalid", "a message has 4000 characters at most") });
    await write("long");
    await press("Send");
    expect(text()).toContain("A message has 4000 characters at most.");
    await press("Discard");
    expect([all(".message"), document.querySelector("textarea")?.value]).toEqual([[], "long"]);
  });

  it("answers, edits, deletes and reacts", async () => {
    const [his, mine] = [said(1, BOB, "take two?"), said(2, ME, "sure")];
    const reacted = { ...his, rev: 3, reactions: [{ emoji: "🎸", accounts: [ME] }] };
    const asked = await openChats(DUO_PATH, [chat({ last_seq: 2, rev: 2 })], [his, mine], {
      [`POST chats/${DUO}/messages`]: [200, said(3, ME, "now", { rev: 6, reply_to: "m1" })],
      [`PUT messages/m1/reactions/${encodeURIComponent("🎸")}`]: [200, reacted],
      [`DELETE messages/m1/reactions/${encodeURIComponent("🎸")}`]: [200, { ...his, rev: 4 }],
      "PATCH messages/m2": [[422, { code: "invalid", detail: "say something" }], [200, { ...mine, rev: 5, body: "surely", edited_at: 5 }]],
      "DELETE messages/m2": [204],
    });
    await press("More about the message of bob");
    await type("Emoji", "🎸");
    await press("React");
    expect(all(".reactions button")).toEqual(["🎸 1"]);
    await press("🎸 1, of you");
    expect(all(".reactions button")).toEqual([]);
    await press("More about the message of bob");
    expect(text()).not.toContain("Edit");
    await press("Reply");
    expect(document.activeElement?.tagName).toBe("TEXTAREA");
    await write("now");
    await press("Send");
    expect(asked.findLast(({ route }) => route.startsWith("POST"))?.body).toMatchObject({ body: "now", reply_to: "m1" });
    await press("More about the message of ada");
    await press("Edit");
    await write("surely");
    await press("Save");
    expect(text()).toContain("Say something.");
    await press("Save");
    expect(all(".message-body")).toEqual(["take two?", "surely", "now"]);
    await press("More about the message of ada");
    await press("Delete");
    await press("Delete it");
    expect([routes(asked).at(-1), all(".message-gone")]).toEqual(["DELETE messages/m2", ["This message was deleted."]]);
  });

  it("reads what was said before on demand, and no further than its start", async () => {
    await openChats(DUO_PATH, [chat({ last_seq: 3, rev: 3 })], [], {
      [`GET chats/${DUO}/messages`]: [200, { messages: [said(3, BOB, "three")], more: true }],
      [`GET chats/${DUO}/messages?before=3`]: [200, { messages: [said(1, BOB, "one"), said(2, BOB, "two")], more: false }],
    });
    await press("Show older messages");
    expect(all(".message-body")).toEqual(["one", "two", "three"]);
    expect(text()).not.toContain("Show older messages");
  });

  it("tells how far one has read, once, and shows how far others have", async () => {
    const asked = await openChats(DUO_PATH, [chat({ last_seq: 2, rev: 2, unread: 1, read_seq: 1 })], [said(1, ME, "one"), said(2, BOB, "two")]);
    await live();
    await vi.waitFor(() => expect(routes(asked)).toContain(`PUT chats/${DUO}/read`));
    expect(asked.find(({ route }) => route === `PUT chats/${DUO}/read`)?.body).toEqual({ seq: 2 });
    expect([all(".chats-unread"), all(".messages-new")]).toEqual([[], ["New"]]);
    expect(all(".message-read")).toEqual([]);
    await says({ type: "read", chat: DUO, account: BOB, seq: 2 });
    expect(all(".message-read")).toEqual(["Read by bob"]);
  });

  it("reports a message of somebody else, and says what comes of it", async () => {
    const asked = await openChats(DUO_PATH, [chat({ last_seq: 2, rev: 2 })], [said(1, BOB, "shout"), said(2, ME, "hey")], {
      "POST reports": [201, { id: "r" }],
    });
    await press("More about the message of ada");
    expect(text()).not.toContain("Report");
    await press("More about the message of bob");
    await press("Report");
    await press("Send the report");
    expect(wrongWith("What is wrong")).toBe("Choose what is wrong.");
    const reason = document.querySelector("select");
    if (reason === null) throw new Error("there is nothing to choose");
    reason.value = "harassment";
    await settled(() => void reason.dispatchEvent(new Event("change", { bubbles: true })));
    await type("What happened", "He shouts.");
    await press("Send the report");
    const body = { kind: "message", item: "m1", reason: "harassment", text: "He shouts." };
    expect(asked.find(({ route }) => route === "POST reports")?.body).toEqual(body);
    expect(all(".done.chat-note")).toEqual(["Your report waits for the moderators. A notice tells you when they decided."]);
    expect(all(".message-actions")).toHaveLength(1);
  });

  it("shows who writes and who is there, and says that one writes", async () => {
    await openChats(DUO_PATH, [chat()]);
    await live();
    await says({ type: "presence", account: BOB, state: "online" }, { type: "typing", chat: DUO, account: BOB });
    expect([all(".chat-typing"), all("[data-presence]")]).toEqual([["bob is writing…"], ["online"]]);
    await says({ type: "presence", account: BOB, state: "online", jamming: true, room: "attic" });
    expect(all("[data-presence]")).toEqual(["jamming in attic"]);
    await says({ type: "message", chat: DUO, message: said(1, BOB, "there") });
    expect([all(".chat-typing"), all(".message-body")]).toEqual([[""], ["there"]]);
    await write("h");
    await write("hi");
    expect(wire.sent.filter((each) => (each as { type: string }).type === "typing")).toEqual([{ type: "typing", chat: DUO }]);
  });

  it("offers names where one is begun", async () => {
    await openChats(DUO_PATH, [chat()]);
    await write("mail me at ada@bo");
    expect(all(".composer-names li")).toEqual([]);
    await write("hey @b");
    await press("@bob");
    expect(document.querySelector("textarea")?.value).toBe("hey @bob ");
  });

  it("says where there is none, and closes where one is taken out", async () => {
    await openChats(DUO_PATH, [chat()], [], { [`GET chats/${DUO}`]: problem(404, "not_found", "there is no such chat") });
    await live();
    expect(text()).toContain("Nothing said yet.");
    await says({ type: "chat", chat: DUO, member: false });
    expect(text()).toContain("There is no such chat.");
    expect(document.querySelector("textarea")).toBeNull();
  });
});

describe("a group", () => {
  it("lets its owner add and remove, and anybody leave", async () => {
    const path = `chats/${TRIO}`;
    const asked = await openChats(`/account/chats/${TRIO}`, [trio()], [], {
      [`POST ${path}/members`]: [[404, { code: "not_found", detail: "there is nobody of this name" }], [200, trio()]],
      [`DELETE ${path}/members/${BOB}`]: [204],
      [`GET ${path}`]: [200, trio({ members: [member(ME, { role: "owner" })] })],
      [`POST ${path}/leave`]: [204],
    });
    await press("2 members");
    expect(all(".chat-members li > span")).toEqual(["ada you, owner", "bob "]);
    await type("Add somebody", "cyd");
    await press("Add to the group");
    expect(wrongWith("Add somebody")).toBe("There is nobody of this name.");
    await press("Add to the group");
    expect(text()).toContain("cyd is in the group.");
    await press("Remove bob");
    await press("Yes, remove");
    expect(all(".chat-members li > span")).toEqual(["ada you, owner"]);
    await press("Leave the group");
    await press("Yes, leave");
    expect([routes(asked).includes(`POST ${path}/leave`), location.pathname, all(".chats-entry")]).toEqual([true, "/account/chats", []]);
  });

  it("offers members who own nothing only to leave", async () => {
    await openChats(`/account/chats/${TRIO}`, [trio({ role: "member", members: [member(ME), member(BOB, { role: "owner" })] })]);
    await press("2 members");
    expect(all(".chat-members button")).toEqual(["Leave the group"]);
  });
});
