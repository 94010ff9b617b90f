// Who hears whom how late: a table of everybody's ears and mouths, as each says it.

import type { Participant, TrackHearing } from "../protocol";
import type { SessionState } from "../session/state";
import { UNKNOWN } from "./format";

/** Beyond this playing in time takes effort, and beyond the other it fails for most music. */
const HARD_MS = 30;
const TOO_LATE_MS = 60;
/** So much invented is heard. */
const ROUGH_PERMILLE = 10;

/** Nothing in a room of one; closed until somebody wants to know. */
export function Delays({ state }: { state: SessionState }) {
  const people = state.participants;
  if (people.length < 2) return null;
  const name = (person: Participant) => (person.id === state.me ? "You" : person.name);
  return (
    <details class="card delays">
      <summary>
        <span>Delays of everybody</span>{" "}
        <span class="tag">{worst(state)}</span>
      </summary>
      <div class="delays-table" role="region" aria-label="Table of delays" tabIndex={0}>
        <table>
          <caption>
            Milliseconds from microphone to loudspeaker: who plays above, who hears at the side.
          </caption>
          <thead>
            <tr>
              <td />
              {people.map((person) => (
                <th key={person.id} scope="col" title={name(person)}>
                  {name(person)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {people.map((listener) => (
              <tr key={listener.id}>
                <th scope="row" title={name(listener)}>
                  {name(listener)}
                </th>
                {people.map((publisher) => (
                  <Cell
                    key={publisher.id}
                    hearing={hearingOf(state, listener, publisher)}
                    own={listener === publisher}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function Cell({ hearing, own }: { hearing: TrackHearing | undefined; own: boolean }) {
  if (own) return <td class="own" />;
  const ms = hearing?.delay_us === undefined ? null : hearing.delay_us / 1000;
  const rough = hearing?.concealed_permille ?? 0;
  const how = ms === null || ms < HARD_MS ? "" : ms < TOO_LATE_MS ? "hard" : "late";
  return (
    <td class={how}>
      {ms === null ? UNKNOWN : ms.toFixed(1)}
      {ROUGH_PERMILLE <= rough && (
        <span class="rough"> {(rough / 10).toFixed(0)} % torn</span>
      )}
    </td>
  );
}

/** How a listener says that they hear the first track of somebody. */
export function hearingOf(
  { hearings }: Pick<SessionState, "hearings">,
  listener: Participant,
  publisher: Participant,
): TrackHearing | undefined {
  // What they said last is not how it is.
  if (listener.presence === "away") return undefined;
  const ids = publisher.tracks.map((track) => track.id);
  return hearings[listener.id]?.find((hearing) => ids.includes(hearing.track));
}

/** The latest pair in words, so that the table need not be opened to know. */
export function worst(state: Pick<SessionState, "participants" | "hearings" | "me">): string {
  let found: { ms: number; words: string } | null = null;
  const name = (person: Participant) => (person.id === state.me ? "you" : person.name);
  for (const listener of state.participants) {
    for (const publisher of state.participants) {
      const us = hearingOf(state, listener, publisher)?.delay_us;
      if (us === undefined || (found !== null && us / 1000 <= found.ms)) continue;
      const hear = listener.id === state.me ? "hear" : "hears";
      const ms = us / 1000;
      found = { ms, words: `${name(listener)} ${hear} ${name(publisher)} after ${ms.toFixed(1)} ms` };
    }
  }
  return found?.words ?? "not known yet";
}
