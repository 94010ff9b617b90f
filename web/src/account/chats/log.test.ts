import { describe, expect, it } from "vitest";

import type { Message } from "../../protocol/social";
import { type Log, type LogEvent, emptyLog, reduceLog, shownMessages } from "./log";

const said = (seq: number, rev: number, body = `m${seq}`): Message => ({
  id: `id-${seq}`, chat: "c", seq, rev, body, author: { account: "ada", username: "ada" }, client_id: `client-${seq}`,
  created_at: seq, mentioned: false, mentions: [], reactions: [], files: [],
});
const page = (messages: Message[], more = false): LogEvent => ({ type: "page", messages, more });
const changed = (message: Message): LogEvent => ({ type: "changed", message });
const after = (rev: number, ...events: LogEvent[]): Log => events.reduce(reduceLog, emptyLog(rev));
const bodies = (log: Log) => shownMessages(log).map(({ body }) => body);

describe("a log", () => {
  it("shows nothing before its first page, and then also what came meanwhile", () => {
    const before = after(2, changed(said(3, 3)));
    expect(bodies(before)).toEqual([]);
    expect(bodies(reduceLog(before, page([said(1, 1), said(2, 2)])))).toEqual(["m1", "m2", "m3"]);
  });

  it("is in the order of places, whatever the order of changes", () => {
    const log = after(0, page([]), changed(said(2, 2)), changed(said(1, 3, "edited")), changed(said(3, 4)));
    expect(bodies(log)).toEqual(["edited", "m2", "m3"]);
    expect(log.rev).toBe(4);
  });

  it("takes each message once, and the one of the higher change", () => {
    const log = after(3, page([said(1, 3, "edited")]), changed(said(1, 1, "old")), changed(said(1, 3, "edited")));
    expect(bodies(log)).toEqual(["edited"]);
    expect(reduceLog(log, changed(said(1, 3, "edited")))).toBe(log);
    expect(reduceLog(log, page([said(1, 2, "older page")])).known.get(1)?.body).toBe("edited");
  });

  it("resumes from what the live connection said, never from an answer that overtook it", () => {
    const answered = after(4, page([said(1, 4)]), { type: "answered", message: said(3, 6) });
    expect([answered.rev, bodies(answered)]).toEqual([4, ["m1", "m3"]]);
    const all = [changed(said(2, 5)), changed(said(3, 6))].reduce(reduceLog, answered);
    expect([all.rev, bodies(all)]).toEqual([6, ["m1", "m2", "m3"]]);
  });

  it("does not resume from the changes of a page, which leaves others out", () => {
    expect(after(4, page([said(9, 12)], true)).rev).toBe(4);
  });

  it("shows no gap: what changed before its floor waits for its page, which may be older than it", () => {
    const log = after(50, page([said(40, 40), said(41, 41)], true), changed(said(7, 51, "edited")));
    expect([bodies(log), log.rev, log.floor]).toEqual([["m40", "m41"], 51, 40]);
    const older = reduceLog(log, page([said(7, 7, "as it was"), said(8, 8)]));
    expect([bodies(older), older.reachesStart]).toEqual([["edited", "m8", "m40", "m41"], true]);
  });

  it("reaches the start also by an empty page", () => {
    const log = after(9, page([said(5, 5)], true), page([], false));
    expect([log.reachesStart, log.floor, bodies(log)]).toEqual([true, 0, ["m5"]]);
  });

  it("forgets the text of a deleted message at once, and takes it in again as it stands", () => {
    const log = after(2, page([said(1, 1), said(2, 2)]), { type: "deleted", id: "id-1", at: 9 });
    expect(shownMessages(log)[0]).toMatchObject({ body: null, deleted_at: 9, rev: 1 });
    const stands = { ...said(1, 3), body: null, deleted_at: 8 };
    expect(shownMessages(reduceLog(log, changed(stands)))[0]).toEqual(stands);
    // An answer from before it was deleted does not bring it back.
    expect(bodies(reduceLog(log, page([said(1, 1)])))).toEqual([null, "m2"]);
  });

  it("comes out the same after any drop: resumed from its rev, with what it has and what it lacks", () => {
    const changes = [said(1, 1), said(2, 2), said(1, 3, "a"), said(3, 4), said(2, 5, "b"), said(4, 6)];
    const whole = [page([]), ...changes.map(changed)].reduce(reduceLog, emptyLog(0));
    for (let drop = 0; drop <= changes.length; drop += 1) {
      const cut = [page([]), ...changes.slice(0, drop).map(changed)].reduce(reduceLog, emptyLog(0));
      // What the server sends: each message once, as it stands, in the order of its last change.
      const stand = changes.filter(({ seq, rev }) => !changes.some((each) => each.seq === seq && rev < each.rev));
      const resumed = stand.filter(({ rev }) => cut.rev < rev).map(changed).reduce(reduceLog, cut);
      expect([bodies(resumed), resumed.rev], `dropped after ${drop}`).toEqual([bodies(whole), whole.rev]);
    }
  });
});
