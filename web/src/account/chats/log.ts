// The messages of one chat as an app knows them: a pure reducer. What surprises: `rev` rises only by what
// the live connection says, in its order. An answer to one's own message may overtake somebody else's, and
// a resume after it would leave that one out.

import type { Id, Message } from "../../protocol/social";

export interface Log {
  /** By their places, also those before `floor` that changed meanwhile: a page on its way may be older. */
  known: ReadonlyMap<number, Message>;
  /** The last change up to which everything is known: what to resume from. */
  rev: number;
  /** From this place on there is no gap; null until the first page. */
  floor: number | null;
  /** Whether there is nothing before it. */
  reachesStart: boolean;
}

export type LogEvent =
  /** A page of history: the newest, or the one before the floor. */
  | { type: "page"; messages: readonly Message[]; more: boolean }
  /** From the live connection, in the order of `rev`. */
  | { type: "changed"; message: Message }
  /** What the server answered to a change of one's own. */
  | { type: "answered"; message: Message }
  /** A message is gone, as far as this app did it. */
  | { type: "deleted"; id: Id; at: number };

/** A log of a chat whose last change is `rev`: what is asked for from here on has all of it. */
export function emptyLog(rev: number): Log {
  return { known: new Map(), rev, floor: null, reachesStart: false };
}

export function reduceLog(log: Log, event: LogEvent): Log {
  switch (event.type) {
    case "page": {
      const first = event.more ? (event.messages[0]?.seq ?? 0) : 0;
      const floor = log.floor === null ? first : Math.min(log.floor, first);
      return { ...taken(log, event.messages), floor, reachesStart: log.reachesStart || !event.more };
    }
    case "changed": {
      const rev = Math.max(log.rev, event.message.rev);
      const next = taken(log, [event.message]);
      return next === log && rev === log.rev ? log : { ...next, rev };
    }
    case "answered":
      return taken(log, [event.message]);
    case "deleted": {
      const message = [...log.known.values()].find(({ id }) => id === event.id);
      if (message === undefined || isDeleted(message)) return log;
      // Its `rev` stays: the live connection brings the message as it stands.
      const gone = { ...message, body: null, deleted_at: event.at, mentions: [], reactions: [] };
      return { ...log, known: new Map(log.known).set(message.seq, gone) };
    }
  }
}

/** What is shown: without a gap, in the order of the places. */
export function shownMessages({ known, floor }: Log): Message[] {
  if (floor === null) return [];
  return [...known.values()].filter(({ seq }) => floor <= seq).sort((a, b) => a.seq - b.seq);
}

export function isDeleted(message: Message): boolean {
  return (message.deleted_at ?? null) !== null;
}

function taken(log: Log, messages: readonly Message[]): Log {
  const newer = messages.filter(({ seq, rev }) => (log.known.get(seq)?.rev ?? -1) < rev);
  if (newer.length === 0) return log;
  const known = new Map(log.known);
  for (const message of newer) known.set(message.seq, message);
  return { ...log, known };
}
