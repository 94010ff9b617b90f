// The server as far as a picture needs it: what signalling says, who is in the room, and what takes are like.

/** Signalling as far as a picture needs it. */
export class Double {
  constructor({ others = [], refuse = null, chat = [], room = {}, statuses = {}, seen = [], me = {} }) {
    const shared = { click: [], mode: "tight", takes: [], ...room };
    Object.assign(this, { others, refuse, chat, shared, statuses, seen, mine: me, socket: null, answering: true });
  }

  attach(socket) {
    if (!this.answering) return socket.close();
    this.socket = socket;
    socket.onMessage((text) => {
      // A sound check has three: who asks is answered.
      this.socket = socket;
      this.received(JSON.parse(text));
    });
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  sendStreams() {
    const tracks = this.others.flatMap((other) => other.tracks.map((track) => [other, track]));
    this.send({
      type: "streams",
      streams: tracks.map(([other, track]) => ({
        ssrc: 1000 + track.id, mid: String(track.id), participant: other.id, track: track.id,
        codec: "opus-64", channels: 1,
      })),
    });
  }

  share(request, change) {
    this.shared = { ...this.shared, ...change };
    this.send({ request, type: "room", state: this.shared });
  }

  /** How it is with a take, as the server tells it. */
  status(path) {
    return this.statuses[path.split("/").at(-1)[0]] ?? null;
  }

  received({ request, type, ...rest }) {
    const answer = (message) => this.send({ request, ...message });
    switch (type) {
      case "join": {
        if (this.refuse !== null) return answer({ type: "error", ...this.refuse });
        const me = { id: 1, name: rest.name, engine: "browser", presence: "online", tracks: [], ...this.mine };
        this.me = me;
        answer({
          type: "joined", version: 1, room: rest.room, participant: 1, ticket: "t", ticket_seconds: 30,
          seat: "s", seat_seconds: 15, participants: [me, ...this.others], chat: this.chat, resumed: false,
        });
        this.send({ type: "room", state: this.shared });
        return;
      }
      case "lead":
        return this.share(request, { leader: rest.leading ? 1 : undefined });
      case "click":
        return this.share(request, { click: rest.segments });
      case "mode":
        return this.share(request, { mode: rest.mode });
      case "look":
        return answer({ type: "seen", room: rest.room, participants: this.seen });
      case "connect":
        answer({ type: "connected", description: { kind: "sdp", sdp: "v=0\r\n" } });
        if (0 < this.seen.length) this.sendStreams();
        return;
      case "publish": {
        answer({ type: "published", track: 1, label: "mic" });
        this.sendStreams();
        const standard = this.others.find((other) => other.engine === "standard");
        this.send({
          type: "encodings_wanted", track: 1,
          codecs: standard === undefined ? ["opus-64"] : ["opus-64", "opus"],
          ...(standard === undefined ? {} : {
            reason: `${standard.name} listens with an ordinary browser player, which plays opus only: sending opus beside opus-64`,
          }),
        });
        this.send({ type: "uplink", track: 1, codec: "opus-64", received_packets: 748, lost_packets: 2, jitter_us: 240 });
        return;
      }
      case "ping":
        answer({ type: "pong" });
        return;
      case "chat":
        answer({ type: "chat", message: { id: 90, participant: 1, name: this.me.name, text: rest.text, at_unix_ms: CLOCK } });
    }
  }
}

export const CLOCK = Date.UTC(2026, 5, 12, 18, 4);
const track = (id, label = "mic", more = {}) => ({ id, label, channels: 1, muted: false, ...more });
const musician = (id, name, engine, tracks, presence = "online") => ({ id, name, engine, presence, tracks });
export const BAND = [
  musician(2, "Bo Lindqvist", "native", [track(2)]),
  musician(3, "Chiara", "browser", [track(3, "voice"), track(4, "guitar")]),
  musician(4, "Dmitri (drums, basement, long cable)", "standard", [track(5, "mic", { muted: true })]),
  musician(5, "Eun-ji", "browser", [track(6)], "away"),
];
export const CHAT = [
  { id: 1, participant: 2, name: "Bo Lindqvist", text: "Evening! From the top of the bridge?", at_unix_ms: CLOCK },
  { id: 2, participant: 3, name: "Chiara", text: "Give me a minute, new strings. https://example.org/a-very-long-link/that-should-wrap-somewhere/in-the-middle", at_unix_ms: CLOCK + 40_000 },
  { id: 3, participant: 1, name: "Ana", text: "Count-in is four.", at_unix_ms: CLOCK + 80_000 },
];

export const quarters = (bpm, more = {}) => ({
  start_us: Math.round((performance.timeOrigin + performance.now()) * 1000) - 3_000_000, bar: 1, tempo_millibpm: bpm * 1000, unit: 4,
  beats: ["accent", "normal", "normal", "normal"], ...more,
});
export const takeOf = (id, title, seconds, more = {}) => {
  const start_us = Math.round((performance.timeOrigin + performance.now()) * 1000) - 1000 * 754_000;
  return { id: id.repeat(32), key: "0".repeat(32), title, started_by: "Bo Lindqvist", start_us, ...(seconds === null ? {} : { stop_us: start_us + seconds * 1e6 }), ...more };
};
export const stem = (name, state, bytes = 9e6) => ({ number: 1, name, label: "mic", bytes, seconds: 30, state });
export const statusOf = (stems, more = {}) => ({
  seconds: 30, running: false, kept_until_unix_ms: CLOCK, stems, markers: [], export: { state: "waiting" }, problems: [], ...more,
});
