// One's own sound: level, mute, input, and how it travels.

import { useEffect, useState } from "preact/hooks";

import type { AudioStats } from "../session/audio_seam";
import type { Session } from "../session/session";
import { rememberInput, rememberPlayout } from "../session/preferences";
import type { SessionState } from "../session/state";
import { engineTitle, roomClockWords, uplinkWords } from "./engine_words";
import { LEVEL_DB_MIN, milliseconds, percent, sentence } from "./format";
import { onFrame } from "./frames";
import { type InputDevice, watchInputDevices } from "./input";
import { Meter, Readout } from "./meter";
import { PlayoutChooser } from "./playout";
import { RoleMark } from "./role_mark";
import { MuteButton } from "./room";

interface Props {
  session: Session;
  state: SessionState;
}

export function OwnStrip({ session, state }: Props) {
  const me = state.participants.find((participant) => participant.id === state.me);
  const silenced = me?.silenced === true;
  return (
    <section
      class={state.muted || silenced ? "card strip own muted" : "card strip own"}
      aria-label="You"
      data-participant={state.me}
    >
      <div class="strip-head">
        <h2>
          {me?.name ?? "You"} <RoleMark role={me?.role} />{" "}
          <span class="tag">
            {silenced ? "silenced: nobody hears you" : state.muted ? "muted: nobody hears you" : "you"}
          </span>
        </h2>
        {session.part === "musician" && <MuteButton session={session} muted={state.muted} />}
      </div>
      <div class="own-body">
        <div class="own-side">
          {session.part === "listener" ? (
            <p class="help">You listen only: nobody hears you.</p>
          ) : (
            <>
              <Meter
                label="Your input level"
                read={() => session.stats()?.inputLevelDb ?? LEVEL_DB_MIN}
              />
              <InputChooser session={session} />
            </>
          )}
        </div>
        <div class="own-side">
          <dl class="numbers">
            <div>
              <dt>Sends</dt>
              <dd>{sends(state)}</dd>
            </div>
            <div>
              <dt>Lost</dt>
              <dd>{uplinkLoss(state)}</dd>
            </div>
            <div>
              <dt>Jitter</dt>
              <dd>{uplinkJitter(state)}</dd>
            </div>
          </dl>
          <Details session={session} state={state} />
          <OthersPlayout session={session} state={state} />
        </div>
      </div>
    </section>
  );
}

/** What steers the delay of everybody who has no choice of their own. */
function OthersPlayout({ session, state }: Props) {
  if (session.port?.engine.mode !== "engine") return null;
  const targets = () =>
    Object.values(session.stats()?.remotes ?? {}).flatMap(({ playout }) => playout?.targetMs ?? []);
  return (
    <PlayoutChooser
      label="Delay of others"
      who="who have none of their own"
      choice={state.playout}
      everybody={null}
      wantedMs={() => (targets().length === 0 ? undefined : Math.max(...targets()))}
      onChoose={(chosen) => {
        const mode = chosen ?? "automatic";
        session.setDefaultPlayout(mode);
        rememberPlayout(mode);
      }}
    />
  );
}

/** How one's sound travels and why so; open by itself where it is not the best way. */
function Details({ session, state }: Props) {
  const engine = session.port?.engine;
  const path = useUplinkPath(session);
  if (engine === undefined) return null;
  const { reason } = state.encodings;
  return (
    <details class="help" open={path === "track" || path === "rtp"}>
      <summary data-engine={engine.mode}>{engineTitle(engine, path)}</summary>
      <p>
        <Readout
          read={() => {
            const stats = session.stats();
            return stats === null ? "" : uplinkWords(engine, stats);
          }}
        />
      </p>
      {reason !== null && <p>{sentence(reason)}</p>}
      {engine.mode === "engine" && (
        <p data-room-clock>
          <Readout read={() => roomClockWords(session.stats()?.roomClock ?? null)} />
        </p>
      )}
      <p>
        Monitor off: you hear yourself only directly, from your instrument or your interface, which
        is the earliest way.
      </p>
    </details>
  );
}

function useUplinkPath(session: Session): AudioStats["uplinkPath"] | undefined {
  const [path, setPath] = useState(session.stats()?.uplinkPath);
  useEffect(() => onFrame(() => setPath(session.stats()?.uplinkPath)), [session]);
  return path;
}

function InputChooser({ session }: { session: Session }) {
  const [devices, setDevices] = useState<InputDevice[]>([]);
  useEffect(() => watchInputDevices(setDevices), []);
  const choose = async (deviceId: string) => {
    await session.setInputDevice(deviceId);
    // Only what opened is worth remembering.
    if (session.inputDeviceId === deviceId) rememberInput(deviceId);
  };
  // A single one can be chosen too, where it is not the one that plays.
  if (devices.length === 0) return null;
  return (
    <div class="field compact">
      <label for="own-input">Input</label>
      <select
        id="own-input"
        value={session.inputDeviceId}
        onChange={(event) => void choose(event.currentTarget.value)}
      >
        <option value="">System default</option>
        {devices.map((device) => (
          <option key={device.id} value={device.id}>
            {device.label}
          </option>
        ))}
      </select>
    </div>
  );
}

function sends({ encodings, muted, myTrack }: SessionState): string {
  if (myTrack === null) return "nothing";
  if (muted) return "nothing";
  return encodings.codecs.join(" + ");
}

function uplinkLoss({ uplink }: SessionState): string {
  const reports = Object.values(uplink);
  if (reports.length === 0) return percent(undefined);
  const lost = reports.reduce((sum, report) => sum + report.lostPackets, 0);
  const received = reports.reduce((sum, report) => sum + report.receivedPackets, 0);
  return percent(lost + received === 0 ? undefined : lost / (lost + received));
}

function uplinkJitter({ uplink }: SessionState): string {
  const reports = Object.values(uplink);
  if (reports.length === 0) return milliseconds(undefined);
  return milliseconds(Math.max(...reports.map((report) => report.jitterUs)) / 1000);
}
