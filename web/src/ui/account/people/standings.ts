// How friends are, as long as their list is shown: over a live connection of its own.

import { useEffect, useState } from "preact/hooks";

import { isSignedIn, Live, type LinkState, type LiveEvent, liveSocket, type Standing } from "../../../account/chats/live";
import type { Id } from "../../../protocol/social";

export type Standings = ReadonlyMap<Id, Standing>;

export function useStandings(): Standings {
  const [standings, setStandings] = useState<Standings>(NONE);
  useEffect(() => {
    const live = new Live(
      {
        // Nobody knows how they are while it is gone; it says so anew when it is back.
        state: (state: LinkState) => {
          if (state !== "live") setStandings(NONE);
        },
        event: (event: LiveEvent) => {
          if (event.type === "presence") setStandings((before) => new Map(before).set(event.account, event));
        },
        known: () => ({}),
        doubted: async () => {
          if (!(await isSignedIn())) live.stop();
        },
      },
      liveSocket,
    );
    live.dial();
    return () => live.stop();
  }, []);
  return standings;
}

const NONE: Standings = new Map();
