// What goes on beside a visit to a room, for somebody who is signed in: friends are told that they play, and
// what they used is counted. What surprises: it begins some seconds after they are in, so that it is never
// in the way of the sound that is being opened.

import type { Session } from "../../session/session";
import type { SessionState } from "../../session/state";
import { isSignedIn, Live, type LinkState, liveSocket, type LiveSocket } from "../chats/live";
import { beReady, played } from "./teller";
import type { Feature, UsageEvent } from "./usage";

interface World {
  openSocket(): LiveSocket;
  isSignedIn(): Promise<boolean>;
  beReady(): void;
  played(events: UsageEvent[]): void;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Accompanies a visit until it is over, or the function that comes back is called. */
export function accompany(session: Pick<Session, "state">, before: Iterable<Feature> = [], world: World = REAL): () => void {
  const begun = world.now();
  const features = new Set<Feature>(before);
  const room = session.state.peek().room;
  const owner = {
    // The server forgets it with the connection, so each says it anew.
    state: (state: LinkState) => {
      if (state === "live") live.say({ type: "jamming", on: true, room });
    },
    event: () => {},
    known: () => ({}),
    doubted: async () => {
      if (!(await world.isSignedIn())) live.stop();
    },
  };
  const live = new Live(owner, world.openSocket);
  const timer = setTimeout(() => {
    live.dial();
    world.beReady();
  }, AFTER_MS);

  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    stop();
    live.stop();
    const minutes = Math.min(DAY_MINUTES, Math.max(0, Math.round((world.now() - begun) / 60_000)));
    const used = [...features].map((feature): UsageEvent => ({ kind: "feature", feature }));
    world.played([{ kind: "session", with: "browser", minutes }, ...used]);
  };
  const stop = session.state.subscribe((state) => {
    for (const feature of usedIn(state)) features.add(feature);
    // Not within the first call, where there is nothing to stop yet.
    if (state.phase.name === "closed") queueMicrotask(end);
  });
  return end;
}

/** What is in use in a room at a moment. */
export function usedIn({ shared, mode, entries, me }: SessionState): Feature[] {
  const found: Feature[] = [];
  if (0 < shared.click.length) found.push("click");
  if (shared.takes.some((take) => take.stop_us === undefined || take.stop_us === null)) found.push("take");
  if ((mode ?? shared.mode) !== "tight") found.push("playing_mode");
  if (entries.some((entry) => entry.kind === "said" && entry.message.participant === me)) found.push("chat");
  return found;
}

const REAL: World = { openSocket: liveSocket, isSignedIn, beReady, played, now: () => Date.now() };

const AFTER_MS = 2_000;
/** The longest that the server takes. */
const DAY_MINUTES = 24 * 60;
