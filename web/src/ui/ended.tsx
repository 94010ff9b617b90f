// After a visit: why it is over, and the way back in.

import { useEffect, useRef } from "preact/hooks";

import type { RoomId, Take } from "../protocol";
import type { LocalStem } from "../session/stem_seam";
import type { Problem } from "../session/words";
import { Brand } from "./brand";
import { followed } from "./route";
import { Stems } from "./together/own_recording";
import { Takes } from "./together/takes";

interface Props {
  room: RoomId;
  /** Null when the musician simply left. */
  problem: Problem | null;
  /** What was recorded here and is not at the server yet. */
  stems: LocalStem[];
  /** Of the room, as far as one was told. */
  takes: Take[];
  onJoin: () => void;
}

export function Ended({ room, problem, stems, takes, onJoin }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const mayComeBack = problem?.code !== "removed" && problem?.code !== "banned";

  return (
    <div class="page">
      <header class="site">
        <Brand />
      </header>
      <main class="narrow">
        <h1 ref={heading} tabIndex={-1}>
          {problem === null ? `You left ${room}.` : problem.title}
        </h1>
        <p class="lead" data-code={problem?.code}>
          {problem === null ? "Your microphone is off." : `${problem.advice} Your microphone is off.`}
        </p>
        <Stems stems={stems} />
        {0 < takes.length && (
          <section aria-labelledby="takes-of-room">
            <h2 id="takes-of-room">Takes of {room}</h2>
            <Takes takes={takes} />
          </section>
        )}
        <div class="inline">
          {mayComeBack && (
            <button type="button" class="button primary" onClick={onJoin}>
              Join again
            </button>
          )}
          <a class={mayComeBack ? "button" : "button primary"} href="/" onClick={followed}>
            Another room
          </a>
        </div>
      </main>
    </div>
  );
}
