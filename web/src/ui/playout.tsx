// How long a track waits in this computer before it is heard: now and wanted, why, what was missing
// all the same, and the listener's say in it. Only our engine tells, and only it takes a choice.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

import type { TrackId } from "../protocol";
import { FIXED_MS_MAX, type PlayoutMode, type PlayoutStats, type RemoteStats } from "../session/audio_seam";
import type { Session } from "../session/session";
import { UNKNOWN, milliseconds, partsPerMillion } from "./format";
import { onFrame } from "./frames";
import { Readout } from "./meter";
import { NumberField } from "./number_field";

interface Props {
  session: Session;
  /** Whose track it is, for people who do not see where they are. */
  who: string;
  track: TrackId;
  /** What was chosen for this track; null for what holds for everybody. */
  choice: PlayoutMode | null;
  /** What holds for everybody. */
  everybody: PlayoutMode;
}

/** A line that opens into the whole account. */
export function Playout({ session, who, track, choice, everybody }: Props) {
  const remote = () => session.stats()?.remotes[track];
  const told = () => remote()?.playout ?? null;
  const read = (words: (playout: PlayoutStats) => string) => () => {
    const playout = told();
    return playout === null ? UNKNOWN : words(playout);
  };
  return (
    <details class="help playout">
      <summary>
        <span>
          <span class="sr-only">{who}: </span>Waits{" "}
          <Readout read={read(({ delayMs }) => milliseconds(delayMs))} />
        </span>
        <span class="tag">
          {/* What the engine says it plays by, which follows a choice at once. */}
          <Readout read={read(({ mode }) => playoutWords(mode) + paddingWords(remote()))} />
        </span>
      </summary>
      <div class="account">
        <Shares read={told} />
        <dl class="numbers">
          <Figure title="What the delay is steered to" name="Wanted">
            <Readout read={read(({ targetMs }) => milliseconds(targetMs))} />
          </Figure>
          <Figure title="Sound that was invented in the latest minute" name="Concealed">
            <Readout read={read(({ concealedMsPerMinute: ms }) => `${ms.toFixed(0)} ms/min`)} />
          </Figure>
          <Figure title="Packets that came too late to be played" name="Late">
            <Readout read={() => String(remote()?.late ?? UNKNOWN)} />
          </Figure>
          <Figure title="Packets that came again inside later ones" name="Recovered">
            <Readout read={read(({ recovered }) => String(recovered))} />
          </Figure>
          <Figure title="How much faster their clock runs than this computer's" name="Their clock">
            <Readout read={read(({ driftPpm }) => partsPerMillion(driftPpm))} />
          </Figure>
          <Figure title="How much faster than it was recorded it is played now" name="Speed">
            <Readout read={read(({ ratePpm }) => partsPerMillion(ratePpm))} />
          </Figure>
        </dl>
        <PlayoutChooser
          label="Delay"
          who={`of ${who}`}
          choice={choice}
          everybody={everybody}
          wantedMs={() => told()?.targetMs}
          onChoose={(playout) => session.setMix(track, { playout })}
        />
      </div>
    </details>
  );
}

interface FigureProps {
  name: string;
  title: string;
  children: ComponentChildren;
}

function Figure({ name, title, children }: FigureProps) {
  return (
    <div>
      <dt title={title}>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What the wanted delay is made of: a bar, and the same in words. */
function Shares({ read }: { read: () => PlayoutStats | null }) {
  const bar = useRef<HTMLDivElement>(null);
  const source = useRef(read);
  source.current = read;

  useEffect(() => {
    let shownAt = -BAR_MS;
    return onFrame((now) => {
      if (now - shownAt < BAR_MS || bar.current === null) return;
      shownAt = now;
      const playout = source.current();
      SHARES.forEach(({ share }, index) => {
        const part = bar.current?.children[index] as HTMLElement | undefined;
        part?.style.setProperty("flex-grow", String(playout === null ? 0 : share(playout)));
      });
    });
  }, []);

  return (
    <div class="shares">
      <div class="shares-bar" ref={bar} aria-hidden="true">
        {SHARES.map(({ name }) => (
          <span key={name} class={name} />
        ))}
      </div>
      <ul>
        {SHARES.map(({ name, label, title, share }) => (
          <li key={name} title={title}>
            <span class={`swatch ${name}`} aria-hidden="true" />
            {label}{" "}
            <Readout
              read={() => {
                const playout = source.current();
                return playout === null ? UNKNOWN : milliseconds(share(playout));
              }}
            />
          </li>
        ))}
      </ul>
    </div>
  );
}

interface ChooserProps {
  label: string;
  /** Whose delay it is, after the label, for people who do not see where they are. */
  who: string;
  choice: PlayoutMode | null;
  /** What holds for everybody, where the choice is one musician's; null where it is everybody's. */
  everybody: PlayoutMode | null;
  /** Where a fixed delay starts from. */
  wantedMs: () => number | undefined;
  onChoose: (choice: PlayoutMode | null) => void;
}

/** Automatic, leaned one way, or fixed. */
export function PlayoutChooser(props: ChooserProps) {
  const { label, who, choice, everybody, wantedMs, onChoose } = props;
  const id = useId();
  const fixed = typeof choice === "number";
  const choose = (value: string) => {
    switch (value) {
      case "automatic":
      case "lower":
      case "safer":
        return onChoose(value);
      case "fixed":
        return onChoose(withinBounds(wantedMs() ?? FIXED_MS_START));
      default:
        return onChoose(null);
    }
  };
  return (
    <div class="playout-choice">
      <label for={id}>
        {label}
        <span class="sr-only"> {who}</span>
      </label>
      <select
        id={id}
        value={fixed ? "fixed" : (choice ?? "")}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {everybody !== null && <option value="">As everybody ({playoutWords(everybody)})</option>}
        <option value="automatic">Automatic</option>
        <option value="lower">Lower, more dropouts</option>
        <option value="safer">Safer, longer</option>
        <option value="fixed">Fixed</option>
      </select>
      {fixed && (
        <span class="fixed-ms">
          <NumberField
            label={`Fixed delay ${who} in milliseconds`}
            min={0}
            max={FIXED_MS_MAX}
            step={1}
            value={choice}
            onChange={(ms) => onChoose(withinBounds(ms))}
          />
          ms
        </span>
      )}
    </div>
  );
}

/** What the room's playing mode has one wait for, where it does. */
function paddingWords(remote: RemoteStats | undefined): string {
  const ms = remote?.paddingMs ?? 0;
  return ms < PADDING_SHOWN_MS ? "" : `, +${milliseconds(ms)} for the mode`;
}

/** A mode in the middle of a sentence. */
export function playoutWords(mode: PlayoutMode): string {
  if (typeof mode === "number") return `fixed at ${mode} ms`;
  return { automatic: "automatic", lower: "lower delay", safer: "safer" }[mode];
}

function withinBounds(ms: number): number {
  return Math.min(FIXED_MS_MAX, Math.max(0, Math.round(ms)));
}

const SHARES = [
  {
    name: "network",
    label: "Network",
    title: "Their packets come unevenly",
    share: ({ networkMs }: PlayoutStats) => networkMs,
  },
  {
    name: "callback",
    label: "This computer",
    title: "Sound is asked for a period at a time, and not quite evenly",
    share: ({ callbackMs }: PlayoutStats) => callbackMs,
  },
  {
    name: "drift",
    label: "Clocks",
    title: "Two clocks run apart between two corrections",
    share: ({ driftMs }: PlayoutStats) => driftMs,
  },
  {
    name: "redundancy",
    label: "Redundancy",
    title: "Waiting for what later packets repeat",
    share: ({ redundancyMs }: PlayoutStats) => redundancyMs,
  },
];

/** Where nothing is known yet. */
const FIXED_MS_START = 10;
const BAR_MS = 500;
/** The playhead is never quite where it is needed. */
const PADDING_SHOWN_MS = 0.5;
