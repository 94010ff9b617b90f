import { describe, expect, it } from "vitest";

import type { Chat, Message } from "../../protocol/social";
import { chatName, readersBySeq, sortedChats, withChats, withMessage, withReading } from "./list";

const member = (account: string, read_seq: number | null = 0) => ({ account, username: account, joined_at: 0, role: "member" as const, read_seq });
const chat = (id: string, part: Partial<Chat> = {}): Chat => ({
  id, kind: "direct", active_at: 1, created_at: 0, last_seq: 5, members: [member("ada"), member("bob")], muted: false,
  read_seq: 5, rev: 5, role: "member", unread: 0, ...part,
});
const said = (seq: number, rev: number, author = "bob"): Message => ({
  id: `${seq}`, chat: "c", seq, rev, body: `m${seq}`, author: { account: author, username: author }, created_at: 100 + seq,
  mentioned: false, mentions: [], reactions: [], files: [],
});
const one = (given: Chat) => withChats(new Map(), [given]);

describe("the list of chats", () => {
  it("counts what others said, once each, and not what one said oneself", () => {
    let chats = one(chat("c"));
    for (const message of [said(6, 6), said(6, 6), said(7, 7, "ada"), said(6, 8), said(8, 9)]) chats = withMessage(chats, message, "ada");
    expect(chats.get("c")).toMatchObject({ unread: 2, last_seq: 8, rev: 9, active_at: 108 });
  });

  it("counts nothing that a list already counted", () => {
    const chats = one(chat("c", { last_seq: 7, unread: 2, rev: 7 }));
    expect(withMessage(chats, said(7, 7), "ada").get("c")?.unread).toBe(2);
  });

  it("shows the last message as it stands", () => {
    const edited = { ...said(6, 7), body: "edited" };
    const chats = [said(6, 6), edited, said(6, 6)].reduce((all, each) => withMessage(all, each, "ada"), one(chat("c")));
    expect(chats.get("c")?.last_message?.body).toBe("edited");
  });

  it("reads nothing back, neither by an answer that was late nor by another device", () => {
    let chats = one(chat("c", { unread: 3, read_seq: 2 }));
    chats = withReading(chats, { chat: "c", account: "ada", seq: 5 }, "ada");
    expect(chats.get("c")).toMatchObject({ unread: 0, read_seq: 5 });
    chats = withReading(chats, { chat: "c", account: "ada", seq: 3 }, "ada");
    chats = withChats(chats, [chat("c", { unread: 3, read_seq: 2 })]);
    expect(chats.get("c")).toMatchObject({ unread: 0, read_seq: 5 });
  });

  it("takes from a late answer who is in it, and not what was said", () => {
    const live = withMessage(one(chat("c")), said(6, 6), "ada");
    const late = withChats(live, [chat("c", { members: [member("ada")], kind: "group", title: "Trio" })]);
    expect(late.get("c")).toMatchObject({ last_seq: 6, rev: 6, unread: 1, title: "Trio", members: [{ account: "ada" }] });
  });

  it("has the most lively first, by names that people know", () => {
    const chats = withChats(one(chat("c")), [chat("d", { active_at: 9, kind: "group", title: "Trio" }), chat("r", { kind: "room", room: "blue-note" })]);
    expect(sortedChats(chats).map((each) => chatName(each, "ada"))).toEqual(["Trio", "Room blue-note", "bob"]);
    expect(chatName(chat("c", { members: [member("ada")] }), "ada")).toBe("Somebody who is gone");
  });

  it("says who has read how far, of those who let it be seen", () => {
    const all = chat("c", { members: [member("ada", 9), member("bob", 6), member("cyd", null), member("dan", 2)] });
    expect([...readersBySeq(all, "ada", [said(5, 5), said(6, 6), said(8, 8)])]).toEqual([[6, ["bob"]]]);
  });
});
