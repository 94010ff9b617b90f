// Options in a link's query, for tests and for those who want to compare: `?engine=standard` or
// `?engine=engine` forces the way sound is played, `?uplink=rtp` our engine's way up, `?name=Ana`
// fills in the name, `?autojoin=1` joins at once.

import type { UplinkChoice } from "../session/audio_seam";

export interface Query {
  engine: "standard" | "engine" | null;
  uplink: UplinkChoice;
  name: string | null;
  autojoin: boolean;
}

export function parseQuery(search: string): Query {
  const parameters = new URLSearchParams(search);
  const engine = parameters.get("engine");
  return {
    engine: engine === "standard" || engine === "engine" ? engine : null,
    uplink: parameters.get("uplink") === "rtp" ? "rtp" : "auto",
    name: parameters.get("name"),
    autojoin: parameters.get("autojoin") === "1",
  };
}
