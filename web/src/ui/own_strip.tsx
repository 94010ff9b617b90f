// One's own sound: level, mute, input, and how it travels.

import { useEffect, useState } from "preact/hooks";

import type { Session } from "../session/session";
import type { SessionState } from "../session/state";
import { engineTitle } from "./engine_words";
import { LEVEL_DB_MIN, milliseconds, percent } from "./format";
import { type InputDevice, inputDevices } from "./input";
import { Meter, Readout } from "./meter";
import { MuteButton } from "./room";

interface Props {
  session: Session;
  state: SessionState;
}

export function OwnStrip({ session, state }: Props) {
  const me = state.participants.find((participant) => participant.id === state.me);
  const engine = session.port?.engine;
  return (
    <section class="card strip own" aria-label="You" data-participant={state.me}>
      <div class="strip-head">
        <h2>
          {me?.name ?? "You"} <span class="tag">you</span>
        </h2>
        <MuteButton session={session} muted={state.muted} />
      </div>
      {session.part === "listener" ? (
        <p class="help">You listen only: nobody hears you.</p>
      ) : (
        <>
          <Meter label="Your input level" read={() => session.stats()?.inputLevelDb ?? LEVEL_DB_MIN} />
          <InputChooser session={session} />
        </>
      )}
      <dl class="numbers">
        <div>
          <dt>Sends</dt>
          <dd>{sends(state)}</dd>
        </div>
        <div>
          <dt>Lost on the way to the server</dt>
          <dd>{uplinkLoss(state)}</dd>
        </div>
        <div>
          <dt>Jitter</dt>
          <dd>{uplinkJitter(state)}</dd>
        </div>
        <div>
          <dt>Monitor</dt>
          <dd>off</dd>
        </div>
      </dl>
      {state.encodings.reason !== null && <p class="help">{state.encodings.reason}</p>}
      <p class="help path">
        {engine !== undefined && (
          <>
            <strong data-engine={engine.mode}>{engineTitle(engine)}.</strong>{" "}
          </>
        )}
        <Readout read={() => session.stats()?.why ?? ""} />
      </p>
    </section>
  );
}

function InputChooser({ session }: { session: Session }) {
  const [devices, setDevices] = useState<InputDevice[]>([]);
  useEffect(() => {
    const changed = () => void inputDevices().then(setDevices);
    changed();
    navigator.mediaDevices.addEventListener("devicechange", changed);
    return () => navigator.mediaDevices.removeEventListener("devicechange", changed);
  }, []);
  if (devices.length < 2) return null;
  return (
    <div class="field compact">
      <label for="own-input">Input</label>
      <select
        id="own-input"
        value={session.inputDeviceId}
        onChange={(event) => void session.setInputDevice(event.currentTarget.value)}
      >
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
  if (muted) return "nothing (muted)";
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
