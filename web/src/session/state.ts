// What an app knows of its room, and how every message changes it. Pure: no clock, no socket, no
// sound. What surprises: the mix belongs to this pair of ears alone and never travels; it is
// remembered by name, so that a bandmate who drops out and comes back sits where they sat.

import type {
  ChatMessage,
  Codec,
  ErrorCode,
  Finding,
  Participant,
  ParticipantId,
  PlayingMode,
  RoomId,
  RoomState,
  ServerEnvelope,
  Stream,
  TrackHearing,
  TrackId,
} from "../protocol";
import { type LinkState, type Mix, NEUTRAL, type PlayoutMode } from "./audio_seam";
import { type Problem, problemOfBye, problemOfError } from "./words";

export type Phase =
  /** From the first attempt until the first `joined`. */
  | { name: "joining" }
  | { name: "in" }
  /** The connection is gone; the next attempt comes by itself. */
  | { name: "away"; why: AwayReason; attempt: number }
  /** Over; `problem` says why unless one simply left. */
  | { name: "closed"; problem: Problem | null };

export type AwayReason = "network" | "server_closing";

/** A line of the conversation: something said, or something that happened. */
export type Entry =
  | { kind: "said"; key: string; message: ChatMessage }
  | { kind: "event"; key: string; text: string };

export interface SessionState {
  room: RoomId;
  phase: Phase;
  me: ParticipantId | null;
  ticket: string;
  seat: string | null;
  /** Everybody, oneself included, in the order of their coming. */
  participants: Participant[];
  streams: Stream[];
  mixes: Record<TrackId, Mix>;
  remembered: Record<string, Mix>;
  /** What steers the playout delay of everybody whose mix has no mode of its own. */
  playout: PlayoutMode;
  /** How late everybody is heard here, whatever the room plays by; null for what the room plays by. */
  mode: PlayingMode | null;
  /** How loud the click is; null for not at all. */
  clickGainDb: number | null;
  /** Whether one wants to be recorded when somebody begins a take. */
  recordMe: boolean;
  entries: Entry[];
  /** How many events were written; gives each a key. */
  events: number;
  myTrack: TrackId | null;
  muted: boolean;
  encodings: { codecs: Codec[]; reason: string | null };
  /** How each encoding arrived at the server in the last second. */
  uplink: Partial<Record<Codec, Uplink>>;
  /** How everybody says that they hear the others. */
  hearings: Record<ParticipantId, TrackHearing[]>;
  /** What the room shares beside the sound: the click, the playing mode, takes. */
  shared: RoomState;
  /** What costs the room delay or sound, and what to do about it: what there is most to win by first. */
  findings: Finding[];
  link: LinkState;
  /** The newest refusal that did not end the session, until it is dismissed. */
  notice: Problem | null;
}

export interface Uplink {
  receivedPackets: number;
  lostPackets: number;
  jitterUs: number;
}

export type Action =
  | { type: "received"; message: ServerEnvelope }
  | { type: "dropped" }
  | { type: "dialing"; attempt: number }
  | { type: "link"; link: LinkState }
  | { type: "mix"; track: TrackId; mix: Mix }
  | { type: "playout"; mode: PlayoutMode }
  | { type: "mode"; mode: PlayingMode | null }
  | { type: "click-gain"; gainDb: number | null }
  | { type: "record-me"; recordMe: boolean }
  | { type: "muted"; muted: boolean }
  | { type: "notice"; notice: Problem | null }
  | { type: "failed"; problem: Problem }
  | { type: "left" };

/** Whether somebody present is soloed, which silences everybody who is not. */
export function isSoloed({ participants, mixes }: SessionState): boolean {
  return participants.some(({ tracks }) => tracks.some(({ id }) => mixes[id]?.solo === true));
}

/** What one had the last time: of nobody's concern but one's own. */
export type Habits = Pick<SessionState, "playout" | "mode" | "clickGainDb" | "recordMe">;

export function initialState(room: RoomId, habits: Partial<Habits> = {}): SessionState {
  return {
    room,
    phase: { name: "joining" },
    me: null,
    ticket: "",
    seat: null,
    participants: [],
    streams: [],
    mixes: {},
    remembered: {},
    playout: "automatic",
    mode: null,
    clickGainDb: 0,
    recordMe: true,
    entries: [],
    events: 0,
    myTrack: null,
    muted: false,
    encodings: { codecs: [], reason: null },
    uplink: {},
    hearings: {},
    shared: NOTHING_SHARED,
    findings: [],
    link: "connecting",
    notice: null,
    ...habits,
  };
}

const NOTHING_SHARED: RoomState = { click: [], mode: "tight", takes: [] };

export function reduce(state: SessionState, action: Action): SessionState {
  // A closed session stays as it was left: late messages change nothing.
  if (state.phase.name === "closed") return state;
  switch (action.type) {
    case "received":
      return received(state, action.message);
    case "dropped":
      return dropped(state);
    case "dialing":
      if (state.phase.name !== "away") return state;
      return { ...state, phase: { ...state.phase, attempt: action.attempt } };
    case "link":
      return { ...state, link: action.link };
    case "mix":
      return mixed(state, action.track, action.mix);
    case "playout":
      return { ...state, playout: action.mode };
    case "mode":
      return { ...state, mode: action.mode };
    case "click-gain":
      return { ...state, clickGainDb: action.gainDb };
    case "record-me":
      return { ...state, recordMe: action.recordMe };
    case "muted":
      return { ...state, muted: action.muted };
    case "notice":
      return { ...state, notice: action.notice };
    case "failed":
      return closed(state, action.problem);
    case "left":
      return { ...state, phase: { name: "closed", problem: null } };
  }
}

function received(state: SessionState, message: ServerEnvelope): SessionState {
  switch (message.type) {
    case "joined":
      return joined(state, message);
    case "ticket":
      return { ...state, ticket: message.ticket };
    case "published":
      return { ...state, myTrack: message.track };
    case "participant":
      return participantChanged(state, message.participant);
    case "participant_left": {
      const gone = state.participants.find((p) => p.id === message.participant);
      if (gone === undefined) return state;
      const rest = state.participants.filter((p) => p.id !== message.participant);
      const text = { lost: "lost the connection", left: "left", removed: "was taken out of the room" }[message.reason];
      const { [gone.id]: _gone, ...hearings } = state.hearings;
      return happened({ ...state, participants: rest, hearings }, `${gone.name} ${text}`);
    }
    case "streams":
      return { ...state, streams: message.streams };
    case "encodings_wanted":
      return {
        ...state,
        encodings: { codecs: message.codecs, reason: message.reason ?? null },
        uplink: {},
      };
    case "uplink":
      return {
        ...state,
        uplink: {
          ...state.uplink,
          [message.codec]: {
            receivedPackets: message.received_packets,
            lostPackets: message.lost_packets,
            jitterUs: message.jitter_us,
          },
        },
      };
    case "chat":
      return said(state, [message.message]);
    case "error":
      return refused(state, message);
    case "bye":
      return dismissed(state, message);
    case "hearing":
      return {
        ...state,
        hearings: { ...state.hearings, [message.listener]: message.tracks },
      };
    case "room":
      return sharing(state, message.state);
    case "findings":
      return { ...state, findings: message.findings };
    case "connected":
    case "slots_wanted":
    case "pong":
    case "seen":
      return state;
    default:
      // A newer server may say things that this page does not know.
      message satisfies never;
      return state;
  }
}

type Message<T extends ServerEnvelope["type"]> = Extract<ServerEnvelope, { type: T }>;

function joined(state: SessionState, message: Message<"joined">): SessionState {
  const back = state.phase.name === "away";
  let next: SessionState = {
    ...state,
    phase: { name: "in" },
    room: message.room,
    me: message.participant,
    ticket: message.ticket,
    seat: message.seat,
    participants: [],
    // Told anew within a second, where there is anything.
    hearings: {},
    findings: [],
    notice: null,
  };
  if (!message.resumed) {
    // Track ids may be others' by now: mixes come back by name alone.
    next = { ...next, streams: [], mixes: {}, myTrack: null, uplink: {}, link: "connecting" };
  }
  for (const participant of message.participants) next = placed(next, participant);
  const mine = next.participants.find((p) => p.id === next.me)?.tracks[0];
  if (mine !== undefined) next = { ...next, myTrack: mine.id };
  next = said(next, message.chat);
  return back ? happened(next, "You are back") : next;
}

function participantChanged(state: SessionState, participant: Participant): SessionState {
  const before = state.participants.find((p) => p.id === participant.id);
  const next = silencedOrNot(placed(state, participant), before, participant);
  if (participant.id === state.me) return next;
  if (before === undefined) return happened(next, `${participant.name} joined`);
  if (before.presence !== participant.presence) {
    const text =
      participant.presence === "away"
        ? `${participant.name} lost the connection and may be back in a moment`
        : `${participant.name} is back`;
    return happened(next, text);
  }
  return next;
}

/** Adds a line where somebody is silenced, or may be heard again. */
function silencedOrNot(state: SessionState, before: Participant | undefined, { id, name, silenced }: Participant): SessionState {
  if (before === undefined || (before.silenced ?? false) === (silenced ?? false)) return state;
  const who = id === state.me ? "You are" : `${name} is`;
  return happened(state, silenced === true ? `${who} silenced, and heard by nobody` : `${who} heard again`);
}

/** How late everybody is heard here. */
export function playingMode({ mode, shared }: Pick<SessionState, "mode" | "shared">): PlayingMode {
  return mode ?? shared.mode;
}

/** What everybody shares, with a line for what others did. */
function sharing(state: SessionState, shared: RoomState): SessionState {
  const before = state.shared;
  let next: SessionState = { ...state, shared };
  if (before.leader !== shared.leader && shared.leader !== undefined && shared.leader !== state.me) {
    const leader = state.participants.find((p) => p.id === shared.leader);
    next = happened(next, `${leader?.name ?? "Somebody"} leads click and mode`);
  }
  const running = (of: RoomState) => of.takes.find((take) => take.stop_us === undefined);
  const [was, is] = [running(before), running(shared)];
  if (is !== undefined && is.id !== was?.id) {
    next = happened(next, `${is.started_by} records everybody: ${is.title}`);
  }
  if (was !== undefined && was.id !== is?.id) next = happened(next, `${was.title} has ended`);
  return next;
}

/** Puts somebody where they were, or last; new tracks get the mix that their name had. */
function placed(state: SessionState, participant: Participant): SessionState {
  const known = state.participants.some((p) => p.id === participant.id);
  const participants = known
    ? state.participants.map((p) => (p.id === participant.id ? participant : p))
    : [...state.participants, participant].sort((a, b) => a.id - b.id);
  const mixes = { ...state.mixes };
  for (const track of participant.tracks) {
    mixes[track.id] ??= state.remembered[memoryKey(participant.name, track.label)] ?? NEUTRAL;
  }
  return { ...state, participants, mixes };
}

function mixed(state: SessionState, track: TrackId, mix: Mix): SessionState {
  const remembered = { ...state.remembered };
  for (const participant of state.participants) {
    const label = participant.tracks.find((t) => t.id === track)?.label;
    if (label !== undefined) remembered[memoryKey(participant.name, label)] = mix;
  }
  return { ...state, mixes: { ...state.mixes, [track]: mix }, remembered };
}

function memoryKey(name: string, label: string): string {
  return `${name}\n${label}`;
}

function said(state: SessionState, messages: ChatMessage[]): SessionState {
  const known = new Set(state.entries.map((entry) => entry.key));
  const fresh = messages
    .map((message): Entry => ({ kind: "said", key: chatKey(message), message }))
    .filter((entry) => !known.has(entry.key));
  return { ...state, entries: [...state.entries, ...fresh].slice(-ENTRIES_MAX) };
}

/** A restarted server counts its messages from the beginning again: the number is not enough. */
function chatKey(message: ChatMessage): string {
  return `${message.id}/${message.participant}/${message.at_unix_ms}`;
}

function happened(state: SessionState, text: string): SessionState {
  const events = state.events + 1;
  const entry: Entry = { kind: "event", key: `event ${events}`, text };
  return { ...state, events, entries: [...state.entries, entry].slice(-ENTRIES_MAX) };
}

function dropped(state: SessionState): SessionState {
  switch (state.phase.name) {
    case "in":
      return { ...state, phase: { name: "away", why: "network", attempt: 0 } };
    case "joining":
    case "away":
    case "closed":
      return state;
  }
}

function refused(state: SessionState, message: Message<"error">): SessionState {
  // The seat is given up for ever; the session asks for a new one.
  if (message.code === "seat_gone") return { ...state, seat: null };
  // The session opens another link by itself.
  if (isLinkGivenUp(message.code, state.link)) return state;
  // About a link that another one is about to replace.
  if (message.code === "link_closed") return state;
  const problem = problemOfError(message.code, message.text);
  const fatal = state.phase.name === "joining" || problem.final;
  return fatal ? closed(state, problem) : { ...state, notice: problem };
}

/** Whether an error means that another link has to be opened, and that is not under way. */
export function isLinkGivenUp(code: ErrorCode, link: LinkState): boolean {
  return (
    (code === "link_closed" && link !== "connecting") ||
    (code === "media_refused" && link === "down")
  );
}

function dismissed(state: SessionState, message: Message<"bye">): SessionState {
  switch (message.reason) {
    case "left":
      return { ...state, phase: { name: "closed", problem: null } };
    case "server_closing":
      // Whoever was never in has nothing to come back to by itself, but tries all the same.
      return { ...state, phase: { name: "away", why: "server_closing", attempt: 0 } };
    case "timed_out":
      return { ...state, phase: { name: "away", why: "network", attempt: 0 } };
    case "refused":
      // Whoever is on the way back keeps trying: a full server may have room in a moment.
      if (state.phase.name === "away") return state;
      return closed(state, state.notice ?? problemOfBye(message.reason, message.text));
    case "replaced":
    case "removed":
    case "misbehaved":
      return closed(state, problemOfBye(message.reason, message.text));
    default:
      message.reason satisfies never;
      return closed(state, problemOfBye(message.reason, message.text));
  }
}

function closed(state: SessionState, problem: Problem): SessionState {
  return { ...state, phase: { name: "closed", problem } };
}

/** An evening's chat; the oldest lines go first. */
const ENTRIES_MAX = 500;
