import { describe, expect, it } from "vitest";

import type { ChatMessage, Participant, ServerEnvelope } from "../protocol";
import { SERVER_SAMPLES } from "../protocol/samples";
import { type Action, type SessionState, initialState, isSoloed, reduce } from "./state";

const track = (id: number, label = "mic") => ({ id, label, channels: 1, muted: false });

function musician(id: number, name: string, more: Partial<Participant> = {}): Participant {
  return { id, name, engine: "browser", presence: "online", tracks: [track(10 * id)], ...more };
}

function said(id: number, text: string): ChatMessage {
  return { id, participant: 2, name: "Bo", text, at_unix_ms: 1_790_000_000_000 + id };
}

function joined(more: Partial<Extract<ServerEnvelope, { type: "joined" }>> = {}): ServerEnvelope {
  return {
    type: "joined",
    version: 1,
    room: "blue-note",
    participant: 1,
    ticket: "ticket",
    ticket_seconds: 30,
    seat: "seat",
    seat_seconds: 15,
    participants: [musician(1, "Ana"), musician(2, "Bo")],
    chat: [said(1, "hello")],
    resumed: false,
    ...more,
  };
}

/** The state after these messages and actions, from the beginning. */
function after(...steps: (ServerEnvelope | Action)[]): SessionState {
  return steps.reduce<SessionState>((state, step) => {
    const own = ["received", "dropped", "dialing", "link", "mix", "muted", "notice", "failed", "left"];
    const action = own.includes(step.type)
      ? (step as Action)
      : { type: "received" as const, message: step as ServerEnvelope };
    return reduce(state, action);
  }, initialState("blue-note"));
}

const lines = (state: SessionState): string[] =>
  state.entries.map((entry) => (entry.kind === "said" ? entry.message.text : `(${entry.text})`));

describe("joining", () => {
  it("knows everybody, the chat and the seat", () => {
    const state = after(joined());
    expect(state.phase.name).toBe("in");
    expect(state.participants.map((p) => p.name)).toEqual(["Ana", "Bo"]);
    expect(state.seat).toBe("seat");
    expect(lines(state)).toEqual(["hello"]);
  });

  it("ends with words when it is refused", () => {
    const { phase } = after({ type: "error", code: "room_full", text: "32 of 32" });
    expect(phase).toMatchObject({ name: "closed", problem: { code: "room_full" } });
  });

  it("goes on without the seat when the seat is gone", () => {
    const state = after(joined(), { type: "dropped" }, { type: "error", code: "seat_gone", text: "" });
    expect(state.phase.name).toBe("away");
    expect(state.seat).toBeNull();
  });

  it("takes every message that signalling can send, twice, without losing its mind", () => {
    for (const sample of SERVER_SAMPLES as ServerEnvelope[]) {
      const once = after(joined(), sample);
      const twice = reduce(once, { type: "received", message: sample });
      expect(twice.participants).toEqual(once.participants);
      expect(twice.streams).toEqual(once.streams);
    }
  });

  it("ignores messages that a newer server may send", () => {
    const state = after(joined());
    const unknown = { type: "fireworks" } as unknown as ServerEnvelope;
    expect(reduce(state, { type: "received", message: unknown })).toBe(state);
  });
});

describe("the others", () => {
  it("are announced when they come, drop out, return and leave", () => {
    const chiara = musician(3, "Chiara");
    const state = after(
      joined({ chat: [] }),
      { type: "participant", participant: chiara },
      { type: "participant", participant: { ...chiara, presence: "away" } },
      { type: "participant", participant: chiara },
      { type: "participant_left", participant: 3, reason: "left" },
    );
    expect(lines(state)).toEqual([
      "(Chiara joined)",
      "(Chiara lost the connection and may be back in a moment)",
      "(Chiara is back)",
      "(Chiara left)",
    ]);
    expect(state.participants.map((p) => p.id)).toEqual([1, 2]);
  });

  it("do not hear of one's own changes", () => {
    const state = after(joined({ chat: [] }), {
      type: "participant",
      participant: musician(1, "Ana", { tracks: [{ ...track(10), muted: true }] }),
    });
    expect(lines(state)).toEqual([]);
  });

  it("get the mix that their name had before", () => {
    const mix = { gainDb: -6, pan: 0.5, muted: false, solo: false, playout: 12 };
    const state = after(
      joined(),
      { type: "mix", track: 20, mix },
      { type: "participant_left", participant: 2, reason: "lost" },
      { type: "participant", participant: musician(7, "Bo", { tracks: [track(70)] }) },
      { type: "participant", participant: musician(8, "Bo", { tracks: [track(80, "bass")] }) },
    );
    expect(state.mixes[70]).toEqual(mix);
    expect(state.mixes[80]).toMatchObject({ gainDb: 0 });
  });

  it("do not inherit the mix of a track that had their number on a server before", () => {
    const muted = { gainDb: 0, pan: 0, muted: true, solo: false, playout: null };
    const state = after(
      joined(),
      { type: "mix", track: 20, mix: muted },
      { type: "dropped" },
      joined({
        participants: [
          musician(1, "Ana"),
          musician(2, "Chiara"),
          musician(3, "Bo", { tracks: [track(30)] }),
        ],
      }),
    );
    expect(state.mixes[20]).toMatchObject({ muted: false });
    expect(state.mixes[30]).toEqual(muted);
  });

  it("are heard again when whoever was soloed has left", () => {
    const solo = { gainDb: 0, pan: 0, muted: false, solo: true, playout: null };
    const here = [joined(), { type: "mix" as const, track: 20, mix: solo }];
    expect(isSoloed(after(...here))).toBe(true);
    const left = { type: "participant_left" as const, participant: 2, reason: "left" as const };
    expect(isSoloed(after(...here, left))).toBe(false);
  });
});

describe("a dropped connection", () => {
  it("keeps the room on screen and counts the attempts", () => {
    const state = after(joined(), { type: "dropped" }, { type: "dialing", attempt: 3 });
    expect(state.phase).toEqual({ name: "away", why: "network", attempt: 3 });
    expect(state.participants).toHaveLength(2);
    expect(state.streams).toEqual([]);
  });

  it("continues the conversation without repeating it", () => {
    const state = after(
      joined(),
      { type: "dropped" },
      joined({ resumed: true, chat: [said(1, "hello"), said(2, "still there?")] }),
    );
    expect(lines(state)).toEqual(["hello", "still there?", "(You are back)"]);
  });

  it("forgets streams only when the seat is lost", () => {
    const streams = [{ ssrc: 1, participant: 2, track: 20, codec: "opus" as const, channels: 1 }];
    const before = [joined(), { type: "streams" as const, streams }, { type: "dropped" as const }];
    expect(after(...before, joined({ resumed: true })).streams).toEqual(streams);
    expect(after(...before, joined({ resumed: false })).streams).toEqual([]);
  });

  it("is not the end when the server restarts", () => {
    const state = after(joined(), { type: "bye", reason: "server_closing", text: "" });
    expect(state.phase).toEqual({ name: "away", why: "server_closing", attempt: 0 });
  });

  it("is the end when another tab took the seat", () => {
    const state = after(joined(), { type: "bye", reason: "replaced", text: "" }, joined());
    expect(state.phase).toMatchObject({ name: "closed", problem: { code: "replaced" } });
  });
});

describe("how everybody hears", () => {
  const heard = { track: 20, delay_us: 23_000, lost_permille: 0, concealed_permille: 0 };
  const told = { type: "hearing" as const, listener: 2, tracks: [heard] };

  it("is as each said it last, and gone with them", () => {
    const worse = { ...heard, delay_us: 40_000 };
    const state = after(joined(), told, { ...told, tracks: [worse] });
    expect(state.hearings).toEqual({ 2: [worse] });
    const left = { type: "participant_left" as const, participant: 2, reason: "left" as const };
    expect(after(joined(), told, left).hearings).toEqual({});
    expect(after(joined(), told, { type: "dropped" }, joined({ resumed: true })).hearings).toEqual({});
  });
});

describe("what holds the room back", () => {
  it("is as told last, and unknown to a newcomer until it is told", () => {
    const finding = { code: "far_away" as const, about: 2, severity: "slight" as const, text: "Bo is far." };
    const told = { type: "findings" as const, findings: [finding] };
    const state = after(joined(), told);
    expect(state.findings).toEqual([finding]);
    expect(after(joined(), told, { type: "findings", findings: [] }).findings).toEqual([]);
    expect(after(joined(), told, { type: "dropped" }, joined({ resumed: true })).findings).toEqual([]);
  });
});

describe("limits", () => {
  it("keeps the newest five hundred lines", () => {
    const messages = Array.from({ length: 620 }, (_, id) => ({
      type: "chat" as const,
      message: said(id, `line ${id}`),
    }));
    const state = after(joined({ chat: [] }), ...messages);
    expect(state.entries).toHaveLength(500);
    expect(lines(state).at(-1)).toBe("line 619");
  });

  it("shows a refusal without ending the visit", () => {
    const state = after(joined(), { type: "error", code: "too_fast", text: "" });
    expect(state.phase.name).toBe("in");
    expect(state.notice?.code).toBe("too_fast");
    expect(reduce(state, { type: "notice", notice: null }).notice).toBeNull();
  });
});

describe("a room that somebody owns", () => {
  const bo = musician(2, "Bo");

  it("tells of who is silenced and who may be heard again, once each", () => {
    const silenced = { type: "participant", participant: { ...bo, silenced: true } } as const;
    const state = after(joined({ chat: [] }), silenced, silenced, { type: "participant", participant: bo });
    expect(lines(state)).toEqual(["(Bo is silenced, and heard by nobody)", "(Bo is heard again)"]);
  });

  it("tells oneself", () => {
    const me = { ...musician(1, "Ana"), silenced: true };
    const state = after(joined({ chat: [] }), { type: "participant", participant: me });
    expect(lines(state)).toEqual(["(You are silenced, and heard by nobody)"]);
    expect(state.participants[0]?.silenced).toBe(true);
  });

  it("says nothing new of who was silenced before one came", () => {
    const state = after(joined({ chat: [], participants: [musician(1, "Ana"), { ...bo, silenced: true }] }));
    expect(lines(state)).toEqual([]);
  });

  it("tells who was taken out, and ends for whom it was", () => {
    const state = after(joined({ chat: [] }), { type: "participant_left", participant: 2, reason: "removed" });
    expect(lines(state)).toEqual(["(Bo was taken out of the room)"]);
    const ended = after(joined(), { type: "bye", reason: "removed", text: "Bo took you out of the room" });
    expect(ended.phase).toMatchObject({ name: "closed", problem: { code: "removed", final: true } });
  });

  it("goes on where one asked for what one may not", () => {
    const state = after(joined(), { type: "error", code: "not_allowed", text: "only the owner may" });
    expect(state.phase.name).toBe("in");
    expect(state.notice?.code).toBe("not_allowed");
  });
});
