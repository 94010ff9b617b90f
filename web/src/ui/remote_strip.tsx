// Everybody else: one strip for each, with level, mix and the measured state of the connection.

import { useId, useRef } from "preact/hooks";

import type { Participant, Track } from "../protocol";
import { type Mix, NEUTRAL, type PlayoutMode, type RemoteStats } from "../session/audio_seam";
import { mayModerate } from "../session/moderation";
import type { Session } from "../session/session";
import { type SessionState, isSoloed } from "../session/state";
import { participantEngine } from "./engine_words";
import { LEVEL_DB_MIN, UNKNOWN, decibels, milliseconds, pan, panShort, percent } from "./format";
import { LossWindow } from "./loss";
import { Flag, Meter, Readout } from "./meter";
import { PersonMenu } from "./person_menu";
import { Playout } from "./playout";
import { RoleMark } from "./role_mark";

interface Props {
  session: Session;
  state: SessionState;
  others: Participant[];
}

export function RemoteStrips({ session, state, others }: Props) {
  const soloed = isSoloed(state);
  const me = state.participants.find((participant) => participant.id === state.me);
  return (
    <ul class="remotes">
      {others.map((participant) => (
        <li
          key={participant.id}
          class={`card strip ${participant.presence}`}
          data-participant={participant.id}
        >
          <div class="strip-head">
            <h2>
              {participant.name} <RoleMark role={participant.role} />
            </h2>
            <span class="tag">
              {participant.presence === "away"
                ? "connection lost, may be back"
                : participantEngine(participant.engine)}
            </span>
            {mayModerate(me, participant) && <PersonMenu session={session} room={state.room} other={participant} />}
          </div>
          {participant.silenced === true && <p class="help silenced">Silenced: nobody hears {participant.name}.</p>}
          {participant.tracks.length === 0 && <p class="help">Listens; sends no sound.</p>}
          {participant.tracks.map((track) => (
            <Channel
              key={track.id}
              session={session}
              name={participant.name}
              track={track}
              several={1 < participant.tracks.length}
              mix={state.mixes[track.id] ?? NEUTRAL}
              soloed={soloed}
              everybody={state.playout}
            />
          ))}
        </li>
      ))}
    </ul>
  );
}

interface ChannelProps {
  session: Session;
  name: string;
  track: Track;
  /** Whether the participant has other tracks, so that this one needs its label. */
  several: boolean;
  mix: Mix;
  /** Whether somebody in the room is soloed, which silences everybody who is not. */
  soloed: boolean;
  /** What steers the playout delay of everybody without a choice of their own. */
  everybody: PlayoutMode;
}

function Channel({ session, name, track, several, mix, soloed, everybody }: ChannelProps) {
  const id = useId();
  const loss = useRef(new LossWindow());
  const who = several ? `${name}, ${track.label}` : name;
  const change = (part: Partial<Mix>) => session.setMix(track.id, part);
  const remote = () => session.stats()?.remotes[track.id];
  const unheard = mix.muted || (soloed && !mix.solo);

  return (
    <div class={unheard ? "channel unheard" : "channel"} data-track={track.id}>
      {several && <h3>{track.label}</h3>}
      <Meter label={`Level of ${who}`} read={() => remote()?.levelDb ?? LEVEL_DB_MIN} />
      {track.muted && <p class="help">{name} muted this.</p>}
      <Flag when={() => remote()?.leftOut === true}>
        <p class="help left-out">
          Left out: this computer is too slow for everybody. Close other tabs and programs.
        </p>
      </Flag>
      <div class="fader">
        <label for={`${id}-gain`}>
          Gain<span class="sr-only"> of {who}</span>
        </label>
        <input
          id={`${id}-gain`}
          class="gain"
          type="range"
          min={GAIN_DB_MIN}
          max={GAIN_DB_MAX}
          step={1}
          value={mix.gainDb}
          aria-valuetext={decibels(mix.gainDb)}
          title="Double-click for 0 dB"
          onInput={(event) => change({ gainDb: Number(event.currentTarget.value) })}
          onDblClick={() => change({ gainDb: 0 })}
        />
        <output for={`${id}-gain`}>{decibels(mix.gainDb)}</output>
        <button
          type="button"
          class="button small mute"
          aria-pressed={mix.muted}
          aria-label={`Mute ${who} for me`}
          onClick={() => change({ muted: !mix.muted })}
        >
          Mute
        </button>
      </div>
      <div class="fader">
        <label for={`${id}-pan`}>
          Pan<span class="sr-only"> of {who}</span>
        </label>
        <input
          id={`${id}-pan`}
          type="range"
          min={-1}
          max={1}
          step={0.1}
          value={mix.pan}
          aria-valuetext={pan(mix.pan)}
          title="Double-click for the center"
          onInput={(event) => change({ pan: Number(event.currentTarget.value) })}
          onDblClick={() => change({ pan: 0 })}
        />
        <output for={`${id}-pan`}>{panShort(mix.pan)}</output>
        <button
          type="button"
          class="button small solo"
          aria-pressed={mix.solo}
          aria-label={`Solo ${who}`}
          onClick={() => change({ solo: !mix.solo })}
        >
          Solo
        </button>
      </div>
      <dl class="numbers">
        <div>
          <dt title={DELAY_TITLE}>Delay</dt>
          <dd>
            <Readout read={() => milliseconds(remote()?.delayMs)} />
          </dd>
        </div>
        {session.port?.engine.mode === "engine" ? (
          <div>
            <dt title={MOUTH_TO_EAR_TITLE}>Mouth to ear</dt>
            <dd>
              <Readout read={() => milliseconds(remote()?.mouthToEarMs ?? undefined)} />
            </dd>
          </div>
        ) : (
          <div>
            <dt>Buffer</dt>
            <dd>
              <Readout read={() => milliseconds(remote()?.bufferMs)} />
            </dd>
          </div>
        )}
        <div>
          <dt>Lost</dt>
          <dd>
            <Readout read={(now) => recent(loss.current, now, remote(), "lost")} />
          </dd>
        </div>
        <div>
          <dt>Concealed</dt>
          <dd>
            <Readout read={(now) => recent(loss.current, now, remote(), "concealed")} />
          </dd>
        </div>
      </dl>
      {session.port?.engine.mode === "engine" && (
        <Playout
          session={session}
          who={who}
          track={track.id}
          choice={mix.playout}
          everybody={everybody}
        />
      )}
    </div>
  );
}

function recent(
  loss: LossWindow,
  nowMs: number,
  remote: RemoteStats | undefined,
  which: "lost" | "concealed",
): string {
  if (remote === undefined) return UNKNOWN;
  return percent(loss.update(nowMs, remote)?.[which]);
}

/** Where our engine does not run, the browser tells of the last two alone. */
const DELAY_TITLE = "Packets, codec, buffer and this computer's output; the network comes on top";

const MOUTH_TO_EAR_TITLE =
  "From their microphone to your loudspeaker, by the clock that the room shares and as both computers tell of themselves";

/** The mixer's range as well; below the bottom one mutes. */
const GAIN_DB_MIN = -40;
const GAIN_DB_MAX = 12;

