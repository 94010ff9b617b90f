// Rooms and their links. A room's name follows the rule of the protocol: letters a-z, digits, '-'
// and '_', capital letters made small; spaces are forgiven here, since people type them.

import { ROOM_NAME_CHARS_MAX, type RoomId } from "../protocol";

export type RoomTarget =
  | { kind: "room"; room: RoomId; invite?: string }
  /** A room on another server: its page must be opened there. */
  | { kind: "elsewhere"; href: string; host: string }
  | { kind: "invalid"; problem: string };

/** Reads what somebody typed or pasted: a room's name, its path or its whole link. */
export function parseRoom(text: string, origin: string): RoomTarget {
  const trimmed = text.trim();
  if (trimmed === "") return invalid("Enter a room's name or paste its link.");
  if (!/[/:]/.test(trimmed)) return named(trimmed);
  let url: URL;
  try {
    // A link without its scheme ("host/r/name") is what phones like to copy.
    url = new URL(/^[a-z]+:\/\//i.test(trimmed) ? trimmed : withScheme(trimmed, origin), origin);
  } catch {
    return invalid("That is not a link to a room.");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return invalid("That is not a link to a room.");
  }
  const room = roomOfPath(url.pathname);
  if (room === null) return invalid("That link does not lead to a room: it should end in /r/ and a name.");
  const invite = inviteOf(url.hash);
  if (url.host !== new URL(origin).host) {
    return { kind: "elsewhere", href: `${url.origin}${roomPath(room, invite)}`, host: url.host };
  }
  return { kind: "room", room, ...(invite === null ? {} : { invite }) };
}

/** The room that a page's path names, or null where it names none. */
export function roomOfPath(path: string): RoomId | null {
  const match = /^\/r\/([^/]+)\/?$/.exec(path);
  if (match?.[1] === undefined) return null;
  let name: string;
  try {
    name = decodeURIComponent(match[1]);
  } catch {
    return null;
  }
  const target = named(name);
  return target.kind === "room" ? target.room : null;
}

/** The way to a room, with the invite that opens it where it is private. */
export function roomPath(room: RoomId, invite: string | null = null): string {
  return invite === null ? `/r/${room}` : `/r/${room}#invite=${invite}`;
}

/** The invite in a link's fragment, which no server is ever sent; null where there is none. */
export function inviteOf(hash: string): string | null {
  return /^#invite=([\w-]{1,128})$/.exec(hash)?.[1] ?? null;
}

/** The same, also when this tab came with it earlier: signing in on the way must not lose it. */
export function inviteTo(room: RoomId): string | null {
  const key = `vjam.invite.${room}`;
  const carried = inviteOf(location.hash);
  try {
    if (carried === null) return sessionStorage.getItem(key);
    sessionStorage.setItem(key, carried);
  } catch {
    // Full or forbidden: it lasts as long as the address.
  }
  return carried;
}

/** A name that can be read out over the phone; one of about two million. */
export function randomRoom(random: (below: number) => number): RoomId {
  const pick = (words: readonly string[]): string => words[random(words.length)] ?? words[0] ?? "";
  return `${pick(MOODS)}-${pick(INSTRUMENTS)}-${100 + random(900)}`;
}

/** Uniform enough for names; the bias of a 32-bit remainder is below one in a million. */
export function cryptoRandom(below: number): number {
  const word = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return word % below;
}

function named(text: string): RoomTarget {
  const name = text.trim().toLowerCase().replace(/\s+/g, "-");
  if (ROOM_NAME_CHARS_MAX < name.length) {
    return invalid(`A room's name has at most ${ROOM_NAME_CHARS_MAX} characters.`);
  }
  const wrong = /[^a-z0-9_-]/.exec(name);
  if (wrong !== null) {
    return invalid(`A room's name has letters a to z, digits, - and _, but no “${wrong[0]}”.`);
  }
  return { kind: "room", room: name };
}

function withScheme(text: string, origin: string): string {
  return text.startsWith("/") ? text : `${new URL(origin).protocol}//${text}`;
}

function invalid(problem: string): RoomTarget {
  return { kind: "invalid", problem };
}

const MOODS = [
  "amber", "autumn", "blue", "bold", "brave", "bright", "calm", "clear", "cool", "copper",
  "crisp", "dusky", "early", "easy", "fleet", "gentle", "golden", "happy", "hazel", "indigo",
  "jolly", "keen", "late", "lazy", "light", "lively", "lucky", "mellow", "merry", "misty",
  "noble", "open", "quick", "quiet", "red", "rolling", "rosy", "silver", "slow", "smoky",
  "snappy", "soft", "spring", "sunny", "swift", "velvet", "warm", "wild",
] as const;

const INSTRUMENTS = [
  "accordion", "alto", "banjo", "bassoon", "bell", "bongo", "bouzouki", "bugle", "cello", "celesta",
  "clarinet", "conga", "cornet", "cymbal", "drum", "dulcimer", "fiddle", "flute", "glockenspiel", "gong",
  "guitar", "harp", "horn", "kalimba", "koto", "lute", "lyre", "mandolin", "maracas", "marimba",
  "oboe", "ocarina", "organ", "oud", "piano", "piccolo", "quena", "sax", "sitar", "snare",
  "tabla", "tenor", "trombone", "trumpet", "tuba", "ukulele", "viola", "violin",
] as const;
