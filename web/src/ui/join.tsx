// Before joining: a name, an input with its level, and what to expect. Nothing is opened before the
// musician asks for it, unless the browser has been told before that it may.

import { useEffect, useRef, useState } from "preact/hooks";

import { who } from "../account/who";
import { probe } from "../audio/probe";
import { PARTICIPANT_NAME_CHARS_MAX, type RoomId } from "../protocol";
import { roomPath } from "../session/link";
import { loadPreferences, savePreferences } from "../session/preferences";
import { type Problem, problemOfMedia, problemOfSurroundings } from "../session/words";
import { Brand } from "./brand";
import { engineReason, engineTitle } from "./engine_words";
import { LEVEL_DB_MIN } from "./format";
import { InputCheck, type InputDevice, inputDevices, inputIsPermitted, watchInputDevices } from "./input";
import { LevelVerdict } from "./level_verdict";
import { Meter, Readout } from "./meter";
import { ProblemCard } from "./problem";
import { RoomPassword, isAboutPassword, useAsksPassword } from "./room_password";
import type { Query } from "./query";
import { SoundCheck } from "./soundcheck";
import { WhoLink } from "./who_link";

/** What the musician chose. */
export interface Choice {
  name: string;
  deviceId: string;
  /** The input of the level check, still open. */
  stream: MediaStream | null;
  part: "musician" | "listener";
  /** The room's; empty where it was not asked for. */
  password: string;
}

interface Props {
  room: RoomId;
  query: Query;
  /** Why the last attempt failed. */
  problem: Problem | null;
  busy: boolean;
  onJoin: (choice: Choice) => void;
}

export function Join({ room, query, problem, busy, onJoin }: Props) {
  const [name, setName] = useState(query.name ?? (loadPreferences().name || (who.peek() ?? "")));
  const [deviceId, setDeviceId] = useState(loadPreferences().deviceId);
  const [devices, setDevices] = useState<InputDevice[]>([]);
  const [check, setCheck] = useState<InputCheck | null>(null);
  const [inputProblem, setInputProblem] = useState<Problem | null>(null);
  const [nameProblem, setNameProblem] = useState("");
  const [password, setPassword] = useState("");
  const asksPassword = useAsksPassword(problem);
  const open = useRef<InputCheck | null>(null);
  /** Which opening is the newest: an earlier one that comes late is closed again. */
  const attempts = useRef(0);
  /** Settled where nothing is being opened. */
  const opening = useRef<Promise<void>>(Promise.resolve());
  const surroundings = surroundingsProblem();
  const shown = surroundings ?? inputProblem ?? problem;
  const atPassword = shown !== null && isAboutPassword(shown);

  const take = (next: InputCheck | null) => {
    open.current = next;
    setCheck(next);
  };

  const startCheck = (wanted: string): Promise<void> => {
    opening.current = openCheck(wanted);
    return opening.current;
  };

  const openCheck = async (wanted: string) => {
    attempts.current += 1;
    const attempt = attempts.current;
    open.current?.close();
    take(null);
    setInputProblem(null);
    setDeviceId(wanted);
    try {
      const next = await InputCheck.open(wanted).catch((error: unknown) => {
        // The remembered interface may be unplugged today: take whatever there is.
        const gone = error instanceof Error && error.name === "OverconstrainedError";
        if (gone && wanted !== "") return InputCheck.open("");
        throw error;
      });
      if (attempt !== attempts.current) return next.close();
      take(next);
      setDeviceId(next.deviceId);
    } catch (error) {
      if (attempt === attempts.current) setInputProblem(problemOfMedia(error));
    }
    // Another input can be chosen even where this one did not open.
    const known = await inputDevices();
    if (attempt === attempts.current) setDevices(known);
  };

  /** The newest one: another may have been chosen while the first was on its way. */
  const openedInput = async () => {
    for (let waited = null; waited !== opening.current; ) {
      waited = opening.current;
      await waited;
    }
    return open.current;
  };

  /** Nothing that is still being opened is wanted any more. */
  const abandon = () => {
    attempts.current += 1;
  };

  const join = (part: Choice["part"]) => {
    const trimmed = name.trim();
    if (trimmed === "") {
      setNameProblem("Tell the others who you are.");
      document.getElementById("name")?.focus();
      return;
    }
    savePreferences({ ...loadPreferences(), name: trimmed, deviceId });
    abandon();
    const stream = part === "musician" ? (open.current?.handOver() ?? null) : null;
    if (part === "listener") open.current?.close();
    take(null);
    setInputProblem(null);
    onJoin({ name: trimmed, deviceId, stream, part, password });
  };

  useEffect(() => {
    if (surroundings !== null) return;
    if (query.autojoin) {
      join("musician");
      return;
    }
    opening.current = inputIsPermitted().then((permitted) => {
      // Whoever pressed the button meanwhile has one that is on its way.
      if (permitted && attempts.current === 0) return startCheck(deviceId);
    });
    const unwatch = watchInputDevices(setDevices);
    return () => {
      unwatch();
      abandon();
      open.current?.close();
      open.current = null;
    };
  }, []);

  const engine = query.engine === "standard" ? { mode: "standard" as const, missing: [], failure: null } : probe();
  const cannotOpen = inputProblem !== null || problem?.code.endsWith("Error") === true;

  return (
    <div class="page" onPointerDown={() => check?.resume()} onKeyDown={() => check?.resume()}>
      <header class="site">
        <Brand />
        <WhoLink back={roomPath(room)} />
      </header>
      <main class="narrow">
        <p class="eyebrow">You are about to join</p>
        <h1 class="room-name">{room}</h1>
        {shown !== null && !atPassword && (
          <ProblemCard problem={shown}>
            {cannotOpen && surroundings === null && (
              <div class="inline">
                <button type="button" class="button" onClick={() => void startCheck(deviceId)}>
                  Try again
                </button>
                <button type="button" class="button" disabled={busy} onClick={() => join("listener")}>
                  Join to listen only
                </button>
              </div>
            )}
          </ProblemCard>
        )}
        <form
          class="card join"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            join("musician");
          }}
        >
          <div class="field">
            <label for="name">Your name</label>
            <input
              id="name"
              type="text"
              autoComplete="nickname"
              maxLength={PARTICIPANT_NAME_CHARS_MAX}
              value={name}
              aria-invalid={nameProblem !== ""}
              aria-describedby="name-problem"
              onInput={(event) => {
                setName(event.currentTarget.value);
                setNameProblem("");
              }}
            />
            <p id="name-problem" class="field-problem" role="alert">
              {nameProblem}
            </p>
          </div>
          {asksPassword && (
            <RoomPassword password={password} onChange={setPassword} problem={atPassword ? shown : null} />
          )}
          <Input
            check={check}
            devices={devices}
            deviceId={deviceId}
            disabled={busy || surroundings !== null}
            onChoose={(id) => void startCheck(id)}
          />
          <button
            type="submit"
            class="button primary large"
            disabled={busy || surroundings !== null}
          >
            {busy ? "Joining…" : "Join"}
          </button>
          <p class="sr-only" role="status">
            {busy ? "Joining the room" : ""}
          </p>
        </form>
        <SoundCheck room={room} query={query} openInput={openedInput} disabled={busy || surroundings !== null} />
        <ul class="hints">
          <li>
            <strong>Headphones on?</strong> With loudspeakers the others hear themselves come back.
          </li>
          <li data-engine={engine.mode}>
            <strong>{engineTitle(engine)}.</strong>{" "}
            {engineReason(engine, query.engine === "standard")}
          </li>
        </ul>
      </main>
    </div>
  );
}

interface InputProps {
  /** The input that is open; null before one is. */
  check: InputCheck | null;
  devices: InputDevice[];
  deviceId: string;
  disabled: boolean;
  onChoose: (deviceId: string) => void;
}

/** The choice stands as soon as inputs are known, whether or not one of them opens. */
function Input({ check, devices, deviceId, disabled, onChoose }: InputProps) {
  const choice = useRef<HTMLSelectElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const wasFocused = useRef(false);
  const known = devices.some((device) => device.id === deviceId);
  // The button goes when the input is open; whoever pressed it by keyboard goes on at the choice.
  wasFocused.current ||= button.current !== null && document.activeElement === button.current;
  useEffect(() => {
    if (check === null || !wasFocused.current || devices.length === 0) return;
    wasFocused.current = false;
    if (document.activeElement === document.body) choice.current?.focus();
  }, [check, devices]);

  return (
    <div class="field">
      {devices.length === 0 ? (
        <span class="label">Your input</span>
      ) : (
        <>
          <label for="input">Your input</label>
          <select
            id="input"
            ref={choice}
            value={known ? deviceId : ""}
            onChange={(event) => onChoose(event.currentTarget.value)}
          >
            {!known && <option value="">System default</option>}
            {devices.map((device) => (
              <option key={device.id} value={device.id}>
                {device.label}
              </option>
            ))}
          </select>
        </>
      )}
      {check === null ? (
        <>
          <button
            type="button"
            ref={button}
            class="button"
            disabled={disabled}
            onClick={() => onChoose(deviceId)}
          >
            Check my microphone or instrument
          </button>
          <p class="help">The browser will ask whether this page may use it.</p>
        </>
      ) : (
        <CheckedLevel check={check} />
      )}
    </div>
  );
}

function CheckedLevel({ check }: { check: InputCheck }) {
  const verdict = useRef(new LevelVerdict());
  const read = () => {
    const levelDb = check.levelDb();
    verdict.current.take(performance.now(), levelDb);
    return levelDb ?? LEVEL_DB_MIN;
  };
  return (
    <>
      <Meter label="Input level" read={read} />
      <p class="help">
        <Readout read={() => verdict.current.words()} />
      </p>
    </>
  );
}

function surroundingsProblem(): Problem | null {
  return problemOfSurroundings({
    secure: isSecureContext,
    microphone: navigator.mediaDevices !== undefined,
    webrtc: "RTCPeerConnection" in globalThis,
  });
}
