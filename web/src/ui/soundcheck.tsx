// The sound check of the join screen: loudspeaker, network, and how it would be with who is there.
// Nothing of it is needed to join, and nothing of it is kept.

import { useEffect, useRef, useState } from "preact/hooks";

import { measureFeedback } from "../audio/feedback";
import type { RoomId, SeenParticipant } from "../protocol";
import {
  type Finding,
  type NetworkFigures,
  type Wait,
  judgeFeedback,
  judgeNetwork,
  look,
  measureNetwork,
  verdict,
} from "../session/soundcheck";
import { soundChecked } from "./beside";
import type { InputCheck } from "./input";
import type { Query } from "./query";
import { browserSurroundings } from "./surroundings";

/** What is measured; tests bring their own. */
export interface Measuring {
  feedback(input: InputCheck, wait: Wait): Promise<number | null>;
  network(query: Query, wait: Wait): Promise<NetworkFigures>;
  look(room: RoomId, query: Query): Promise<SeenParticipant[]>;
}

interface Props {
  room: RoomId;
  query: Query;
  /** The input, once the one that is being opened is open; without one the loudspeaker cannot be checked. */
  openInput: () => Promise<InputCheck | null>;
  disabled: boolean;
  measuring?: Measuring;
}

interface Line extends Finding {
  name: string;
}

export function SoundCheck({ room, query, openInput, disabled, measuring = REAL }: Props) {
  const [lines, setLines] = useState<Line[]>([]);
  const [words, setWords] = useState<string[]>([]);
  const [doing, setDoing] = useState<string | null>(null);
  /** Ends the waiting of the check that runs. */
  const stop = useRef<(() => void) | null>(null);

  useEffect(() => () => stop.current?.(), []);

  const start = async () => {
    let over = false;
    const wait: Wait = async (ms) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      if (over) throw new Error("not wanted any more");
    };
    stop.current = () => {
      over = true;
    };
    soundChecked();
    setLines([]);
    setWords([]);
    const found: Line[] = [];
    const step = async <T,>(name: string, does: string, work: () => Promise<T>, judge: (result: T) => Finding) => {
      setDoing(does);
      try {
        const result = await work();
        found.push({ name, ...judge(result) });
        return result;
      } catch (error) {
        const todo = [error instanceof Error ? error.message : String(error)];
        found.push({ name, found: "This could not be checked.", todo });
        return null;
      } finally {
        if (!over) setLines([...found]);
      }
    };
    setDoing("Opening your input.");
    const input = await openInput();
    if (over) return;
    if (input !== null) {
      const work = () => measuring.feedback(input, wait);
      await step("Loudspeaker", "Be quiet for a second: a short chirp is played.", work, judgeFeedback);
    }
    const work = () => measuring.network(query, wait);
    const network = await step("Network", "Sending to the server and back, for about ten seconds.", work, judgeNetwork);
    if (network !== null) {
      const seen = await measuring.look(room, query).catch(() => []);
      const ours = network.aroundMs;
      if (!over) setWords(verdict(ours === null ? null : ours + (input?.latencyMs ?? 0), seen));
    }
    if (!over) setDoing(null);
    stop.current = null;
  };

  return (
    <section class="card soundcheck" aria-labelledby="soundcheck">
      <h2 id="soundcheck">Sound check</h2>
      <p class="help">
        Tries your loudspeaker and your network, and says how well you will play together. Nobody in the room notices.
      </p>
      <button type="button" class="button" disabled={disabled || doing !== null} onClick={() => void start()}>
        {doing !== null ? "Checking…" : lines.length === 0 ? "Start the sound check" : "Check again"}
      </button>
      <div role="status">
        {doing !== null && <p class="help">{doing}</p>}
        {lines.map((line) => (
          <p key={line.name} class={line.todo.length === 0 ? "check-line" : "check-line todo"}>
            <strong>{line.name}.</strong> {line.found}
            {line.todo.map((todo) => (
              <span key={todo} class="check-todo">
                {todo}
              </span>
            ))}
          </p>
        ))}
        {words.map((word) => (
          <p key={word} class="check-verdict">
            {word}
          </p>
        ))}
      </div>
    </section>
  );
}

const REAL: Measuring = {
  feedback: (input, wait) => measureFeedback((context) => input.source(context), wait),
  network: (query, wait) => measureNetwork(() => silent(query), wait),
  look: (room, query) => look(() => silent(query).openSocket(), room),
};

/** Opens no input, and would not play it back. */
function silent(query: Query) {
  return browserSurroundings({ name: "", deviceId: "", stream: null, part: "listener", password: "" }, query);
}
