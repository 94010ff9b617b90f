// The beat on the screen: a light and a number that follow the room's clock, as the click at the ear does. Neither
// is rendered again, and neither speaks: who does not see them hears the click.

import { useEffect, useRef } from "preact/hooks";

import { type Beat, beatAt } from "../../session/click";
import type { Session } from "../../session/session";
import { UNKNOWN } from "../format";
import { onFrame } from "../frames";

/** The beat of this moment, and how long ago it began. */
interface Now {
  beat: Beat | null;
  sinceUs: number;
}

interface Props {
  session: Session;
}

/** Lit at the beginning of each beat that sounds; dark for those who asked for less motion. */
export function BeatLight({ session }: Props) {
  const root = useRef<HTMLSpanElement>(null);
  useBeat(session, ({ beat, sinceUs }) => {
    const lit = beat !== null && sinceUs < LIT_US && !reducedMotion.matches;
    const strength = lit ? beat.strength : "silent";
    if (root.current?.dataset.strength !== strength) root.current?.setAttribute("data-strength", strength);
  });
  return <span class="beat-light" data-strength="silent" aria-hidden="true" ref={root} />;
}

/** Bar and beat. */
export function BeatCount({ session }: Props) {
  const root = useRef<HTMLSpanElement>(null);
  useBeat(session, ({ beat }, known) => {
    const words = known ? countWords(beat) : UNKNOWN;
    if (root.current !== null && root.current.textContent !== words) root.current.textContent = words;
  });
  return (
    <span class="beat-count" ref={root}>
      {UNKNOWN}
    </span>
  );
}

/** Calls `show` before every repaint; `known` is false while the room's clock is not. */
export function useBeat(session: Session, show: (now: Now, known: boolean) => void): void {
  const shown = useRef(show);
  shown.current = show;
  useEffect(
    () =>
      onFrame(() => {
        const nowUs = session.roomNowUs();
        const { click } = session.state.peek().shared;
        const beat = nowUs === null ? null : beatAt(click, nowUs);
        shown.current({ beat, sinceUs: (nowUs ?? 0) - (beat?.atUs ?? 0) }, nowUs !== null);
      }),
    [session],
  );
}

/** A click that has not begun has no beat yet. */
export function countWords(beat: Beat | null): string {
  if (beat === null) return "soon";
  return 1 <= beat.bar ? `${beat.bar}.${beat.beat + 1}` : `in ${beat.beat + 1}`;
}

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** Long enough to be seen at the slowest repaint, and over before the next beat at the fastest tempo. */
const LIT_US = 100_000;
