// Tries the way to the server before joining, and says what it means: two sessions in a room of their
// own, of which one sends and the other hears it. Both are what a visit to a room is made of, so that
// everything is as it will be. What surprises: what is sent is silence, because the browser would play
// the musician's own sound back to them, late.

import type { RoomId, SeenParticipant, ServerEnvelope } from "../protocol";
import type { AudioPort, RemoteStats } from "./audio_seam";
import { Session } from "./session";
import { Signalling, type SocketLike } from "./signalling";
import { playable } from "./tempo";
import type { Surroundings } from "./visit";

/** What a step found, and what to do about it. */
export interface Finding {
  found: string;
  todo: string[];
}

export interface NetworkFigures {
  /** Null without our engine. */
  roundTripMs: number | null;
  upLostPermille: number;
  downLostPermille: number;
  upJitterMs: number;
  /** From here around the server to the loudspeaker, the input not counted; null without our engine. */
  aroundMs: number | null;
}

/** Takes as long as it takes to know the room's clock, and then some seconds more. */
export async function measureNetwork(surroundings: () => Surroundings, wait: Wait): Promise<NetworkFigures> {
  const room = ownRoom();
  const uplinks: Uplink[] = [];
  const visit = { room, name: "sound check", deviceId: "" };
  const here = new Session({ ...visit, part: "musician" }, overheard(surroundings(), uplinks));
  const there = new Session({ ...visit, part: "listener" }, surroundings());
  try {
    await Promise.all([here.start(), there.start()]);
    await until(() => heard(there) !== null && 0 < uplinks.length, [here, there], wait);
    // The beginning of a stream says nothing of the rest of it.
    await wait(SETTLE_MS);
    uplinks.length = 0;
    const before = heard(there);
    await wait(BURST_MS);
    const after = heard(there);
    if (before === null || after === null) throw new Error(BLOCKED);
    const lost = sum(uplinks.map((uplink) => uplink.lost));
    const received = sum(uplinks.map((uplink) => uplink.received));
    const downLost = Math.max(0, after.lost - before.lost - lost);
    const clock = here.stats()?.roomClock ?? null;
    return {
      roundTripMs: clock === null ? null : 2 * clock.boundMs,
      upLostPermille: permille(lost, lost + received),
      downLostPermille: permille(downLost, downLost + after.received - before.received),
      upJitterMs: Math.max(0, ...uplinks.map((uplink) => uplink.jitterUs)) / 1000,
      aroundMs: after.mouthToEarMs,
    };
  } finally {
    here.leave();
    there.leave();
  }
}

/** Who is in a room, without joining it. */
export function look(openSocket: () => SocketLike, room: RoomId): Promise<SeenParticipant[]> {
  return new Promise((resolve, reject) => {
    const lost = () => reject(new Error("the server does not answer"));
    const signalling: Signalling = new Signalling(openSocket(), {
      open: () => {
        signalling
          .request({ type: "look", room })
          .then((answer: ServerEnvelope) => {
            if (answer.type === "seen") resolve(answer.participants);
            else lost();
          })
          .catch(reject)
          .finally(() => signalling.close());
      },
      message: () => undefined,
      close: lost,
    });
  });
}

export function judgeNetwork(figures: NetworkFigures): Finding {
  const { roundTripMs, upLostPermille, downLostPermille, upJitterMs } = figures;
  const todo: string[] = [];
  if (LOST_PERMILLE_MAX < Math.max(upLostPermille, downLostPermille)) {
    todo.push("Packets get lost: use a cable instead of Wi-Fi, and let nobody upload meanwhile.");
  }
  if (JITTER_MS_MAX < upJitterMs) {
    todo.push("Packets come unevenly, which costs delay: use a cable instead of Wi-Fi, and close other tabs.");
  }
  const trip = roundTripMs === null ? "" : `${roundTripMs.toFixed(1)} ms to the server and back; `;
  const lost = `${percent(upLostPermille)} lost on the way there and ${percent(downLostPermille)} back`;
  return { found: `${trip}${lost}.`, todo };
}

/** `returnedDb` is what comes back of what was played, null where that is nothing. */
export function judgeFeedback(returnedDb: number | null): Finding {
  if (returnedDb === null) return { found: "Nothing of what was played comes back.", todo: [] };
  const found = `What was played comes back, ${Math.max(0, -returnedDb).toFixed(0)} dB quieter.`;
  if (returnedDb < LOUD_DB) return { found, todo: [] };
  return { found, todo: ["Use headphones: the others would hear themselves, and it may howl."] };
}

/** How it would be with those who are there: half of what one's own sound takes around, and half of theirs. */
export function verdict(aroundMs: number | null, seen: SeenParticipant[]): string[] {
  const online = seen.filter(({ presence }) => presence === "online");
  if (online.length === 0) {
    if (aroundMs === null) return ["Nobody is there yet."];
    const ms = aroundMs.toFixed(0);
    return [`You and somebody as near to the server as you: ${ms} ms, ${playable(aroundMs)}.`];
  }
  return online.map(({ name, around_us: theirsUs }) => {
    if (aroundMs === null || theirsUs === undefined) {
      return `${name} is there. How late you hear each other shows when you play.`;
    }
    const ms = (aroundMs + theirsUs / 1000) / 2;
    return `You and ${name}: ${ms.toFixed(0)} ms, ${playable(ms)}.`;
  });
}

/** Rejects where the check is not wanted any more. */
export type Wait = (ms: number) => Promise<void>;

interface Uplink {
  received: number;
  lost: number;
  jitterUs: number;
}

/** The same surroundings, with the server's reports on what it receives noted as they come. */
function overheard(surroundings: Surroundings, uplinks: Uplink[]): Surroundings {
  return {
    // What an earlier visit recorded is sent as it was: this is no music, and does not make it hurry.
    stems: {
      state: surroundings.stems.state,
      begin: (of) => surroundings.stems.begin(of),
      end: () => undefined,
      over: () => undefined,
      setPlaying: () => undefined,
      noteUplink: () => undefined,
    },
    openSocket: () => surroundings.openSocket(),
    openAudio: async (deviceId, failure): Promise<AudioPort> => {
      const audio = await surroundings.openAudio(deviceId, failure);
      const report = audio.reportUplink.bind(audio);
      audio.reportUplink = (codec, received, lost, jitterUs) => {
        uplinks.push({ received, lost, jitterUs });
        report(codec, received, lost, jitterUs);
      };
      return audio;
    },
  };
}

async function until(done: () => boolean, sessions: Session[], wait: Wait): Promise<void> {
  for (let waitedMs = 0; !done(); waitedMs += TURN_MS) {
    for (const { state } of sessions) {
      const { phase } = state.value;
      if (phase.name === "closed") throw new Error(phase.problem?.title ?? BLOCKED);
    }
    if (CONNECT_MS < waitedMs) throw new Error(BLOCKED);
    await wait(TURN_MS);
  }
}

/** How the one other track is heard, once it is. */
function heard(session: Session): RemoteStats | null {
  const remotes = Object.values(session.stats()?.remotes ?? {});
  return remotes.find(({ received }) => 0 < received) ?? null;
}

function ownRoom(): RoomId {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `check-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

const sum = (numbers: number[]): number => numbers.reduce((all, number) => all + number, 0);
const permille = (part: number, whole: number): number => (1000 * part) / Math.max(1, whole);
const percent = (permilles: number): string => `${(permilles / 10).toFixed(1)} %`;

const BLOCKED =
  "No sound comes through to the server: a firewall or the router blocks UDP to its media port.";

const TURN_MS = 100;
const CONNECT_MS = 15_000;

/** By then the room's clock is known, and the buffer as deep as it stays. */
const SETTLE_MS = 3_500;
const BURST_MS = 4_000;

/** From here on redundancy is sent, and concealment heard. */
const LOST_PERMILLE_MAX = 4;

/** A good line has less than a millisecond, a browser adds some. */
const JITTER_MS_MAX = 10;

/** An echo of oneself that is quieter than this is covered by what is played. */
const LOUD_DB = -40;
